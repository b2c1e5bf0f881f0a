"""ValidationEvent rows are only ever added: the database refuses the rest."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER curation_validationevent_append_only BEFORE UPDATE OR DELETE ON curation_validationevent
    FOR EACH ROW EXECUTE FUNCTION catalog_refuse_change();
"""
BACKWARD = "DROP TRIGGER curation_validationevent_append_only ON curation_validationevent;"


class Migration(migrations.Migration):
    dependencies = [("curation", "0001_initial"), ("catalog", "0002_append_only")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
