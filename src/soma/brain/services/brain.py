"""The brain: recall, remember, learn."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from soma.base.crypto import SigningKey
from soma.base.database import tenant_transaction
from soma.base.phases import PhaseObserver, Unobserved
from soma.base.tenancy import Principal
from soma.brain.domain.analysis import Analysis
from soma.brain.domain.calibration import Calibration, EvidenceMark
from soma.brain.domain.capsule_limits import CapsuleLimits
from soma.brain.domain.checkpoint import ChainReport, Checkpoint
from soma.brain.domain.density import Density
from soma.brain.domain.evidence_feedback import EvidenceFeedback, EvidenceLearning
from soma.brain.domain.feedback import Feedback
from soma.brain.domain.frame_question import FrameAnswers, FrameQuestion
from soma.brain.domain.late_feedback import LateFeedback, LateLearning
from soma.brain.domain.learned_report import LearnedReport
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.learning import Learning
from soma.brain.domain.learning_settings import LearningSettings
from soma.brain.domain.memory import Memory, NamespaceSize
from soma.brain.domain.owned_namespace import DEFAULT
from soma.brain.domain.recall import Recall, RecallRequest
from soma.brain.domain.remember import Remembered, RememberItem
from soma.brain.domain.segment import Segment
from soma.brain.domain.turn_line import TurnLine
from soma.brain.domain.working import WorkingItem, WorkingSettings
from soma.brain.ports import DocumentReader, Embedder
from soma.brain.services import working_rows
from soma.brain.services.apply_feedback import apply_feedback
from soma.brain.services.ask_frame import ask_frame
from soma.brain.services.calibration import calibration, mark_evidence
from soma.brain.services.capsule_memory import CapsuleMemory
from soma.brain.services.checkpoint import checkpoint
from soma.brain.services.consolidate import REMEMBER_REQUESTED, Consolidation
from soma.brain.services.constitutions import adopt_constitution, revoke_constitution
from soma.brain.services.credit_evidence import credit_evidence
from soma.brain.services.density import density, keep_density, update_density
from soma.brain.services.documents.library import Documents
from soma.brain.services.forget import forget, forget_conversation
from soma.brain.services.guard import Guard
from soma.brain.services.hold import hold
from soma.brain.services.late_feedback import late_feedback
from soma.brain.services.learned_report import learned_report
from soma.brain.services.learned_state import learned_state, standing_state
from soma.brain.services.memory_capsules import MemoryCapsules
from soma.brain.services.memory_links import MemoryLinks
from soma.brain.services.memory_policy import consolidation_principal
from soma.brain.services.own_memory import forget_namespace, forget_own, get_own, namespaces
from soma.brain.services.passage_filler import PassageFiller
from soma.brain.services.recall import recall
from soma.brain.services.remember import remember
from soma.brain.services.retention import ALL, apply_retention, keep_for
from soma.brain.services.retention_worker import RetentionWorker
from soma.brain.services.rollback import rollback
from soma.brain.services.segments import present_segment
from soma.brain.services.transfer import MemoryImport, export_own
from soma.brain.services.turn_line import turn_line
from soma.brain.services.verify_checkpoints import verify_checkpoints
from soma.brain.services.watch_regret import watch_regret
from soma.events.api import Consumer, Event, Letter, dead_letters, retry_dead_letter
from soma.fractalmemory.api import FractalMemory

CONSOLIDATION = "brain.consolidation"
"""The name that consolidation's offsets and dead letters are kept under."""


class Brain:
    """One brain for all tenants and agents of a process. Safe to call from several threads.

    `links` are those between memories; they, `recall`, `remember` and `forget` open transactions of their
    own. What learns is called inside the caller's open tenant transaction, so that it commits or fails with
    the iteration that it belongs to.
    """

    def __init__(
        self,
        memory: FractalMemory,
        embedder: Embedder,
        *,
        guard: Guard | None = None,
        retention_days: int = 0,
        working: WorkingSettings | None = None,
        learning: LearningSettings | None = None,
        key: SigningKey | None = None,
        observer: PhaseObserver | None = None,
    ) -> None:
        """`guard` decides what may be remembered; without one nobody is asked who may write, and what would
        be hashed is refused, for there is no key. `retention_days` is how long memories are kept for which
        `keep_for` says nothing; 0 is for ever. `working` bounds the working memory of each conversation;
        `learning` says what agents learn from; `key` signs the checkpoints of it; `observer` is told of
        consolidation."""
        if memory.dimensions != embedder.dimensions:
            raise ValueError(
                f"{embedder.name} gives vectors of {embedder.dimensions}, not {memory.dimensions}"
            )
        self._memory = memory
        self._embedder = embedder
        self._guard = guard or Guard()
        self._retention_days = retention_days
        self._retention = RetentionWorker(self.apply_retention)
        self._filler = PassageFiller(memory, embedder)
        memory.follow(partial(keep_density, memory))
        self._working = working or WorkingSettings()
        self._learning = learning or LearningSettings()
        self._key = key
        self._consolidation = Consolidation(
            memory=memory, embedder=embedder, guard=self._guard, observer=observer or Unobserved()
        )
        self.links = MemoryLinks(memory)

    @property
    def analysis(self) -> Analysis:
        """How far the analysis of what was stored without one is."""
        return self._filler.analysis

    def start(self) -> None:
        """Let what is remembered be indexed in the background, as large namespaces and Milvus need it, what
        was stored without an analysis be analysed, the density matrices of namespaces follow, and what is
        past its time be deleted."""
        self._memory.start()
        self._filler.start()
        self._retention.start()

    def stop(self) -> None:
        """End that."""
        self._retention.stop()
        self._filler.stop()
        self._memory.stop()

    def recall(self, request: RecallRequest) -> Recall:
        """What memory knows that bears on the query. Nothing found is an answer with no evidence.

        Raises RecallUnavailable if memory could not be asked, InvalidInput for an empty query or a top_k
        below 1, LimitExceeded for one above 100. Of `capsule_ids`, NotFound for what there is not, and
        CapsuleConflict for what is revoked.
        """
        asked = self._guard.veiled(request)
        if asked.capsule_ids:
            # What a conversation has at hand is in no capsule.
            alone = replace(asked, conversation_id=None)
            return recall(CapsuleMemory(self._memory, asked.capsule_ids), self._embedder, alone)
        return recall(self._memory, self._embedder, asked)

    def remember(
        self, tenant_id: UUID, items: Sequence[RememberItem], *, principal: Principal | None = None
    ) -> Remembered:
        """Store a batch in one transaction: what the guard refuses is left out with its reason, what memory
        holds already is not stored again. The same batch again changes nothing. The policy decides whether
        `principal` may write it; without one the installation itself does.

        Raises RememberUnavailable; then nothing of the batch is stored.
        """
        return remember(
            self._memory, self._embedder, tenant_id, items, guard=self._guard, principal=principal
        )

    def ask_frame(self, question: FrameQuestion) -> FrameAnswers:
        """What fills the wanted role of events of which some roles are known, each answer with the memories
        that tell it. Nothing that no stored frame says is an answer; none is an answer, too.

        Raises RecallUnavailable if memory could not be asked.
        """
        return ask_frame(self._memory, question)

    def density(self, tenant_id: UUID, namespace: str) -> Density | None:
        """The density matrix by which what is read from superpositions of `namespace` is weighed, as far as
        it has come; None where there is none yet."""
        with tenant_transaction(tenant_id):
            return density(tenant_id, namespace)

    def update_density(self, tenant_id: UUID, namespace: str, *, rebuild: bool = False) -> Density | None:
        """Bring it up to date at once, if it is due; with `rebuild` from what stands now, so that nothing of
        what was deleted is left in it. None where the namespace holds nothing."""
        return update_density(self._memory, tenant_id, namespace, rebuild=rebuild)

    def documents(self, reader: DocumentReader) -> Documents:
        """Documents that are read by `reader` and remembered here; start and stop them beside the brain."""
        return Documents(self._memory, self._embedder, reader, self._guard)

    def memory_capsules(self, key: SigningKey, limits: CapsuleLimits) -> MemoryCapsules:
        """Its memory capsules, those that are made here signed with `key`."""
        return MemoryCapsules(self._memory, self._embedder, key, limits, self._guard)

    def consolidation(self) -> Consumer:
        """The consumer that remembers what turns leave behind: see soma.brain.services.consolidate."""
        return Consumer(name=CONSOLIDATION, types=(REMEMBER_REQUESTED,), handler=self._consolidation.handle)

    def dead_letters(self, tenant_id: UUID, *, limit: int = 50) -> list[Letter]:
        """What of the tenant's could not be remembered and was given up, with the reasons, the latest first.
        Raises LimitExceeded for more than 200."""
        return dead_letters(tenant_id, source=CONSOLIDATION, limit=limit)

    def retry_dead_letter(self, tenant_id: UUID, letter_id: UUID) -> Letter:
        """Have one of them remembered after all, by whichever process consolidates. Raises NotFound."""
        return retry_dead_letter(tenant_id, letter_id, source=CONSOLIDATION)

    def hold(self, requested: Event, *, novelty: float, used: Collection[UUID]) -> None:
        """Take the items of a turn's `memory.remember_requested` event into the working memory of its
        conversation, as far as they are salient and there is room: at hand from the commit on, before
        consolidation comes to them. Inside the caller's transaction, which publishes the event.

        `novelty` is what the turn's recall told; `used` are the ids of the evidence that the turn went by,
        which stays longer for it. The same turn again, right after itself, changes nothing.
        """
        hold(requested, novelty=novelty, used=used, guard=self._guard, settings=self._working)

    def working(self, tenant_id: UUID, conversation_id: UUID) -> tuple[WorkingItem, ...]:
        """What the conversation has at hand, oldest first."""
        with tenant_transaction(tenant_id):
            return working_rows.items(tenant_id, conversation_id)

    def segment(self, tenant_id: UUID, conversation_id: UUID) -> Segment | None:
        """The subject that the conversation is at, as of its last turn that was consolidated; None before the
        first."""
        return present_segment(tenant_id, conversation_id)

    def forget(self, tenant_id: UUID, record_ids: Sequence[UUID]) -> int:
        """Delete memories for good, in both layers, content and vector, and what of them still waits to be
        consolidated; how many there were. An id is one that evidence was shown with."""
        with tenant_transaction(tenant_id):
            return forget(self._memory, tenant_id, record_ids)

    def forget_conversation(self, tenant_id: UUID, namespace: str, conversation_id: UUID) -> int:
        """Delete all that is remembered of a conversation, in both layers, and what of it still waits to be
        consolidated; how many memories there were. What is said in it from now on is remembered."""
        with tenant_transaction(tenant_id):
            return forget_conversation(self._memory, tenant_id, namespace, conversation_id)

    def get(self, tenant_id: UUID, owner_id: UUID, record_ids: Sequence[UUID]) -> list[Memory]:
        """Those of `record_ids` that are the owner's, in order. Raises RecallUnavailable."""
        return get_own(self._memory, tenant_id, owner_id, record_ids)

    def forget_own(self, tenant_id: UUID, owner_id: UUID, record_ids: Sequence[UUID]) -> int:
        """Delete those of `record_ids` that are the owner's, for good; how many there were. Raises
        RememberUnavailable."""
        return forget_own(self._memory, tenant_id, owner_id, record_ids)

    def forget_namespace(
        self, tenant_id: UUID, owner_id: UUID, name: str, *, before: datetime | None = None
    ) -> int:
        """Delete what the owner's namespace `name` holds, or what of it happened before a moment, some
        hundreds in a transaction; how many there were. Raises RememberUnavailable, InvalidInput."""
        return forget_namespace(self._memory, tenant_id, owner_id, name, before)

    def namespaces(self, tenant_id: UUID, owner_id: UUID) -> list[NamespaceSize]:
        """The owner's namespaces that hold something, by name. Raises RecallUnavailable."""
        return namespaces(self._memory, tenant_id, owner_id)

    def export(
        self, tenant_id: UUID, owner_id: UUID, name: str = DEFAULT, *, vectors: bool = False
    ) -> Iterator[bytes]:
        """The owner's namespace `name` as JSON Lines, each with its line feed: a header, memories, links.
        Pages are read as they are asked for, a transaction each. With `vectors` it can be imported without a
        model. Raises InvalidInput, and while it is read RecallUnavailable."""
        return export_own(self._memory, tenant_id, owner_id, name, vectors=vectors)

    def importing(
        self, tenant_id: UUID, owner_id: UUID, name: str = DEFAULT, *, principal: Principal | None = None
    ) -> MemoryImport:
        """An import of such lines into the owner's namespace `name`, by the rules of `remember`, also on who
        may write. Raises InvalidInput."""
        writer = principal or consolidation_principal(tenant_id)
        return MemoryImport(self._memory, self._embedder, self._guard, writer, owner_id, name)

    def mark_evidence(
        self, tenant_id: UUID, namespace: str, turn_id: UUID, marks: Sequence[EvidenceMark]
    ) -> int:
        """Say which memories that a turn, or a query with an id of its own, recalled from `namespace` were
        relevant. How many marks are new or other than before: the same again changes nothing, and what is no
        memory of the namespace is left out. Confidence is fitted anew where enough marks have come. Inside
        the caller's transaction, which may hold the namespace's calibrator until it commits.

        Raises InvalidInput for a mark without a similarity, LimitExceeded for more than 1,000.
        """
        return mark_evidence(self._memory, tenant_id, namespace, turn_id, marks)

    def calibration(self, tenant_id: UUID, namespace: str) -> Calibration:
        """How the confidence of what is recalled from `namespace` is told, and how right it has been."""
        with tenant_transaction(tenant_id):
            return calibration(tenant_id, namespace)

    def keep_for(self, tenant_id: UUID, days: int | None, *, namespace: str = ALL) -> None:
        """Keep the memories of `namespace`, or all of the tenant's, for `days` from what they tell of; 0 is
        for ever, None takes the rule back. A namespace's own rule goes before the tenant's, that before the
        installation's. Raises InvalidInput."""
        keep_for(tenant_id, namespace, days)

    def apply_retention(self, as_of: datetime) -> int | None:
        """Delete what is past its time at `as_of`, of all tenants, for good; how many memories. None if
        another process is at it."""
        return apply_retention(self._memory, as_of, self._retention_days)

    def learned_state(
        self, tenant_id: UUID, agent_id: str, baseline: LearnedState, *, turn_id: UUID | None = None
    ) -> LearnedState:
        """Where the agent stands, or, with a `turn_id` that has learned something, where that turn stands.

        An agent that nobody has seen begins at `baseline`, its capsule's. Inside the caller's transaction.
        """
        return learned_state(tenant_id, agent_id, baseline, turn_id)

    def standing_state(self, tenant_id: UUID, agent_id: str) -> LearnedState | None:
        """Where the agent stands, or None if it has not begun, which this does not change. Inside the
        caller's transaction."""
        return standing_state(tenant_id, agent_id)

    def apply_feedback(self, feedback: Feedback) -> Learning:
        """Learn from one iteration of a turn; again for the same (turn, iteration) gives the same Learning
        and changes nothing. Inside the caller's transaction.

        A turn learns on a line of its own, which starts where the agent stands at its first feedback: what
        it sees is its own, its replay needs nobody else's, and concurrent turns do not wait for each other.
        `checkpoint` adds the line to the agent. Raises FeedbackOutOfOrder.
        """
        return apply_feedback(feedback, self._learning.signal)

    def checkpoint(
        self, tenant_id: UUID, agent_id: str, turn_id: UUID, *, evidence: EvidenceFeedback | None = None
    ) -> Checkpoint:
        """Add what a turn has learned to its agent, as the next link of its chain; call it in the turn's last
        transaction, however the turn ends. Again for the same turn adds nothing. Inside the caller's
        transaction, which holds the agent's row until it commits. `evidence` says which of the evidence the
        turn's answer used: how the namespace is ranked learns from it with the same checkpoint.

        A turn that was alone moves the agent to where its line ends, bit for bit. If others came in between,
        its feedbacks are learned again from where the agent stands now. Raises NotFound for an agent that
        has not begun.

        Where the last turns went worse than the best before them, the agent is returned to where those left
        it, by a checkpoint of its own: see LearningSettings.watch.
        """
        made = checkpoint(tenant_id, agent_id, turn_id, evidence, self._key)
        watch_regret(tenant_id, agent_id, self._learning.watch, self._key)
        return made

    def late_feedback(self, given: LateFeedback) -> LateLearning:
        """Learn from what somebody said of a turn after it had ended, from where the agent stands now, and
        from what it says of the evidence, as one checkpoint. It follows the prediction error, whatever is
        configured: the raw signal knows nothing of what users say. Again under the same `source_id` changes
        nothing. Inside the caller's transaction, which holds the agent's row."""
        return late_feedback(given, self._key)

    def credit_evidence(self, feedback: EvidenceFeedback) -> EvidenceLearning:
        """Learn from what was said of a question's evidence how the namespace is to be ranked, as the agent's
        next checkpoint; again under the same `source_id` changes nothing. Inside the caller's transaction,
        which holds the agent's row until it commits."""
        return credit_evidence(feedback, self._key)

    def learned_report(self, tenant_id: UUID, agent_id: str, *, checkpoints: int = 20) -> LearnedReport:
        """Where the agent stands, its latest `checkpoints` (1 to 500), and how it ranks its namespaces.
        Inside the caller's transaction. Raises InvalidInput, LimitExceeded."""
        return learned_report(tenant_id, agent_id, checkpoints=checkpoints)

    def rollback(
        self,
        tenant_id: UUID,
        agent_id: str,
        *,
        turn_id: UUID | None = None,
        sequence: int | None = None,
        by: Principal | None = None,
    ) -> Checkpoint:
        """Return the agent to where a turn, or the checkpoint `sequence`, left it, as a new checkpoint that
        names the old one: weights, neuromodulators, and how it ranks. Nothing is lost: one can return from
        there. Inside the caller's transaction. `by` asked for it.

        Raises NotFound, and Denied where that was learned under a constitution that is revoked.
        """
        return rollback(tenant_id, agent_id, turn_id=turn_id, sequence=sequence, by=by, key=self._key)

    def adopt_constitution(self, tenant_id: UUID, hash_: str) -> None:
        """From now on the tenant's agents learn under the constitution with this hash, 64 to 128 hex digits:
        their checkpoints carry it. Inside the caller's transaction. Raises Conflict for one that was
        revoked, InvalidInput for no such hash."""
        adopt_constitution(tenant_id, hash_)

    def revoke_constitution(self, tenant_id: UUID, hash_: str) -> None:
        """From now on no agent returns to what was learned under this constitution; the one adopted before,
        if any, is in force again. Inside the caller's transaction. Raises NotFound."""
        revoke_constitution(tenant_id, hash_)

    def turn_line(self, tenant_id: UUID, turn_id: UUID) -> TurnLine:
        """What is kept of a turn's learning. Inside the caller's transaction."""
        return turn_line(tenant_id, turn_id)

    def verify_checkpoints(self, tenant_id: UUID, agent_id: str) -> ChainReport:
        """Recompute the agent's chain of checkpoints, and verify its signatures where there is a key. Inside
        the caller's transaction. Raises NotFound."""
        return verify_checkpoints(tenant_id, agent_id, None if self._key is None else self._key.public)
