"""Confidence as a namespace's marks of evidence say it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import connections

from soma.base.clock import now
from soma.base.database import APP
from soma.base.errors import LimitExceeded
from soma.brain.domain.calibration import Calibration, EvidenceMark, Marks, calibrated
from soma.brain.domain.calibrator import SHIPPED, Calibrator
from soma.brain.models import CalibratorRow, EvidenceMarkRow
from soma.fractalmemory.api import FractalMemory

KEPT_MARKS = 2_000
"""Of a namespace: the latest. So many tell the curve to a few hundredths, and are fitted in a few hundredths
of a second."""

MAX_BATCH = 1_000
REFIT_MARKS, REFIT_SHARE = 10, 0.1
"""A refit waits for so many new marks, or for such a share of those it was fitted on."""

MARK = """
    INSERT INTO evidence_mark (tenant_id, turn_id, record_id, namespace, cosine, relevant, marked_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (tenant_id, turn_id, record_id) DO UPDATE
    SET cosine = excluded.cosine, relevant = excluded.relevant, marked_at = excluded.marked_at
    WHERE (evidence_mark.cosine, evidence_mark.relevant) <> (excluded.cosine, excluded.relevant)
"""
"""SQL, because the ORM's upsert writes, and counts, rows that are the same already."""

STANDING = "SELECT calibrator FROM evidence_calibrator WHERE tenant_id = %s AND namespace = %s"
"""SQL, because every recall asks it."""


def standing_calibrator(tenant_id: UUID, namespace: str) -> Calibrator:
    """What turns cosines into confidences in `namespace`: the shipped curve where nothing was fitted."""
    with connections[APP].cursor() as cursor:
        cursor.execute(STANDING, [tenant_id, namespace])
        found = cursor.fetchone()
    return SHIPPED if found is None else Calibrator.from_dict(_document(found[0]))


def mark_evidence(
    memory: FractalMemory,
    tenant_id: UUID,
    namespace: str,
    turn_id: UUID,
    marks: Sequence[EvidenceMark],
    *,
    kept: int = KEPT_MARKS,
) -> int:
    """See Brain.mark_evidence. Of all marks of the namespace the latest `kept` stay."""
    if len(marks) > MAX_BATCH:
        raise LimitExceeded("marks", maximum=MAX_BATCH, actual=len(marks), unit="marks")
    known = {
        record.id
        for record in memory.get(tenant_id, [mark.record_id for mark in marks])
        if record.namespace == namespace
    }
    changed = _write(tenant_id, namespace, turn_id, [mark for mark in marks if mark.record_id in known])
    if changed:
        _refit(tenant_id, namespace, changed, kept)
    return changed


def calibration(tenant_id: UUID, namespace: str) -> Calibration:
    """See Brain.calibration."""
    row = CalibratorRow.objects.filter(tenant_id=tenant_id, namespace=namespace).first()
    return Calibration() if row is None else Calibration.from_dict(row.report, pending=row.pending)


def _write(tenant_id: UUID, namespace: str, turn_id: UUID, marks: Sequence[EvidenceMark]) -> int:
    changed, moment = 0, now()
    with connections[APP].cursor() as cursor:
        for mark in sorted(marks, key=lambda each: each.record_id):  # two writers wait in one order
            place = (tenant_id, turn_id, mark.record_id, namespace)
            cursor.execute(MARK, (*place, mark.cosine, mark.relevant, moment))
            changed += cursor.rowcount
    return changed


def _refit(tenant_id: UUID, namespace: str, changed: int, kept: int) -> None:
    fresh = CalibratorRow(
        tenant_id=tenant_id,
        namespace=namespace,
        calibrator=SHIPPED.to_dict(),
        report=Calibration().to_dict(),
        pending=0,
    )
    CalibratorRow.objects.bulk_create([fresh], ignore_conflicts=True)
    row = CalibratorRow.objects.select_for_update().get(tenant_id=tenant_id, namespace=namespace)
    row.pending += changed
    if row.pending >= max(REFIT_MARKS, REFIT_SHARE * row.report["marks"]):
        calibrator, report = calibrated(_kept(tenant_id, namespace, kept))
        row.calibrator, row.report, row.pending = calibrator.to_dict(), report.to_dict(), 0
    row.save(force_update=True)


def _kept(tenant_id: UUID, namespace: str, amount: int) -> Marks:
    """The latest marks; older ones are forgotten."""
    rows = EvidenceMarkRow.objects.filter(tenant_id=tenant_id, namespace=namespace)
    latest = rows.order_by("-marked_at", "-turn_id", "-record_id")
    oldest = latest.values_list("marked_at", flat=True)[amount - 1 : amount].first()
    if oldest is not None:
        rows.filter(marked_at__lt=oldest).delete()
    return Marks.of(sorted(latest.values_list("turn_id", "cosine", "relevant")[:amount]))


def _document(stored: Any) -> Any:
    """A JSON column as a plain cursor gives it: text."""
    return orjson.loads(stored) if isinstance(stored, str | bytes) else stored
