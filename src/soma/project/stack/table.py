"""Reports as a table for people."""

from collections.abc import Sequence

from rich.table import Table

from soma.project.stack.report import Report

COLORS = {"running": "green", "external": "green", "fetched": "green", "stopped": "dim", "not running": "dim"}


def table(reports: Sequence[Report]) -> Table:
    """A line each."""
    drawn = Table("server", "state", "address", "version", "answered in", "from", box=None, pad_edge=False)
    for report in reports:
        drawn.add_row(
            report.name,
            report.state,
            report.address,
            report.version,
            "" if report.latency_ms is None else f"{report.latency_ms:.1f} ms",
            report.how,
            style=COLORS.get(report.state, "red"),
        )
    return drawn
