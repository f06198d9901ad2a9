"""The rows of this tier. Both tables are under row-level security: see the first migration."""

from django.db import models
from django.db.models.functions import Now


class RelationRow(models.Model):
    """A relationship: the subject is `relation` of the object.

    These rows are the truth, whether Postgres or SpiceDB answers from them. `subject_relation` is empty but
    for a set of subjects; it stands where the key's order finds the sets of a relation without its other
    subjects.
    """

    pk = models.CompositePrimaryKey(
        "tenant_id",
        "object_type",
        "object_id",
        "relation",
        "subject_relation",
        "subject_type",
        "subject_id",
    )
    tenant_id = models.UUIDField()
    object_type = models.TextField()
    object_id = models.TextField()
    relation = models.TextField()
    subject_relation = models.TextField()
    subject_type = models.TextField()
    subject_id = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "relation"


class RelationRevisionRow(models.Model):
    """How far SpiceDB has followed the tenant's relations.

    `revision` is written to SpiceDB together with the relations: what stands there under another one is not
    what stands here. Null once relations were written that SpiceDB was not told of. `previous` is the one
    before it. `zed_token` is the revision in SpiceDB's own terms: whoever asks with it sees all of it.
    """

    tenant_id = models.UUIDField(primary_key=True)
    revision = models.UUIDField(null=True)
    previous = models.UUIDField(null=True)
    zed_token = models.TextField(default="", blank=True)

    class Meta:
        db_table = "relation_revision"
