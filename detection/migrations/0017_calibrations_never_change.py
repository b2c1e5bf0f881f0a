"""Calibrations are only ever added, and the roles read them."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from catalog.roles import grant

FORWARD = """
CREATE TRIGGER detection_calibration_append_only BEFORE UPDATE OR DELETE ON detection_calibration
    FOR EACH ROW EXECUTE FUNCTION catalog_refuse_change();
"""
BACKWARD = "DROP TRIGGER detection_calibration_append_only ON detection_calibration;"


def let_the_roles_read_them(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    grant(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("detection", "0016_calibrations_and_shadow"),
        ("catalog", "0008_roles_open_the_admin"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunPython(let_the_roles_read_them, migrations.RunPython.noop),
    ]
