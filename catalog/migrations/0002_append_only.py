"""AuditLog rows are only ever added: the database refuses the rest."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION catalog_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are only ever added: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER catalog_auditlog_append_only BEFORE UPDATE OR DELETE ON catalog_auditlog
    FOR EACH ROW EXECUTE FUNCTION catalog_refuse_change();
"""
BACKWARD = """
DROP TRIGGER catalog_auditlog_append_only ON catalog_auditlog;
DROP FUNCTION catalog_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
