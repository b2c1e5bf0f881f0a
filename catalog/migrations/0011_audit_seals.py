"""Lines of the audit log are chained by seals, which are only ever added; a line may say why, and what it belongs to."""

from django.db import migrations, models

import catalog.ids
from catalog.roles import grant

FORWARD = """
CREATE TRIGGER catalog_auditseal_append_only BEFORE UPDATE OR DELETE ON catalog_auditseal
    FOR EACH ROW EXECUTE FUNCTION catalog_refuse_change();
CREATE TRIGGER catalog_auditseal_not_emptied BEFORE TRUNCATE ON catalog_auditseal
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_refuse_change();
"""
BACKWARD = """
DROP TRIGGER catalog_auditseal_not_emptied ON catalog_auditseal;
DROP TRIGGER catalog_auditseal_append_only ON catalog_auditseal;
"""


def give_new_permissions(apps, schema_editor):
    grant(apps)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0010_plain_words")]

    operations = [
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("id", models.UUIDField(default=catalog.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("position", models.PositiveBigIntegerField(help_text="In the order of sealing, from 1.", unique=True)),
                ("digest", models.CharField(help_text="SHA-256 of the line.", max_length=64)),
                ("hash", models.CharField(help_text="SHA-256 of this seal and the hash before it.", max_length=64)),
            ],
            options={"ordering": ["-position"]},
        ),
        migrations.AddField(
            model_name="auditlog",
            name="group",
            field=models.UUIDField(blank=True, help_text="The same in all lines of one change.", null=True),
        ),
        migrations.AddField(
            model_name="auditlog",
            name="reason",
            field=models.TextField(blank=True, help_text="Why, in the words of the person who did it."),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunPython(give_new_permissions, migrations.RunPython.noop),
    ]
