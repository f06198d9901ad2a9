"""The public face of the brain."""

from soma.brain.domain.analysis import Analysis
from soma.brain.domain.calibration import Calibration, EvidenceMark, ReliabilityBin
from soma.brain.domain.capsule_fault import CapsuleFault
from soma.brain.domain.capsule_limits import MAX_CAPSULE_BLOCKS, MAX_CAPSULE_BYTES, CapsuleLimits
from soma.brain.domain.capsule_record import BlockSummary, CapsuleIssuer, CapsuleMetadata, CapsuleVersion
from soma.brain.domain.capsule_reference import CapsuleReference
from soma.brain.domain.capsule_sources import blocks_of_file
from soma.brain.domain.capsule_verification import SignedCapsule
from soma.brain.domain.checkpoint import ChainReport, Checkpoint, CheckpointKind
from soma.brain.domain.density import Density
from soma.brain.domain.documents.document import Document, DocumentStatus, IngestRequest
from soma.brain.domain.documents.media_type import MediaType, media_type_named, media_type_of
from soma.brain.domain.documents.retrieval import Passage, Retrieved, RetrieveRequest
from soma.brain.domain.documents.unreadable import Reason, Unreadable
from soma.brain.domain.evidence_feedback import EvidenceFeedback, EvidenceLearning
from soma.brain.domain.feedback import Feedback, RewardParts, Signals
from soma.brain.domain.frame import Role
from soma.brain.domain.frame_question import FrameAnswer, FrameAnswers, FrameMethod, FrameQuestion
from soma.brain.domain.guard_decision import GuardDecision, Verdict
from soma.brain.domain.guard_settings import GuardSettings
from soma.brain.domain.late_feedback import LateFeedback, LateLearning
from soma.brain.domain.learned_report import LearnedRanking, LearnedReport
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.learning import Learning, learn
from soma.brain.domain.learning_settings import LearningSettings
from soma.brain.domain.learning_signal import LearningSignal
from soma.brain.domain.memory import Memory, NamespaceSize
from soma.brain.domain.memory_capsule import CapsuleBlock, MemoryCapsule
from soma.brain.domain.memory_link import GraphMetrics, LinkPage, MemoryLink, Resistance, WantedLink
from soma.brain.domain.modulation import Modulation
from soma.brain.domain.neuromodulators import Neuromodulators
from soma.brain.domain.owned_namespace import DEFAULT, NAMESPACE_PATTERN, owned_name, owned_namespace
from soma.brain.domain.personal.finding import PersonalData, Treatment
from soma.brain.domain.planner import Candidate, Estimate, Source, Suggestion, chance_of_relevance, suggest
from soma.brain.domain.provenance import RESERVED
from soma.brain.domain.pseudonym import Pseudonyms
from soma.brain.domain.ranking_credit import Judgement, Rollback
from soma.brain.domain.ranking_state import RankingState
from soma.brain.domain.recall import Evidence, Layer, Recall, RecallRequest
from soma.brain.domain.recall_filter import RecallFilter
from soma.brain.domain.regret import RegretSettings
from soma.brain.domain.remember import Kept, Refusal, RefusalReason, Remembered, RememberItem
from soma.brain.domain.segment import Segment
from soma.brain.domain.turn_line import TurnLine
from soma.brain.domain.usage import Usage, UsageTaken
from soma.brain.domain.utterance import UtteranceKind
from soma.brain.domain.weights import Weights
from soma.brain.domain.working import WorkingItem, WorkingSettings
from soma.brain.errors import (
    BrainError,
    CapsuleConflict,
    CapsuleIssuerUnknown,
    CapsuleQuotaExceeded,
    CapsuleRefused,
    CapsuleTooLarge,
    EmbedderUnavailable,
    FeedbackOutOfOrder,
    IngestStopped,
    LinksUnavailable,
    NeverRemembered,
    RecallUnavailable,
    RememberUnavailable,
)
from soma.brain.ports import DocumentReader, Embedder
from soma.brain.services.brain import Brain
from soma.brain.services.build_capsule import CapsulePlan
from soma.brain.services.documents.library import Documents
from soma.brain.services.documents.register import MAX_BYTES
from soma.brain.services.guard import Guard
from soma.brain.services.memory_capsules import MemoryCapsules
from soma.brain.services.memory_links import MemoryLinks
from soma.brain.services.memory_policy import MemoryPolicy
from soma.brain.services.transfer import MemoryImport
from soma.brain.services.upload_capsule import UploadedCapsule
from soma.fractalmemory.api import Imported

__all__ = [
    "DEFAULT",
    "MAX_BYTES",
    "MAX_CAPSULE_BLOCKS",
    "MAX_CAPSULE_BYTES",
    "NAMESPACE_PATTERN",
    "RESERVED",
    "Analysis",
    "BlockSummary",
    "Brain",
    "BrainError",
    "Calibration",
    "Candidate",
    "CapsuleBlock",
    "CapsuleConflict",
    "CapsuleFault",
    "CapsuleIssuer",
    "CapsuleIssuerUnknown",
    "CapsuleLimits",
    "CapsuleMetadata",
    "CapsulePlan",
    "CapsuleQuotaExceeded",
    "CapsuleReference",
    "CapsuleRefused",
    "CapsuleTooLarge",
    "CapsuleVersion",
    "ChainReport",
    "Checkpoint",
    "CheckpointKind",
    "Density",
    "Document",
    "DocumentReader",
    "DocumentStatus",
    "Documents",
    "Embedder",
    "EmbedderUnavailable",
    "Estimate",
    "Evidence",
    "EvidenceFeedback",
    "EvidenceLearning",
    "EvidenceMark",
    "Feedback",
    "FeedbackOutOfOrder",
    "FrameAnswer",
    "FrameAnswers",
    "FrameMethod",
    "FrameQuestion",
    "GraphMetrics",
    "Guard",
    "GuardDecision",
    "GuardSettings",
    "Imported",
    "IngestRequest",
    "IngestStopped",
    "Judgement",
    "Kept",
    "LateFeedback",
    "LateLearning",
    "Layer",
    "LearnedRanking",
    "LearnedReport",
    "LearnedState",
    "Learning",
    "LearningSettings",
    "LearningSignal",
    "LinkPage",
    "LinksUnavailable",
    "MediaType",
    "Memory",
    "MemoryCapsule",
    "MemoryCapsules",
    "MemoryImport",
    "MemoryLink",
    "MemoryLinks",
    "MemoryPolicy",
    "Modulation",
    "NamespaceSize",
    "Neuromodulators",
    "NeverRemembered",
    "Passage",
    "PersonalData",
    "Pseudonyms",
    "RankingState",
    "Reason",
    "Recall",
    "RecallFilter",
    "RecallRequest",
    "RecallUnavailable",
    "Refusal",
    "RefusalReason",
    "RegretSettings",
    "ReliabilityBin",
    "RememberItem",
    "RememberUnavailable",
    "Remembered",
    "Resistance",
    "RetrieveRequest",
    "Retrieved",
    "RewardParts",
    "Role",
    "Rollback",
    "Segment",
    "Signals",
    "SignedCapsule",
    "Source",
    "Suggestion",
    "Treatment",
    "TurnLine",
    "Unreadable",
    "UploadedCapsule",
    "Usage",
    "UsageTaken",
    "UtteranceKind",
    "Verdict",
    "WantedLink",
    "Weights",
    "WorkingItem",
    "WorkingSettings",
    "blocks_of_file",
    "chance_of_relevance",
    "learn",
    "media_type_named",
    "media_type_of",
    "owned_name",
    "owned_namespace",
    "suggest",
]
