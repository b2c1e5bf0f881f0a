"""The Celery doors of what is watched."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from astrid_site.monitoring import alarms
from catalog.files import disk


@shared_task(name="astrid_site.mail_alarms")
def mail_alarms() -> bool:
    """Tell whoever runs the site what is not well."""
    return alarms.mail_alarms()


@shared_task(name="astrid_site.note_disk_use")
def note_disk_use() -> bool:
    """Put down once a day how full the disk is."""
    return disk.note(timezone.now())
