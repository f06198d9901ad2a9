"""What tenants and users may be called."""

import pytest

from soma.base.errors import InvalidInput
from soma.identity.domain.naming import checked_name, checked_slug


@pytest.mark.req("AUTH-003")
@pytest.mark.parametrize("slug", ["a", "acme", "acme-corp", "0", "a" * 63])
def test_takes_labels(slug: str) -> None:
    assert checked_slug(slug) == slug


@pytest.mark.req("AUTH-003")
@pytest.mark.parametrize("slug", ["", "-a", "a-", "Acme", "a b", "a_b", "é", "a" * 64, "a\n", "a\0"])
def test_refuses_what_is_no_label(slug: str) -> None:
    with pytest.raises(InvalidInput):
        checked_slug(slug)


@pytest.mark.req("AUTH-003")
@pytest.mark.parametrize("name", ["", "  ", "a\0b", "a\nb", "x" * 201, "\u202eevil"])
def test_refuses_names_that_do_not_print(name: str) -> None:
    with pytest.raises(InvalidInput):
        checked_name(name)


@pytest.mark.req("AUTH-003")
def test_name_loses_the_space_around_it() -> None:
    assert checked_name("  Zoë Ω ") == "Zoë Ω"
