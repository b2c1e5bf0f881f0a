"""AlertPublication rows are only ever added: the database refuses the rest."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER curation_alertpublication_append_only BEFORE UPDATE OR DELETE ON curation_alertpublication
    FOR EACH ROW EXECUTE FUNCTION catalog_refuse_change();
"""
BACKWARD = "DROP TRIGGER curation_alertpublication_append_only ON curation_alertpublication;"


class Migration(migrations.Migration):
    dependencies = [("curation", "0004_alert_publication"), ("catalog", "0002_append_only")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
