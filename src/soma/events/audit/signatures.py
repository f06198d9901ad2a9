"""The checkpoints met on the way along a chain."""

from uuid import UUID

from soma.events.audit.checkpoint import Checkpoint, key_id_of
from soma.events.audit.finding import Break, Fault, Part
from soma.events.audit.link import Link


class Signatures:
    """Checks a tenant's checkpoints in their order: signed with `public`, none left out, each the link that
    stands at its sequence. Those up to `start` are not met."""

    def __init__(self, tenant_id: UUID, public: bytes, *, start: Checkpoint | None = None) -> None:
        self._tenant_id = tenant_id
        self._public = public
        self._number = start.number if start else 0
        self.latest = start
        self.good = 0

    @property
    def proven(self) -> int:
        """The sequence up to which a signature vouches."""
        return self.latest.sequence if self.latest else 0

    def check(self, checkpoint: Checkpoint, link: Link | None) -> Break | None:
        """What is wrong with it, `link` being what stands at its sequence."""
        if not self.trusts(checkpoint):
            detail = f"it is not signed with the key {key_id_of(self._public)} for what it says"
            return _broken(checkpoint, Fault.CHANGED, Part.CHECKPOINT, detail)
        if checkpoint.number != self._number + 1:
            detail = f"checkpoint {checkpoint.number} follows {self._number}"
            fault = Fault.REMOVED if checkpoint.number > self._number else Fault.REORDERED
            return _broken(checkpoint, fault, Part.CHECKPOINT, detail)
        if link is not None and link.digest != checkpoint.digest:
            detail = (
                f"something after {self.proven} was changed, and the links after it, since this was signed"
            )
            return _broken(checkpoint, Fault.CHANGED, Part.EVENT, detail)
        self._number, self.latest, self.good = checkpoint.number, checkpoint, self.good + 1
        return None

    def trusts(self, checkpoint: Checkpoint) -> bool:
        """Whether it is the tenant's and rightly signed."""
        return checkpoint.tenant_id == self._tenant_id and checkpoint.signed_by(self._public)

    def ending(self, number: int, sequence: int) -> Break | None:
        """What is wrong with their end, there being `number` of them and `sequence` events."""
        if number == self._number:
            return None
        return Break(
            sequence=sequence,
            event_id=None,
            fault=Fault.REMOVED,
            part=Part.CHECKPOINT,
            detail=f"the last checkpoint there is has the number {number}; the last one good, {self._number}",
        )


def _broken(checkpoint: Checkpoint, fault: Fault, part: Part, detail: str) -> Break:
    return Break(
        sequence=checkpoint.sequence, event_id=checkpoint.event_id, fault=fault, part=part, detail=detail
    )
