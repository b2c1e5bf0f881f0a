"""The Celery door of what is watched."""

from __future__ import annotations

from celery import shared_task

from astrid_site.monitoring import alarms


@shared_task(name="astrid_site.mail_alarms")
def mail_alarms() -> bool:
    """Tell whoever runs the site what is not well."""
    return alarms.mail_alarms()
