"""Tenants for storage."""

from uuid import UUID

import pytest

from soma.base.ids import new_id


@pytest.fixture
def tenant() -> UUID:
    """A fresh tenant; storage knows it by its id alone."""
    return new_id()


@pytest.fixture
def other_tenant() -> UUID:
    """Another."""
    return new_id()
