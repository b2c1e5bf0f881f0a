"""What was ordered from an address and is not done yet is fetched from the queue of the downloads."""

from django.db import migrations, models
from django.db.models.functions import Cast


def _rename(apps, old, new):
    fetched = apps.get_model("observations", "IncomingFile").objects.filter(route="url")
    keys = fetched.annotate(key=Cast("id", models.CharField(max_length=64))).values("key")
    jobs = apps.get_model("catalog", "ProcessingJob").objects
    jobs.filter(job_type=old, entity_type="incoming_file", entity_id__in=keys).update(job_type=new)


def to_download(apps, _schema_editor):
    _rename(apps, "receive", "download")


def to_receive(apps, _schema_editor):
    _rename(apps, "download", "receive")


class Migration(migrations.Migration):
    dependencies = [
        ("observations", "0003_lists_and_request_keys"),
        ("catalog", "0006_jobs_by_key"),
    ]

    operations = [migrations.RunPython(to_download, to_receive)]
