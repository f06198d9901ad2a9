"""What the database itself keeps apart."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, ProgrammingError, connections, transaction

from soma.base.database import tenant_transaction
from soma.identity.api import Identity, NewUser
from soma.identity.models import ApiKey, Session, Tenant, User

pytestmark = pytest.mark.req("AUTH-004")

MODELS = (Tenant, User, ApiKey, Session)
TABLES = [model._meta.db_table for model in MODELS]


@pytest.fixture
def populated(identity: Identity, new_tenant: Callable[[], NewUser]) -> tuple[NewUser, NewUser]:
    """Two tenants with a row in each table."""
    owners = new_tenant(), new_tenant()
    for owner in owners:
        identity.mint(owner.token)
    return owners


def scalar(sql: str, *, using: str = "default") -> object:
    with connections[using].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@pytest.mark.parametrize("table", TABLES)
def test_security_is_enabled_and_forced(table: str) -> None:
    assert scalar(
        f"SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = '\"{table}\"'::regclass"
    )


@pytest.mark.parametrize("using", ["default", "owner"])
@pytest.mark.parametrize("table", [table for table in TABLES if table != "tenant"])
def test_without_a_tenant_no_row_is_seen(populated: tuple[NewUser, NewUser], table: str, using: str) -> None:
    assert scalar(f'SELECT count(*) FROM "{table}"', using=using) == 0


def test_without_a_tenant_no_tenant_is_seen(populated: tuple[NewUser, NewUser]) -> None:
    assert scalar("SELECT count(*) FROM tenant") == 0


@pytest.mark.parametrize("table", TABLES)
def test_the_worker_has_no_access(table: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(using="worker"):
        scalar(f'SELECT count(*) FROM "{table}"', using="worker")


def test_a_tenant_sees_its_own_rows_only(populated: tuple[NewUser, NewUser]) -> None:
    ours, _ = populated
    with tenant_transaction(ours.tenant_id):
        assert list(Tenant.objects.values_list("id", flat=True)) == [ours.tenant_id]
        for model in (User, ApiKey, Session):
            assert set(model.objects.values_list("tenant_id", flat=True)) == {ours.tenant_id}


def test_the_tenant_ends_with_its_transaction(populated: tuple[NewUser, NewUser]) -> None:
    with tenant_transaction(populated[0].tenant_id):
        assert User.objects.exists()
    assert not User.objects.exists()


def test_a_row_of_another_tenant_cannot_be_written(populated: tuple[NewUser, NewUser]) -> None:
    ours, theirs = populated
    with pytest.raises(DatabaseError, match="row-level security"), tenant_transaction(ours.tenant_id):
        User.objects.create(tenant_id=theirs.tenant_id, name="Mallory", role="owner")
    with pytest.raises(DatabaseError, match="row-level security"), tenant_transaction(ours.tenant_id):
        Tenant.objects.create(id=uuid4(), slug=f"t-{uuid4().hex}", name="Mallory")


def test_a_row_cannot_be_moved_to_another_tenant(populated: tuple[NewUser, NewUser]) -> None:
    ours, theirs = populated
    with pytest.raises(DatabaseError, match="row-level security"), tenant_transaction(ours.tenant_id):
        Session.objects.update(tenant_id=theirs.tenant_id)


def test_rows_of_another_tenant_are_not_updated(populated: tuple[NewUser, NewUser]) -> None:
    ours, theirs = populated
    with tenant_transaction(ours.tenant_id):
        assert Session.objects.filter(user_id=theirs.user_id).update(budgets={"tokens": 1}) == 0


@pytest.mark.parametrize("change", ["UPDATE \"user\" SET role = 'owner'", "UPDATE tenant SET slug = 'x'"])
def test_roles_and_tenants_are_not_changed_by_the_application(owner: NewUser, change: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), tenant_transaction(owner.tenant_id):
        _execute(change)


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_deleted_by_the_application(owner: NewUser, table: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), tenant_transaction(owner.tenant_id):
        _execute(f'DELETE FROM "{table}"')


def test_a_role_outside_the_four_cannot_be_stored(owner: NewUser) -> None:
    with pytest.raises(DatabaseError, match="user_role"), tenant_transaction(owner.tenant_id):
        User.objects.create(tenant_id=owner.tenant_id, name="Root", role="root")


def test_the_application_role_has_no_way_around() -> None:
    bypass = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    for using in ("default", "worker", "owner"):
        assert scalar(bypass, using=using) is False


def test_a_slug_is_looked_up_by_the_application_only(populated: tuple[NewUser, NewUser]) -> None:
    unknown = f"SELECT soma_tenant_by_slug('{uuid4().hex}')"
    assert scalar(unknown) is None
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(using="worker"):
        scalar(unknown, using="worker")


def test_the_look_up_is_not_led_astray_by_the_search_path(owner: NewUser) -> None:
    with tenant_transaction(owner.tenant_id):
        slug = Tenant.objects.values_list("slug", flat=True).get()
        _execute("CREATE TEMPORARY TABLE tenant (id uuid, slug text) ON COMMIT DROP")
        _execute(f"INSERT INTO pg_temp.tenant VALUES ('{UUID(int=0)}', '{slug}')")
        assert scalar(f"SELECT soma_tenant_by_slug('{slug}')") == owner.tenant_id


def _execute(sql: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(sql)
