"""The guard: what may become a memory, and in which form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from soma.base.errors import Denied
from soma.base.tenancy import Principal
from soma.brain.domain.echo import without_echo
from soma.brain.domain.guard import refusal
from soma.brain.domain.guard_decision import GuardDecision, Verdict
from soma.brain.domain.guard_settings import GuardSettings
from soma.brain.domain.importance import importance, worth
from soma.brain.domain.personal.detect import detect
from soma.brain.domain.personal.finding import Finding, PersonalData, Treatment
from soma.brain.domain.pseudonym import Pseudonyms
from soma.brain.domain.recall import RecallRequest
from soma.brain.domain.remember import RefusalReason, RememberItem
from soma.brain.domain.utterance import ASSISTANT, utterance_kind
from soma.brain.services.memory_policy import MemoryPolicy, Written

REPEATING_ROLES = frozenset({ASSISTANT, "tool"})
"""Who is given evidence, and may repeat it. What a person says again is theirs to say."""

Novelty = Callable[[RememberItem], float]
"""How far an item is from all that its namespace holds, in [0, 1]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """An item in the form in which it may be stored, and the decision; `reason` where it may not."""

    item: RememberItem
    decision: GuardDecision
    reason: RefusalReason | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Consolidated:
    """What is known of a turn whose items nobody asked to be remembered: the `evidence` that it was given."""

    evidence: tuple[str, ...]
    novelty: Novelty


class Guard:
    """Form, personal data, repeats, policy, worth: each item passes one after the other, and the first that
    objects decides. Safe to call from several threads.

    Without `pseudonyms` there is no key, and what is to be hashed is refused. Without a `policy` nobody is
    asked who may write: that is for whoever has asked already.
    """

    def __init__(
        self,
        *,
        policy: MemoryPolicy | None = None,
        pseudonyms: Pseudonyms | None = None,
        settings: GuardSettings | None = None,
    ) -> None:
        self._policy = policy
        self._pseudonyms = pseudonyms
        self._settings = settings or GuardSettings()
        self._treated = self._settings.treated

    def judge(
        self,
        tenant_id: UUID,
        items: Sequence[RememberItem],
        principal: Principal,
        turn: Consolidated | None = None,
    ) -> list[Judged]:
        """The decision on each of `items`, in their order. `turn`: nobody asked for them, so chatter and
        repeats are left out. Raises Unavailable if the policy could not be asked."""
        judged = [_formed(item) for item in items]
        judged = _each(judged, partial(self._cleared, tenant_id))
        if turn is not None:
            judged = _each(judged, partial(_original, evidence=turn.evidence))
        judged = self._permitted(tenant_id, judged, principal)
        if turn is not None:
            judged = _each(judged, partial(self._worthy, novelty=turn.novelty))
        return judged

    def cleared(self, tenant_id: UUID, item: RememberItem) -> Judged:
        """`item` by form and personal data alone, in the form in which it may be kept at hand: whether it is
        to be a memory is decided when it becomes one."""
        judged = _formed(item)
        return judged if judged.reason is not None else self._cleared(tenant_id, judged)

    def personal_data(self, item: RememberItem) -> list[PersonalData]:
        """The classes found in `item` that it may not be stored with as it is."""
        found: set[PersonalData] = set()
        values = [each for each in item.provenance.values() if isinstance(each, str)]
        for text in (item.content, item.key, item.speaker, item.session, *values):
            found |= {each.data for each in self._detect(text)}
        return sorted(found)

    def veiled(self, request: RecallRequest) -> RecallRequest:
        """`request` with the same tokens in its query that stand in memories, so that it finds them."""
        if self._pseudonyms is None:
            return request
        findings = self._detect(request.query)
        excluded = request.exclude_input_hash
        return replace(
            request,
            query=self._pseudonyms.replaced(request.tenant_id, request.query, findings),
            exclude_keyed_hash=excluded and self._pseudonyms.digest(request.tenant_id, excluded),
        )

    def denials(self, tenant_id: UUID, batch: Sequence[Written], principal: Principal) -> list[str | None]:
        """For each of `batch` why the policy has `principal` not write it, "rule: reason"; None where it has.
        Raises Unavailable if the policy could not be asked."""
        if self._policy is None or not batch:
            return [None] * len(batch)
        treatments = {data.value: self._treatment(data).value for data in PersonalData}
        return self._policy.denials(tenant_id, principal, batch, treatments)

    def require_permitted(self, tenant_id: UUID, place: Written, principal: Principal) -> None:
        """Raise Denied unless the policy has `principal` write memories of this kind there, Unavailable if it
        could not be asked."""
        [denial] = self.denials(tenant_id, [place], principal)
        if denial is not None:
            raise Denied("The policy does not let you remember this", reasons=[denial])

    def _cleared(self, tenant_id: UUID, judged: Judged) -> Judged:
        """With tokens for what is to be hashed, in every text of the item."""
        found: set[PersonalData] = set()
        veil = partial(self._veil, tenant_id, found)
        item = judged.item
        cleared = replace(
            item,
            content=veil(item.content),
            key=veil(item.key),
            speaker=veil(item.speaker),
            session=veil(item.session),
            provenance={name: _veiled(value, veil) for name, value in item.provenance.items()},
        )
        barred = sorted(each for each in found if self._treatment(each) is Treatment.REFUSE)
        if barred:
            detail = f"It holds personal data of a class that is not kept: {', '.join(barred)}"
            cleared = replace(cleared, content="", provenance={})
            return _refused(cleared, f"personal_data.{barred[0]}", RefusalReason.PERSONAL_DATA, detail)
        if not found or self._pseudonyms is None:
            return judged
        given = item.provenance.get("input_hash")
        # The digest of a message that is a card number only tells the number to whoever tries them all.
        keyed = {"input_hash": self._pseudonyms.digest(tenant_id, str(given))} if given else {}
        return _hashed(cleared, sorted(found), keyed)

    def _veil(self, tenant_id: UUID, found: set[PersonalData], text: str) -> str:
        """`text` with tokens for the classes that are hashed; adds all classes to `found`."""
        findings = self._detect(text)
        found |= {each.data for each in findings}
        if self._pseudonyms is None:
            return text
        return self._pseudonyms.replaced(tenant_id, text, findings) if findings else text

    def _detect(self, text: str) -> tuple[Finding, ...]:
        return detect(text, self._treated, region=self._settings.phone_region)

    def _treatment(self, data: PersonalData) -> Treatment:
        how = self._settings.treatment(data)
        return Treatment.REFUSE if how is Treatment.HASH and self._pseudonyms is None else how

    def _permitted(self, tenant_id: UUID, judged: Sequence[Judged], principal: Principal) -> list[Judged]:
        standing = [written(each.item) for each in judged if each.reason is None]
        decided = iter(self.denials(tenant_id, standing, principal))
        return [each if each.reason is not None else _unless(each, next(decided)) for each in judged]

    def _worthy(self, judged: Judged, *, novelty: Novelty) -> Judged:
        """Unless it is chatter. Memory is asked only where the text alone does not decide."""
        item, floor = judged.item, self._settings.floor
        score = importance(item.content)
        if score < floor <= worth(score, 1.0):
            score = worth(score, novelty(item))
        if score < floor:
            detail = f"It is worth {score:.2f}; what nobody asked to be remembered needs {floor:.2f}"
            refused = _refused(item, "salience.trivial", RefusalReason.TRIVIAL, detail)
            return replace(refused, decision=replace(refused.decision, importance=score))
        return replace(judged, decision=replace(judged.decision, importance=score))


def refused_by_quota(judged: Judged, limit: str, detail: str) -> Judged:
    """`judged`, for which there is no room by `limit`."""
    return _refused(judged.item, f"quota.{limit}", RefusalReason.QUOTA, detail)


def _each(judged: Sequence[Judged], stage: Callable[[Judged], Judged]) -> list[Judged]:
    return [stage(each) if each.reason is None else each for each in judged]


def _formed(item: RememberItem) -> Judged:
    why = refusal(item)
    if why is not None:
        stage = "recalled.whole" if why.reason is RefusalReason.RECALLED else f"form.{why.reason}"
        return _refused(item, stage, why.reason, why.detail)
    return Judged(item=item, decision=_decision(item, Verdict.STORE, "guard.passed", "No rule objects"))


def _hashed(item: RememberItem, found: Sequence[PersonalData], keyed: Mapping[str, str]) -> Judged:
    item = replace(item, provenance={**item.provenance, **keyed, "hashed": ",".join(found)})
    why = refusal(item)  # tokens may be longer than what they stand for
    if why is not None:
        return _refused(item, f"form.{why.reason}", why.reason, why.detail)
    detail = f"Tokens stand for: {', '.join(found)}"
    decision = _decision(item, Verdict.HASH, f"personal_data.{found[0]}", detail)
    return Judged(item=item, decision=replace(decision, hashed=tuple(found)))


def _original(judged: Judged, *, evidence: Sequence[str]) -> Judged:
    """Without what only repeats the evidence."""
    item = judged.item
    if item.role not in REPEATING_ROLES or not evidence:
        return judged
    left = without_echo(item.content, evidence)
    if not left.repeated:
        return judged
    if not left.content:
        detail = "It says nothing but what was recalled"
        return _refused(item, "recalled.whole", RefusalReason.RECALLED, detail)
    decision = replace(
        judged.decision,
        rule="recalled.part" if judged.decision.verdict is Verdict.STORE else judged.decision.rule,
        detail=f"{left.repeated} of {left.sentences} sentences were recalled, and are left out",
    )
    return Judged(item=replace(item, content=left.content), decision=decision)


def _unless(judged: Judged, denial: str | None) -> Judged:
    if denial is None:
        return judged
    rule, _, detail = denial.partition(": ")
    return _refused(judged.item, f"policy.{rule}", RefusalReason.POLICY, detail or denial)


def _refused(item: RememberItem, rule: str, reason: RefusalReason, detail: str) -> Judged:
    return Judged(item=item, decision=_decision(item, Verdict.REFUSE, rule, detail), reason=reason)


def _decision(item: RememberItem, verdict: Verdict, rule: str, detail: str) -> GuardDecision:
    return GuardDecision(namespace=item.namespace, key=item.key, verdict=verdict, rule=rule, detail=detail)


def written(item: RememberItem) -> Written:
    """The namespace that `item` is for, and its kind: what the policy goes by."""
    kind = item.provenance.get("kind") or utterance_kind(item.content, role=item.role)
    return item.namespace, str(kind)


def _veiled(value: object, veil: Callable[[str], str]) -> object:
    return veil(value) if isinstance(value, str) else value
