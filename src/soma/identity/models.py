"""The rows of identity. All of them are under row-level security: see the first migration."""

from django.db import models

from soma.base.clock import now
from soma.base.ids import new_id
from soma.identity.domain.role import Role

ROLES = [(role.value, role.value) for role in Role]


class Tenant(models.Model):
    """Whose data it is. A transaction sees the row of its own tenant only."""

    id = models.UUIDField(primary_key=True, default=new_id)
    slug = models.CharField(max_length=63, unique=True)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=now)

    class Meta:
        db_table = "tenant"


class User(models.Model):
    """A person or a program of one tenant."""

    id = models.UUIDField(primary_key=True, default=new_id)
    tenant = models.ForeignKey(Tenant, models.PROTECT, db_index=False)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=16, choices=ROLES)
    created_at = models.DateTimeField(default=now)

    class Meta:
        db_table = "user"
        constraints = (
            models.UniqueConstraint(fields=("tenant", "name"), name="user_name"),
            models.CheckConstraint(condition=models.Q(role__in=list(Role)), name="user_role"),
        )


class ApiKey(models.Model):
    """A key of a user. `digest` is the SHA-256 of its text (hex); the text itself is kept nowhere."""

    id = models.UUIDField(primary_key=True, default=new_id)
    tenant = models.ForeignKey(Tenant, models.PROTECT, db_index=False)
    user = models.ForeignKey(User, models.PROTECT)
    prefix = models.CharField(max_length=8)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=now)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "api_key"
        constraints = (models.UniqueConstraint(fields=("tenant", "prefix"), name="api_key_prefix"),)


class Session(models.Model):
    """What stands behind a session token: ended here, the token is worth nothing.

    Alive until `expires_at`, which a refresh moves on, at the most to `ends_at`.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    tenant = models.ForeignKey(Tenant, models.PROTECT, db_index=False)
    user = models.ForeignKey(User, models.PROTECT)
    persona_hash = models.CharField(max_length=128, blank=True)
    policy_hash = models.CharField(max_length=128, blank=True)
    budgets = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "session"


class SessionEpoch(models.Model):
    """Another one with every session of the tenant that is ended: what was known of its sessions before is
    out of date. Never the same twice, not even after the database was restored."""

    tenant_id = models.UUIDField(primary_key=True)
    epoch = models.UUIDField()

    class Meta:
        db_table = "session_epoch"


class KeyValue(models.Model):
    """A value of the key-value store, past `expires_at` as good as gone. The table is unlogged: a crash of
    the database server empties it."""

    pk = models.CompositePrimaryKey("tenant_id", "key")
    tenant_id = models.UUIDField()
    key = models.TextField(db_collation="C")
    value = models.BinaryField()
    expires_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        db_table = "key_value"
