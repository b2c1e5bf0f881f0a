"""Judgements and publications are not emptied at a stroke either: triggers for each row are not asked by TRUNCATE."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER curation_validationevent_not_emptied BEFORE TRUNCATE ON curation_validationevent
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_refuse_change();
CREATE TRIGGER curation_alertpublication_not_emptied BEFORE TRUNCATE ON curation_alertpublication
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_refuse_change();
"""
BACKWARD = """
DROP TRIGGER curation_alertpublication_not_emptied ON curation_alertpublication;
DROP TRIGGER curation_validationevent_not_emptied ON curation_validationevent;
"""


class Migration(migrations.Migration):
    dependencies = [("curation", "0009_leases"), ("catalog", "0002_append_only")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
