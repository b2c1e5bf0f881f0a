"""The Celery door of the watched folder."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from observations.delivery.watch import scan


@shared_task(name="observations.watch")
def watch() -> int:
    """Look for new files, where a folder is watched."""
    return scan(settings.ASTRID_WATCH) if settings.ASTRID_WATCH else 0
