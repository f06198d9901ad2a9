"""The tables that one recall reads a thousand rows of look the transaction's tenant up once a statement."""

from django.db import migrations

from soma.base.rls import tenant_looked_up_once


class Migration(migrations.Migration):
    dependencies = [("fractalmemory", "0007_usage")]

    operations = [
        tenant_looked_up_once("memory_record"),
        tenant_looked_up_once("memory_passage"),
        tenant_looked_up_once("memory_link"),
    ]
