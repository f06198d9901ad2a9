"""The density matrix of each namespace: kept up behind the writers, never by a reader."""

from dataclasses import replace
from uuid import UUID

import numpy as np
from django.db.models import F

from soma.base.database import tenant_transaction
from soma.brain.domain.density import RANK, Density, is_due, is_stale
from soma.brain.kernels.density.sketch import Sketch, absorb, empty
from soma.brain.models import DensitySketchRow
from soma.fractalmemory.api import ANY_NAMESPACE, FractalMemory, Place

PAGE = 2_000


def keep_density(memory: FractalMemory, tenant_id: UUID, namespace: str) -> None:
    """Bring the sketch of `namespace` up to date if it is due; of all the tenant's namespaces that have one
    for ANY_NAMESPACE, which stands for deletions. Opens transactions of its own."""
    if namespace != ANY_NAMESPACE:
        update_density(memory, tenant_id, namespace)
        return
    with tenant_transaction(tenant_id):
        kept = list(DensitySketchRow.objects.values_list("namespace", flat=True))
    for each in kept:
        update_density(memory, tenant_id, each)


def update_density(
    memory: FractalMemory, tenant_id: UUID, namespace: str, *, rebuild: bool = False
) -> Density | None:
    """Take into the sketch of `namespace` what was written since, or build it anew from what stands: with
    `rebuild`, or where it holds too much that is gone. None where the namespace holds nothing.

    No transaction is open while it computes. Of two at once, one is left without effect."""
    with tenant_transaction(tenant_id):
        row = DensitySketchRow.objects.filter(tenant_id=tenant_id, namespace=namespace).first()
        standing = memory.count(tenant_id, namespace)
    if not rebuild and not is_due(None if row is None else row.count, standing):
        return None if row is None else _density(row)
    sketch, place = (
        (empty(RANK, memory.dimensions), None) if rebuild or row is None else (_sketch(row), _place(row))
    )
    sketch, place = _absorbed(memory, tenant_id, namespace, sketch, place)
    with tenant_transaction(tenant_id):
        standing = memory.count(tenant_id, namespace)
    if is_stale(sketch.count, standing):
        sketch, place = _absorbed(memory, tenant_id, namespace, empty(RANK, memory.dimensions), None)
    return _write(tenant_id, namespace, row, sketch, place)


def standing_sketch(tenant_id: UUID, namespace: str, dimensions: int) -> Sketch:
    """The sketch of `namespace` as it stands, inside the caller's transaction; an empty one where there is
    none, by which whitened cosines are plain ones."""
    row = DensitySketchRow.objects.filter(tenant_id=tenant_id, namespace=namespace).first()
    return empty(RANK, dimensions) if row is None else _sketch(row)


def density(tenant_id: UUID, namespace: str) -> Density | None:
    """See Brain.density."""
    row = DensitySketchRow.objects.filter(tenant_id=tenant_id, namespace=namespace).first()
    return None if row is None else _density(row)


def _absorbed(
    memory: FractalMemory, tenant_id: UUID, namespace: str, sketch: Sketch, place: Place | None
) -> tuple[Sketch, Place | None]:
    """`sketch` with everything that was written behind `place`, and the new end."""
    while True:
        with tenant_transaction(tenant_id):
            page = memory.written(tenant_id, namespace, after=place, limit=PAGE)
        if page:
            sketch = absorb(sketch, np.stack([each.vector for each in page]))
            place = page[-1].place
        if len(page) < PAGE:
            return sketch, place


def _write(
    tenant_id: UUID, namespace: str, before: DensitySketchRow | None, sketch: Sketch, place: Place | None
) -> Density | None:
    """Put `sketch` in the place of `before`, unless somebody else has; what stands then."""
    with tenant_transaction(tenant_id):
        rows = DensitySketchRow.objects.filter(tenant_id=tenant_id, namespace=namespace)
        if place is None:
            rows.delete()
            return None
        fresh = _values(sketch, place)
        if before is None:
            first = DensitySketchRow(tenant_id=tenant_id, namespace=namespace, version=1, **fresh)
            DensitySketchRow.objects.bulk_create([first], ignore_conflicts=True)
        else:
            rows.filter(version=before.version).update(version=F("version") + 1, **fresh)
        row = rows.first()
        return None if row is None else _density(row)


def _values(sketch: Sketch, place: Place) -> dict[str, object]:
    return {
        "rank": sketch.rank,
        "dimensions": sketch.rows.shape[1],
        "rows": sketch.rows.astype("<f4").tobytes(),
        "count": sketch.count,
        "energy": sketch.energy,
        "lost": sketch.lost,
        "written_at": place.written_at,
        "record_id": place.record_id,
    }


def _sketch(row: DensitySketchRow) -> Sketch:
    rows = np.frombuffer(row.rows, "<f4").reshape(-1, row.dimensions).astype(np.float64)
    return replace(
        empty(row.rank, row.dimensions), rows=rows, count=row.count, energy=row.energy, lost=row.lost
    )


def _place(row: DensitySketchRow) -> Place:
    return Place(written_at=row.written_at, record_id=row.record_id)


def _density(row: DensitySketchRow) -> Density:
    return Density(rank=row.rank, count=row.count, energy=row.energy, lost=row.lost, version=row.version)
