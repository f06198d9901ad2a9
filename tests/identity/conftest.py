"""A tenant with its owner, and an Identity whose clock the test turns.

Models are imported inside the fixtures: this file may be read before Django is set up.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from soma.base.tenancy import Principal
    from soma.identity.api import Identity, NewUser

SECRET = bytes(range(32))


class Clock:
    """Stands still until it is turned on."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def identity(clock: Clock) -> "Identity":
    from soma.identity.api import Identity
    from tests.identity.relations import ROLES

    return Identity(SECRET, clock=clock, roles=ROLES)


@pytest.fixture
def new_tenant(identity: "Identity") -> "Callable[[], NewUser]":
    """Makes a tenant with an owner each time it is called."""
    return lambda: identity.create_tenant(f"t-{uuid4().hex}", "Acme")


@pytest.fixture
def owner(new_tenant: "Callable[[], NewUser]") -> "NewUser":
    return new_tenant()


@pytest.fixture
def principal(identity: "Identity", owner: "NewUser") -> "Principal":
    """The owner, by their key."""
    return identity.authenticate_key(owner.token)
