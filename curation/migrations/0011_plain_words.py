"""Labels and help as people read them; no column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0010_events_and_publications_are_not_emptied"),
    ]

    operations = [
        migrations.AlterField(
            model_name="alert",
            name="is_published",
            field=models.BooleanField(
                default=False, help_text="Whether it has its place in the feed; set together with its publication."
            ),
        ),
        migrations.AlterField(
            model_name="alertpublication",
            name="payload",
            field=models.JSONField(help_text="Never changed once published."),
        ),
        migrations.AlterField(
            model_name="lease",
            name="window",
            field=models.UUIDField(help_text="Chosen by the page in the browser: two windows of one person differ."),
        ),
    ]
