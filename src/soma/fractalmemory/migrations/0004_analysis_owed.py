"""The worker may see which memories lack a passage, and so in which tenants there is work to do."""

from django.db import migrations

from soma.base.rls import worker_access


class Migration(migrations.Migration):
    dependencies = [("fractalmemory", "0003_passages")]

    operations = [
        # Ids and names of places only: what a memory says is read in its tenant's own transaction.
        worker_access("memory_record", privileges="SELECT (id, tenant_id, namespace)"),
        worker_access("memory_passage", privileges="SELECT (record_id)"),
    ]
