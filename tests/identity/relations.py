"""Where the roles of users are written: to the real relations."""

from soma.policy.adapters.relation_store_postgres import PostgresRelationStore
from soma.policy.api import Relations

ROLES = Relations(PostgresRelationStore())
