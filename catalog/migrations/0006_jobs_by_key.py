"""Jobs are looked up by what they work on, also where its kind is not told."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0005_api_tokens")]

    operations = [
        migrations.RemoveIndex(model_name="processingjob", name="job_entity"),
        migrations.AddIndex(
            model_name="processingjob",
            index=models.Index(fields=["entity_id", "entity_type"], name="job_entity"),
        ),
    ]
