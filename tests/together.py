"""Which tests a parallel run keeps together, and which it begins with."""

from collections import defaultdict

import pytest
from xdist.scheduler import LoadScopeScheduling

ONE_AT_A_TIME = ("tests/policy/relations/",)
"""Directories whose files are not to run at once. A store of relations that begins brings every tenant of the
database level on its SpiceDB, and so parts them from the SpiceDB of another test."""


class Together(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """The tests of a file stay with one worker, so that what they share is made once."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Together:
    """For `pytest -n`: whole groups, in the order in which they were collected."""
    config.option.loadscopereorder = False
    return Together(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a parallel run, begin with what may take longest: begun last, one worker would be at it alone."""
    if not hasattr(config, "workerinput"):
        return
    longest: defaultdict[str, float] = defaultdict(float)
    for item in items:
        group = _group(item.nodeid)
        longest[group] = max(longest[group], _limit(item))
    items.sort(key=lambda item: -longest[_group(item.nodeid)])


def _group(nodeid: str) -> str:
    file = nodeid.partition("::")[0]
    return next((each for each in ONE_AT_A_TIME if file.startswith(each)), file)


def _limit(item: pytest.Item) -> float:
    """The seconds that the test may take by its own word."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker else 0.0
