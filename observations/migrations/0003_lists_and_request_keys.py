from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("observations", "0002_incoming_files")]

    operations = [
        migrations.AddField(
            model_name="incomingfile",
            name="request_key",
            field=models.UUIDField(
                blank=True,
                editable=False,
                help_text="Made by who hands in: sent twice, taken once.",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="incomingfile",
            constraint=models.UniqueConstraint(
                fields=("submitted_by", "request_key"), name="observations_incoming_request_once"
            ),
        ),
        migrations.AddIndex(
            model_name="observation",
            index=models.Index(fields=["night", "observation_time", "id"], name="observation_list_night"),
        ),
        migrations.AddIndex(
            model_name="observation",
            index=models.Index(fields=["field", "observation_time", "id"], name="observation_list_field"),
        ),
        migrations.AddIndex(
            model_name="observation",
            index=models.Index(fields=["filter_band", "observation_time", "id"], name="observation_list_band"),
        ),
        migrations.AddIndex(
            model_name="observation",
            index=models.Index(fields=["survey", "observation_time", "id"], name="observation_list_survey"),
        ),
        migrations.AddIndex(
            model_name="observation",
            index=models.Index(
                fields=["original_name"], name="observation_file", opclasses=["varchar_pattern_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="observation",
            index=models.Index(
                fields=["observation_id"], name="observation_name", opclasses=["varchar_pattern_ops"]
            ),
        ),
    ]
