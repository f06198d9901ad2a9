"""The time."""

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from soma.agent.errors import ToolFailed
from soma.agent.ports import ToolContext
from soma.base import clock


class ClockTool:
    """Tells date and time, in UTC or in an IANA time zone."""

    name = "clock"

    async def execute(self, arguments: dict[str, Any], context: ToolContext) -> Any:
        """{"timezone": name, optional} -> {"now": text}. Raises ToolFailed for an unknown zone."""
        name = arguments.get("timezone", "UTC")
        try:
            zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ToolFailed(f"{name!r} is not a known time zone") from error
        return {"now": f"{clock.now().astimezone(zone):%A %d %B %Y, %H:%M:%S} {name}"}
