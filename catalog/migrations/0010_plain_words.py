"""Labels and help as people read them; no column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0009_audit_log_is_not_emptied"),
    ]

    operations = [
        migrations.AlterField(
            model_name="apitoken",
            name="digest",
            field=models.CharField(help_text="SHA-256 of the whole token.", max_length=64),
        ),
        migrations.AlterField(
            model_name="apitoken",
            name="last_used_at",
            field=models.DateTimeField(blank=True, help_text="Accurate to the minute.", null=True),
        ),
        migrations.AlterField(
            model_name="apitoken",
            name="prefix",
            field=models.CharField(
                help_text="Its first characters, by which it is looked up.", max_length=24, unique=True
            ),
        ),
        migrations.AlterField(
            model_name="auditlog",
            name="user",
            field=models.CharField(
                blank=True, help_text="Name at that time; empty if no person did it.", max_length=150
            ),
        ),
        migrations.AlterField(
            model_name="auditlog",
            name="user_id",
            field=models.CharField(
                blank=True, help_text="Key as text, kept when the account is deleted.", max_length=64
            ),
        ),
        migrations.AlterField(
            model_name="jobattempt",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("completed", "Completed"),
                    ("failed", "Failed"),
                    ("retried", "failed, will be tried again"),
                    ("waiting", "waiting for the cause to clear"),
                    ("lost", "the process disappeared"),
                    ("cancelled", "Cancelled"),
                    ("handed_back", "handed back for a restart"),
                ],
                help_text="Empty while it runs.",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="processingjob",
            name="attempt",
            field=models.PositiveIntegerField(
                default=0, help_text="Goes up by one with each claim; writes must match it."
            ),
        ),
        migrations.AlterField(
            model_name="processingjob",
            name="max_retries",
            field=models.PositiveIntegerField(default=2, help_text="Further attempts after the first."),
        ),
        migrations.AlterField(
            model_name="processingjob",
            name="needs_abandon",
            field=models.BooleanField(
                default=False, help_text="Cancelled while running: the rows of its stage have yet to be closed."
            ),
        ),
    ]
