"""Reading a namespace from JSON Lines."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, islice
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput
from soma.base.ids import new_id
from soma.fractalmemory.domain.imported import Imported
from soma.fractalmemory.domain.link import Link, LinkKey
from soma.fractalmemory.domain.record import IndexedRecord, MemoryRecord
from soma.fractalmemory.domain.selection import Selection
from soma.fractalmemory.domain.transfer_line import LinkLine, RecordLine, read_line
from soma.fractalmemory.domain.upsert import Outcome, Upserted
from soma.fractalmemory.domain.usage import Quotas
from soma.fractalmemory.errors import WrongDimensions
from soma.fractalmemory.ports import LinkStore, VectorStore
from soma.fractalmemory.services.fill_passages import Analyse
from soma.fractalmemory.services.store_records import UNLIMITED, check_dimensions, store_records

PAGE = 500

ROUNDING = 0.01
"""So far may half precision take a vector's length from 1, and ten times as far."""

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Vectors of shape (n, d) for n texts."""

Admit = Callable[[MemoryRecord], None]
"""Raises InvalidInput for a memory that may not be stored."""


class NamespaceImport:
    """One import under way. A page of lines is a transaction: an import that fails has stored the pages
    before, and the same lines again finish it."""

    def __init__(
        self,
        store: VectorStore,
        links: LinkStore,
        tenant_id: UUID,
        namespace: str,
        embed: Embed,
        *,
        analyse: Analyse | None = None,
        admit: Admit | None = None,
        quotas: Quotas = UNLIMITED,
    ) -> None:
        self._store = store
        self._links = links
        self._tenant_id = tenant_id
        self._namespace = namespace
        self._embed = embed
        self._analyse = analyse
        self._admit = admit
        self._numbers = count(1)
        self._quotas = quotas
        self._elsewhere: dict[str, UUID] = {}  # memories that stand under another key than the lines name
        self._outcomes: Counter[Outcome] = Counter()
        self._linked = 0

    def run(self, lines: Iterable[bytes]) -> Imported:
        """See MemoryTransfer.import_lines."""
        read = self._read(lines, self._numbers)
        while page := list(islice(read, PAGE)):
            self._store_records([line for line in page if isinstance(line, RecordLine)])
            self._store_links([line for line in page if isinstance(line, LinkLine)])
        return Imported(
            stored=self._outcomes[Outcome.STORED],
            updated=self._outcomes[Outcome.UPDATED],
            unchanged=self._outcomes[Outcome.UNCHANGED],
            duplicates=self._outcomes[Outcome.DUPLICATE],
            links=self._linked,
        )

    def check(self, lines: Iterable[bytes]) -> None:
        """Raise what `run` would raise for these lines by themselves, and store nothing."""
        for _ in self._read(lines, count(1)):
            pass

    def _read(self, lines: Iterable[bytes], numbers: Iterator[int]) -> Iterator[RecordLine | LinkLine]:
        for data, number in zip(lines, numbers, strict=False):
            if not data.strip():
                continue
            try:
                line = self._admitted(read_line(data, record_id=new_id(), namespace=self._namespace))
            except WrongDimensions as error:
                raise WrongDimensions(f"Line {number}: {error.detail}", line=number) from error
            except InvalidInput as error:
                raise InvalidInput(f"Line {number}: {error.detail}", line=number) from error
            if line is not None:
                yield line

    def _admitted(self, line: RecordLine | LinkLine | None) -> RecordLine | LinkLine | None:
        if isinstance(line, RecordLine) and line.vector is not None:
            check_dimensions(self._store, line.vector.shape)
            _check_length(line.vector)
        if isinstance(line, RecordLine) and self._admit is not None:
            self._admit(line.record)
        return line

    def _store_records(self, lines: Sequence[RecordLine]) -> None:
        if not lines:
            return
        batch = self._with_vectors(lines)
        with tenant_transaction(self._tenant_id):
            upserted = store_records(self._store, self._tenant_id, batch, self._quotas)
        self._note(upserted)

    def _with_vectors(self, lines: Sequence[RecordLine]) -> list[IndexedRecord]:
        texts = [line.record.content for line in lines if line.vector is None]
        made = iter(self._embed(texts)) if texts else iter(())
        records = [line.record for line in lines]
        passages = [None] * len(records) if self._analyse is None else self._analyse(records)
        return [
            IndexedRecord(
                record=line.record, vector=next(made) if line.vector is None else line.vector, passage=passage
            )
            for line, passage in zip(lines, passages, strict=True)
        ]

    def _note(self, upserted: Sequence[Upserted]) -> None:
        self._outcomes.update(each.outcome for each in upserted)
        duplicates = [each for each in upserted if each.outcome is Outcome.DUPLICATE]
        self._elsewhere.update({each.key: each.id for each in duplicates})

    def _store_links(self, lines: Sequence[LinkLine]) -> None:
        if not lines:
            return
        keys = tuple({key for line in lines for key in (line.source, line.target)})
        with tenant_transaction(self._tenant_id):
            named = Selection(namespace=self._namespace, keys=keys)
            records = self._store.select(self._tenant_id, named, after=None, limit=len(keys))
            ids = self._elsewhere | {record.key: record.id for record in records}
            links = [_link(line, ids) for line in lines if line.source in ids and line.target in ids]
            # Two memories of the same text are one here.
            between = [link for link in links if link.key.source_id != link.key.target_id]
            self._linked += self._links.link(self._tenant_id, between)


def _check_length(vector: NDArray[np.float32]) -> None:
    """Raise InvalidInput unless `vector` (d,) is a direction: one of length 0 has no cosine to anything."""
    length = float(np.linalg.norm(vector))
    if abs(length - 1.0) > ROUNDING:
        raise InvalidInput(f"The vector has the length {length:.3g}; it takes 1")


def _link(line: LinkLine, ids: dict[str, UUID]) -> Link:
    return Link(
        key=LinkKey(source_id=ids[line.source], target_id=ids[line.target], kind=line.kind),
        conductance=line.conductance,
        created_at=line.created_at,
        rest=line.rest,
        flow=line.flow,
    )
