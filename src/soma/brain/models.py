"""The tables of what agents have learned, of how far recall can be trusted, of what conversations have at
hand, of what is forgotten and when, of documents, and of memory capsules. Two learned states are written at
every iteration, so they are kept as LearnedState.to_bytes."""

from django.db import models


class LearnedStateRow(models.Model):
    """Where an agent stands: the head of its chain of checkpoints. Locked while a turn is added to it."""

    pk = models.CompositePrimaryKey("tenant_id", "agent_id")
    tenant_id = models.UUIDField()
    agent_id = models.CharField(max_length=200)
    state = models.BinaryField()
    sequence = models.BigIntegerField()
    checkpoint_hash = models.BinaryField()

    class Meta:
        db_table = "learned_state"


class LearnedStepRow(models.Model):
    """One feedback of a turn. A turn learns on a line of its own, from where the agent stood at its first."""

    pk = models.CompositePrimaryKey("tenant_id", "turn_id", "iteration")
    tenant_id = models.UUIDField()
    turn_id = models.UUIDField()
    iteration = models.IntegerField()
    agent_id = models.CharField(max_length=200)
    before = models.BinaryField()
    after = models.BinaryField()
    numbers = models.BinaryField()

    class Meta:
        db_table = "learned_step"


class LearnedCheckpointRow(models.Model):
    """Where an agent stood after a turn, feedback or a rollback; see the domain's Checkpoint. `turn_id` is
    null for the first, the capsule's baseline, and for what is no turn."""

    pk = models.CompositePrimaryKey("tenant_id", "agent_id", "sequence")
    tenant_id = models.UUIDField()
    agent_id = models.CharField(max_length=200)
    sequence = models.BigIntegerField()
    turn_id = models.UUIDField(null=True)
    last_iteration = models.IntegerField()
    state = models.BinaryField()
    previous_hash = models.BinaryField()
    hash = models.BinaryField()
    created_at = models.DateTimeField()
    kind = models.CharField(max_length=20, db_default="turn")
    source_id = models.UUIDField(null=True)
    rankings = models.JSONField(db_default={})
    returns_to = models.BigIntegerField(null=True)
    constitution_hash = models.CharField(max_length=128, null=True)
    reward = models.FloatField(null=True)
    signature = models.BinaryField(null=True)

    class Meta:
        db_table = "learned_checkpoint"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "agent_id", "source_id"], name="learned_checkpoint_source"
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "agent_id", "turn_id", "last_iteration"], name="learned_checkpoint_turn"
            ),
        ]


class EvidenceMarkRow(models.Model):
    """Whether a memory that a turn recalled was relevant. It says nothing of the memory's content."""

    pk = models.CompositePrimaryKey("tenant_id", "turn_id", "record_id")
    tenant_id = models.UUIDField()
    turn_id = models.UUIDField()
    record_id = models.UUIDField()
    namespace = models.CharField(max_length=200)
    cosine = models.FloatField()
    relevant = models.BooleanField()
    marked_at = models.DateTimeField()

    class Meta:
        db_table = "evidence_mark"
        indexes = [
            models.Index(fields=["tenant_id", "namespace", "marked_at"], name="evidence_mark_latest"),
        ]


class CalibratorRow(models.Model):
    """How a namespace's confidence is told: Calibrator.to_dict, Calibration.to_dict of the marks that it was
    fitted on, and how many came since. Locked while it is refitted."""

    pk = models.CompositePrimaryKey("tenant_id", "namespace")
    tenant_id = models.UUIDField()
    namespace = models.CharField(max_length=200)
    calibrator = models.JSONField()
    report = models.JSONField()
    pending = models.IntegerField()

    class Meta:
        db_table = "evidence_calibrator"


class FrameFillerRow(models.Model):
    """A filler of a role in a frame of a memory: Frame.pairs. It goes with the memory; the database sees to
    that. Every frame has one of "when" at place 0: by its token frames are in the order of their time."""

    pk = models.CompositePrimaryKey("record_id", "position", "role", "place")
    tenant_id = models.UUIDField()
    namespace = models.CharField(max_length=200)
    record_id = models.UUIDField()
    position = models.SmallIntegerField()
    role = models.CharField(max_length=5)
    place = models.SmallIntegerField()
    token = models.CharField(max_length=200, db_collation="C")
    text = models.CharField(max_length=200)

    class Meta:
        db_table = "memory_frame"
        indexes = [
            models.Index(
                fields=["tenant_id", "namespace", "role", "token", "record_id", "position"],
                name="memory_frame_filler",
            ),
        ]


class DensitySketchRow(models.Model):
    """The covariance of a namespace's vectors in a few rows: kernels.density.sketch, its rows as
    little-endian float32. It holds everything that was written up to `written_at` and `record_id`."""

    pk = models.CompositePrimaryKey("tenant_id", "namespace")
    tenant_id = models.UUIDField()
    namespace = models.CharField(max_length=200)
    version = models.BigIntegerField()
    rank = models.IntegerField()
    dimensions = models.IntegerField()
    rows = models.BinaryField()
    count = models.BigIntegerField()
    energy = models.FloatField()
    lost = models.FloatField()
    written_at = models.DateTimeField()
    record_id = models.UUIDField()

    class Meta:
        db_table = "density_sketch"


class WorkingMemoryRow(models.Model):
    """A conversation's working memory. Locked by whoever changes what is in it."""

    pk = models.CompositePrimaryKey("tenant_id", "conversation_id")
    tenant_id = models.UUIDField()
    conversation_id = models.UUIDField()
    turns = models.IntegerField()
    last_turn_id = models.UUIDField()

    class Meta:
        db_table = "working_memory"


class WorkingItemRow(models.Model):
    """One thing that a conversation has at hand."""

    pk = models.CompositePrimaryKey("tenant_id", "conversation_id", "id")
    tenant_id = models.UUIDField()
    conversation_id = models.UUIDField()
    id = models.UUIDField()
    namespace = models.CharField(max_length=200)
    key = models.CharField(max_length=300)
    content = models.TextField()
    content_hash = models.CharField(max_length=64)
    role = models.CharField(max_length=40)
    speaker = models.CharField(max_length=200)
    occurred_at = models.DateTimeField()
    importance = models.FloatField()
    provenance = models.JSONField()
    salience = models.FloatField()
    turn = models.IntegerField()
    last_use = models.IntegerField()
    record_id = models.UUIDField(null=True)
    vector = models.BinaryField(null=True)

    class Meta:
        db_table = "working_item"
        indexes = [
            models.Index(fields=["tenant_id", "id"], name="working_item_id"),
            models.Index(fields=["tenant_id", "record_id"], name="working_item_record"),
        ]


class ConversationSegmentRow(models.Model):
    """Where a conversation's segments stand after the event with `sequence`; `state` is SegmentState's."""

    pk = models.CompositePrimaryKey("tenant_id", "conversation_id")
    tenant_id = models.UUIDField()
    conversation_id = models.UUIDField()
    sequence = models.BigIntegerField()
    turns = models.IntegerField()
    start = models.IntegerField()
    change_probability = models.FloatField()
    state = models.BinaryField()

    class Meta:
        db_table = "conversation_segment"


class ForgottenMemoryRow(models.Model):
    """A memory that was deleted for good. An event that waits, or comes again, does not bring it back."""

    pk = models.CompositePrimaryKey("tenant_id", "record_id")
    tenant_id = models.UUIDField()
    record_id = models.UUIDField()
    forgotten_at = models.DateTimeField()

    class Meta:
        db_table = "forgotten_memory"


class ForgottenConversationRow(models.Model):
    """A conversation of which nothing is remembered that was said up to `before`."""

    pk = models.CompositePrimaryKey("tenant_id", "conversation_id")
    tenant_id = models.UUIDField()
    conversation_id = models.UUIDField()
    before = models.DateTimeField()

    class Meta:
        db_table = "forgotten_conversation"


class DocumentRow(models.Model):
    """A document that was given, and how far it is taken in. `revision` counts its contents: chunks are
    stored under it, up to `chunks_done`. `stale` lists what earlier revisions have left standing, as pairs of
    revision and chunks; it goes when this one is done. `reading_hash` is that of the chunks that were
    counted, so that work which was broken off goes on only where they are the same."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    namespace = models.CharField(max_length=200)
    key = models.CharField(max_length=300)
    name = models.CharField(max_length=300, blank=True)
    title = models.CharField(max_length=200, blank=True)
    given_title = models.CharField(max_length=200, blank=True)
    media_type = models.CharField(max_length=40)
    charset = models.CharField(max_length=40, blank=True)
    content_hash = models.CharField(max_length=64)
    size = models.BigIntegerField()
    trace_id = models.CharField(max_length=64)
    revision = models.IntegerField()
    status = models.CharField(max_length=20)
    reason = models.CharField(max_length=40, blank=True)
    detail = models.TextField(blank=True)
    pages = models.IntegerField(null=True)
    characters = models.BigIntegerField()
    chunks = models.IntegerField()
    chunks_done = models.IntegerField()
    reading_hash = models.CharField(max_length=64, blank=True)
    stale = models.JSONField()
    attempts = models.IntegerField()
    received_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "document"
        indexes = [
            models.Index(fields=["tenant_id", "namespace", "-id"], name="document_listed"),
            models.Index(
                fields=["received_at"],
                name="document_active",
                condition=models.Q(status__in=["waiting", "reading", "embedding"]),
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["tenant_id", "namespace", "key"], name="document_key")]


class DocumentPartRow(models.Model):
    """A part of a document's file, kept until its chunks are stored."""

    pk = models.CompositePrimaryKey("tenant_id", "document_id", "revision", "number")
    tenant_id = models.UUIDField()
    document_id = models.UUIDField()
    revision = models.IntegerField()
    number = models.IntegerField()
    content = models.BinaryField()

    class Meta:
        db_table = "document_part"


class RetentionRow(models.Model):
    """How many days the memories of a namespace are kept, or with the name "" all of the tenant's; 0 is for
    ever."""

    pk = models.CompositePrimaryKey("tenant_id", "namespace")
    tenant_id = models.UUIDField()
    namespace = models.CharField(max_length=200, blank=True)
    days = models.IntegerField()

    class Meta:
        db_table = "memory_retention"


class MemoryCapsuleRow(models.Model):
    """A version of a memory capsule, as it was signed. The database refuses any change but the mark of its
    revocation. Contents are not here: they are memories, and gone once the version is revoked."""

    pk = models.CompositePrimaryKey("tenant_id", "capsule_id", "version")
    tenant_id = models.UUIDField()
    capsule_id = models.UUIDField()
    version = models.IntegerField()
    name = models.CharField(max_length=200)
    issuer = models.CharField(max_length=64)
    policy_hash = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    manifest = models.BinaryField()
    signature = models.BinaryField()
    size = models.IntegerField()
    blocks = models.IntegerField()
    uploaded_at = models.DateTimeField()
    uploaded_by = models.UUIDField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.UUIDField(null=True)
    revocation_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "memory_capsule"


class CapsuleIssuerRow(models.Model):
    """A public key whose memory capsules a tenant takes, beside the installation's own."""

    pk = models.CompositePrimaryKey("tenant_id", "public_key")
    tenant_id = models.UUIDField()
    public_key = models.CharField(max_length=64)
    label = models.CharField(max_length=200, blank=True)
    trusted_at = models.DateTimeField()
    trusted_by = models.UUIDField()

    class Meta:
        db_table = "memory_capsule_issuer"


class LearnedRankingRow(models.Model):
    """How an agent ranks a namespace's memories: a RankingState, as of the checkpoint `sequence`. The
    namespace "" stands for what the agent has learned in all of them."""

    pk = models.CompositePrimaryKey("tenant_id", "agent_id", "namespace")
    tenant_id = models.UUIDField()
    agent_id = models.CharField(max_length=200)
    namespace = models.CharField(max_length=200)
    state = models.BinaryField()
    sequence = models.BigIntegerField()

    class Meta:
        db_table = "learned_ranking"


class RankingVersionRow(models.Model):
    """A RankingState that a checkpoint came with; empty where one was taken away."""

    pk = models.CompositePrimaryKey("tenant_id", "agent_id", "namespace", "sequence")
    tenant_id = models.UUIDField()
    agent_id = models.CharField(max_length=200)
    namespace = models.CharField(max_length=200)
    sequence = models.BigIntegerField()
    state = models.BinaryField()

    class Meta:
        db_table = "learned_ranking_version"


class ConstitutionRow(models.Model):
    """A constitution that agents of the tenant learn, or have learned, under. The latest that was adopted and
    not revoked is in force."""

    pk = models.CompositePrimaryKey("tenant_id", "hash")
    tenant_id = models.UUIDField()
    hash = models.CharField(max_length=128)
    adopted_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "learning_constitution"
