"""Rows of this tier. Every one belongs to a tenant and stands behind row-level security."""

from typing import ClassVar

from django.db import models


class CapsuleRow(models.Model):
    """A version of an agent's identity, with the signature that certifies it."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    name = models.TextField()
    version = models.IntegerField()
    status = models.TextField()
    system_prompt = models.TextField()
    loop = models.JSONField()
    signature = models.BinaryField()
    signer = models.BinaryField()
    created_at = models.DateTimeField()
    capabilities: "models.ManyToManyField[CapabilityRow, CapsuleCapabilityRow]" = models.ManyToManyField(
        "CapabilityRow", through="CapsuleCapabilityRow"
    )

    class Meta:
        db_table = "capsule"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant_id", "name", "version"], name="capsule_version")
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class CapabilityRow(models.Model):
    """A tool that capsules may hold."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    name = models.TextField()
    description = models.TextField()
    input_schema = models.JSONField()
    output_schema = models.JSONField()
    config = models.JSONField()
    idempotent = models.BooleanField()
    is_enabled = models.BooleanField()

    class Meta:
        db_table = "capability"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant_id", "name"], name="capability_name")
        ]

    def __str__(self) -> str:
        return self.name


class CapsuleCapabilityRow(models.Model):
    """Which capsule holds which capability."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    capsule = models.ForeignKey(CapsuleRow, on_delete=models.CASCADE)
    capability = models.ForeignKey(CapabilityRow, on_delete=models.CASCADE)

    class Meta:
        db_table = "capsule_capability"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["capsule", "capability"], name="capsule_capability_once")
        ]

    def __str__(self) -> str:
        return f"{self.capsule_id} holds {self.capability_id}"


class ConversationRow(models.Model):
    """A dialogue of one user with one agent."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    user_id = models.UUIDField()
    capsule = models.ForeignKey(CapsuleRow, on_delete=models.PROTECT)
    title = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "conversation"
        indexes: ClassVar = [models.Index(fields=["tenant_id", "user_id", "-id"], name="conversation_recent")]

    def __str__(self) -> str:
        return self.title


class MessageRow(models.Model):
    """One message; immutable."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    conversation = models.ForeignKey(ConversationRow, on_delete=models.CASCADE, db_index=False)
    turn_id = models.UUIDField()
    role = models.TextField()
    content = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "message"
        indexes: ClassVar = [models.Index(fields=["conversation", "id"], name="message_order")]

    def __str__(self) -> str:
        return f"{self.role}: {self.content[:40]}"


class TurnRow(models.Model):
    """A question and everything that is known of its way to an answer."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    conversation = models.ForeignKey(ConversationRow, on_delete=models.CASCADE)
    user_id = models.UUIDField()
    agent_id = models.UUIDField()
    capsule_version = models.IntegerField()
    roles = models.JSONField()
    user_message_id = models.UUIDField()
    message_id = models.UUIDField(null=True)
    status = models.TextField()
    seed = models.BigIntegerField()
    seeded = models.BooleanField()
    model = models.TextField()
    rlm = models.BooleanField()
    input_hash = models.TextField()
    output_hash = models.TextField(null=True)
    trace_id = models.TextField()
    session_id = models.UUIDField()
    idempotency_key = models.TextField(null=True)
    lease_owner = models.TextField()
    lease_expires_at = models.DateTimeField()
    attempt = models.IntegerField(default=1)
    attempts = models.JSONField()
    cancel_requested = models.BooleanField(default=False)
    iterations = models.IntegerField(default=0)
    outcome = models.JSONField(null=True)
    phases = models.JSONField()
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "turn"
        indexes: ClassVar = [
            models.Index(fields=["lease_owner"], name="turn_running", condition=models.Q(status="running")),
            models.Index(fields=["input_hash", "seed"], name="turn_seeded", condition=models.Q(seeded=True)),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["conversation"], condition=models.Q(status="running"), name="turn_one_running"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="turn_idempotency",
            ),
        ]

    def __str__(self) -> str:
        return f"turn {self.id}: {self.status}"


class RLMIterationRow(models.Model):
    """One pass of the loop, complete: what was asked, said, done, learnt. A long `content` is empty here and
    stands under `content_hash` among the conversation's blobs."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    turn = models.ForeignKey(TurnRow, on_delete=models.CASCADE, db_index=False)
    number = models.IntegerField()
    record = models.JSONField()
    content = models.TextField()
    content_hash = models.TextField(null=True)
    script = models.JSONField()
    first_frame_id = models.BigIntegerField()
    started_at = models.DateTimeField()
    completed_at = models.DateTimeField()

    class Meta:
        db_table = "rlm_iteration"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["turn", "number"], name="rlm_iteration_number")
        ]

    def __str__(self) -> str:
        return f"iteration {self.number} of {self.turn_id}"


class ToolExecutionRow(models.Model):
    """A tool call: what was decided and what came of it. Long arguments and outputs are null and stand under
    their hashes among the conversation's blobs."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    turn = models.ForeignKey(TurnRow, on_delete=models.CASCADE, db_index=False)
    iteration = models.IntegerField()
    position = models.IntegerField()
    call_id = models.TextField()
    tool = models.TextField()
    arguments = models.JSONField(null=True)
    arguments_hash = models.TextField(null=True)
    idempotency_key = models.TextField()
    status = models.TextField()
    output = models.JSONField(null=True)
    output_hash = models.TextField(null=True)
    reasons = models.JSONField()
    policy_hash = models.TextField()
    latency_ms = models.FloatField(null=True)
    started_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "tool_execution"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["turn", "iteration", "position"], name="tool_execution_once")
        ]

    def __str__(self) -> str:
        return f"{self.tool}: {self.status}"


class TurnFeedbackRow(models.Model):
    """What a user said of a turn (TurnFeedback.to_dict) and what came of it; the latest revision stands."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    turn = models.ForeignKey(TurnRow, on_delete=models.CASCADE, db_index=False)
    user_id = models.UUIDField()
    revision = models.IntegerField()
    said = models.JSONField()
    outcome = models.JSONField()
    idempotency_key = models.TextField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "turn_feedback"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["turn", "user_id", "revision"], name="turn_feedback_revision"),
            models.UniqueConstraint(
                fields=["tenant_id", "user_id", "idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="turn_feedback_idempotency",
            ),
        ]

    def __str__(self) -> str:
        return f"feedback {self.revision} on {self.turn_id}"
