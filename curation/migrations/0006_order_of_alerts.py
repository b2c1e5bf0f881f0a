"""Events and alerts are ordered by the database's clock; an alert knows that it is published."""

import django.db.models.functions.datetime
from django.db import migrations, models

KNOWN = """
UPDATE curation_alert SET is_published = true
WHERE EXISTS (SELECT FROM curation_alertpublication AS publication WHERE publication.alert_id = curation_alert.id);
"""


class Migration(migrations.Migration):
    dependencies = [("curation", "0005_publications_append_only")]

    operations = [
        migrations.AlterField(
            model_name="alert",
            name="created_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AlterField(
            model_name="validationevent",
            name="created_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
        ),
        migrations.AddField(
            model_name="alert",
            name="is_published",
            field=models.BooleanField(
                default=False,
                help_text="It has its place in the feed; written with its publication, so that few are looked at.",
            ),
        ),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(
                condition=models.Q(("is_published", False), ("status", "pending")),
                fields=["created_at", "id"],
                name="alert_unpublished",
            ),
        ),
    ]
