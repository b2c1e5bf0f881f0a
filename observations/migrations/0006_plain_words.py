"""Labels and help as people read them; no column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("observations", "0005_delivered_wcs_quality"),
    ]

    operations = [
        migrations.AlterField(
            model_name="incomingfile",
            name="overrides",
            field=models.JSONField(blank=True, default=dict, help_text="Values given along with the file."),
        ),
        migrations.AlterField(
            model_name="incomingfile",
            name="request_key",
            field=models.UUIDField(
                blank=True,
                editable=False,
                help_text="Chosen by the sender: a file sent twice is ingested once.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="incomingfile",
            name="stored_path",
            field=models.CharField(
                blank=True, help_text="Relative to the data root, until it is ingested.", max_length=500
            ),
        ),
        migrations.AlterField(
            model_name="observation",
            name="delivered_wcs_quality",
            field=models.CharField(
                blank=True,
                choices=[
                    ("solved", "solved against a star catalogue"),
                    ("header", "from the frame's header, checked"),
                    ("nominal", "from pointing and optics only"),
                ],
                help_text="Before any frame of its field was solved or matched.",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="observation",
            name="header_conflicts",
            field=models.JSONField(
                blank=True, default=list, help_text="Keywords that disagreed, and which was used."
            ),
        ),
        migrations.AlterField(
            model_name="observation",
            name="observation_id",
            field=models.CharField(help_text="The survey's own name for it, detector included.", max_length=200),
        ),
        migrations.AlterField(
            model_name="observation",
            name="wcs_quality",
            field=models.CharField(
                choices=[
                    ("solved", "solved against a star catalogue"),
                    ("header", "from the frame's header, checked"),
                    ("nominal", "from pointing and optics only"),
                ],
                default="nominal",
                max_length=8,
            ),
        ),
    ]
