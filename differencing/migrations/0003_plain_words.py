"""Labels and help as people read them; no column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("differencing", "0002_strongest_candidates"),
    ]

    operations = [
        migrations.AlterField(
            model_name="candidate",
            name="masked_share",
            field=models.FloatField(default=0.0, help_text="Masked fraction of the core."),
        ),
        migrations.AlterField(
            model_name="differencerun",
            name="noise_rescale",
            field=models.FloatField(
                blank=True, help_text="Noise of the score image before it was set to 1; 1 is perfect.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="reference",
            name="excluded_night",
            field=models.DateField(
                blank=True, help_text="Night that it was made for, and leaves out.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="reference",
            name="is_active",
            field=models.BooleanField(default=False, help_text="Promoted by an administrator."),
        ),
    ]
