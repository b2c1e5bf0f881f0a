"""Labels and help as people read them; no column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("detection", "0004_hashes_of_the_keys_that_are_read"),
    ]

    operations = [
        migrations.AlterField(
            model_name="detection",
            name="origin",
            field=models.CharField(
                choices=[("pipeline", "Pipeline"), ("imported", "imported from another alert stream")],
                default="pipeline",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="detection",
            name="status",
            field=models.CharField(
                choices=[
                    ("pending", "Pending"),
                    ("validating", "being reviewed"),
                    ("validated", "judged real"),
                    ("rejected", "Rejected"),
                    ("confirmed", "confirmed by independent evidence"),
                    ("archived", "Archived"),
                ],
                default="pending",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="detection",
            name="validation_confidence",
            field=models.FloatField(
                blank=True, help_text="Weighted share of the answers that agree with the verdict.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="model",
            name="is_active",
            field=models.BooleanField(default=False, help_text="At most one active model of each type."),
        ),
        migrations.AlterField(
            model_name="source",
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
