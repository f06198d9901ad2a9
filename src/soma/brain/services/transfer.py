"""A user's namespaces as JSON Lines, written and read."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from uuid import UUID

from soma.base.errors import InvalidInput
from soma.brain.domain.guard import refusal
from soma.brain.domain.owned_namespace import owned_namespace
from soma.brain.domain.remember import RememberItem
from soma.brain.domain.session import session_of
from soma.brain.ports import Embedder
from soma.brain.services.analyse import Text, analyse
from soma.brain.services.frames import fill_frames
from soma.brain.services.guard import Guard
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
        tenant_id: UUID,
        owner_id: UUID,
        name: str,
    ) -> None:
        self._guard = guard
        self._import = memory.transfer.importing(
            tenant_id,
            owned_namespace(owner_id, name),
            embedder.embed,
            analyse=partial(passages, embedder),
            admit=self._admit,
        )
        self._memory = memory
        self._tenant_id = tenant_id
        self._namespace = owned_namespace(owner_id, name)
        self._keys = list[str]()

    def check(self, lines: Iterable[bytes]) -> None:
        """Raise InvalidInput naming the first of `lines` that could not be taken, and store nothing."""
        self._import.check(lines)

    def take(self, lines: Iterable[bytes]) -> Imported:
        """Store what `lines` say; what became of all the lines so far. Raises RememberUnavailable,
        InvalidInput naming the line."""
        self._keys.clear()
        with writing():
            done = self._import.run(lines)
            fill_frames(self._memory, self._tenant_id, self._namespace, self._keys)
        return done

    def _admit(self, record: MemoryRecord) -> None:
        _admit(self._guard, record)
        self._keys.append(record.key)


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


def _admit(guard: Guard, record: MemoryRecord) -> None:
    """Raise InvalidInput for what could not have been remembered as it is."""
    item = RememberItem(
        namespace=record.namespace,
        key=record.key,
        content=record.content,
        role=record.role,
        occurred_at=record.occurred_at,
        importance=record.importance,
        speaker=record.speaker,
        provenance=record.provenance,
    )
    refused = refusal(item)
    if refused is not None:
        raise InvalidInput(refused.detail)
    if found := guard.personal_data(item):
        raise InvalidInput(f"It holds personal data that memory does not keep as it is: {', '.join(found)}")
