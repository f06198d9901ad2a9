"""A user's namespaces as JSON Lines, written and read."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from uuid import UUID

from soma.base.errors import InvalidInput
from soma.base.tenancy import Principal
from soma.brain.domain.guard import refusal
from soma.brain.domain.owned_namespace import owned_namespace
from soma.brain.domain.remember import RememberItem
from soma.brain.domain.session import session_of
from soma.brain.ports import Embedder
from soma.brain.services.analyse import Text, analyse
from soma.brain.services.frames import fill_frames
from soma.brain.services.guard import Guard, written
from soma.brain.services.outage import asking, writing
from soma.fractalmemory.api import FractalMemory, Imported, MemoryRecord, Passage


class MemoryImport:
    """One import under way, a page of lines after the other. A page that fails has stored nothing; those
    before it stay, and the same lines again finish what was begun."""

    def __init__(
        self,
        memory: FractalMemory,
        embedder: Embedder,
        guard: Guard,
        writer: Principal,
        owner_id: UUID,
        name: str,
    ) -> None:
        self._guard = guard
        self._writer = writer
        self._permitted = set[tuple[str, str]]()
        self._import = memory.transfer.importing(
            writer.tenant_id,
            owned_namespace(owner_id, name),
            embedder.embed,
            analyse=partial(passages, embedder),
            admit=self._admit,
        )
        self._memory = memory
        self._namespace = owned_namespace(owner_id, name)
        self._keys = list[str]()

    def check(self, lines: Iterable[bytes]) -> None:
        """Raise InvalidInput naming the first of `lines` that could not be taken, or Denied, and store
        nothing. Raises RememberUnavailable if the policy could not be asked."""
        with writing():
            self._import.check(lines)

    def take(self, lines: Iterable[bytes]) -> Imported:
        """Store what `lines` say; what became of all the lines so far. Raises RememberUnavailable, Denied,
        InvalidInput naming the line."""
        self._keys.clear()
        with writing():
            done = self._import.run(lines)
            fill_frames(self._memory, self._writer.tenant_id, self._namespace, self._keys)
        return done

    def _admit(self, record: MemoryRecord) -> None:
        item = _item(record)
        _require_storable(self._guard, item)
        self._require_permitted(item)
        self._keys.append(record.key)

    def _require_permitted(self, item: RememberItem) -> None:
        """Raise Denied unless the policy lets the writer write `item`; it is asked once of each kind."""
        place = written(item)
        if place in self._permitted:
            return
        self._guard.require_permitted(self._writer.tenant_id, place, self._writer)
        self._permitted.add(place)


def export_own(
    memory: FractalMemory, tenant_id: UUID, owner_id: UUID, name: str, *, vectors: bool
) -> Iterator[bytes]:
    """See Brain.export."""
    namespace = owned_namespace(owner_id, name)
    lines = memory.transfer.export(tenant_id, namespace, called=name, vectors=vectors)
    return _asked(lines)


def passages(embedder: Embedder, records: Sequence[MemoryRecord]) -> list[Passage]:
    """The passage of each of `records`, in order. Raises EmbedderUnavailable."""
    texts = [Text(content=record.content, session=session_of(record.provenance)) for record in records]
    return [each.passage for each in analyse(embedder, texts)]


def _asked(lines: Iterator[bytes]) -> Iterator[bytes]:
    with asking():
        yield from lines


def _item(record: MemoryRecord) -> RememberItem:
    return RememberItem(
        namespace=record.namespace,
        key=record.key,
        content=record.content,
        role=record.role,
        occurred_at=record.occurred_at,
        importance=record.importance,
        speaker=record.speaker,
        provenance=record.provenance,
    )


def _require_storable(guard: Guard, item: RememberItem) -> None:
    """Raise InvalidInput for what could not have been remembered as it is."""
    refused = refusal(item)
    if refused is not None:
        raise InvalidInput(refused.detail)
    if found := guard.personal_data(item):
        raise InvalidInput(f"It holds personal data that memory does not keep as it is: {', '.join(found)}")
