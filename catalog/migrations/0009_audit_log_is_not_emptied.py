"""The audit log is not emptied at a stroke either: the trigger for each row is not asked by TRUNCATE."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER catalog_auditlog_not_emptied BEFORE TRUNCATE ON catalog_auditlog
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_refuse_change();
"""
BACKWARD = "DROP TRIGGER catalog_auditlog_not_emptied ON catalog_auditlog;"


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_roles_open_the_admin")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
