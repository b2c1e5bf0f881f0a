"""The Celery doors of the watched folder, of archives, and of what is left of downloads."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from observations.archives.ordering import order_due
from observations.delivery.leftovers import clear_away
from observations.delivery.watch import scan


@shared_task(name="observations.watch")
def watch() -> int:
    """Look for new files, where a folder is watched."""
    return scan(settings.ASTRID_WATCH) if settings.ASTRID_WATCH else 0


@shared_task(name="observations.archives")
def archives() -> int:
    """Ask the archives whose time has come, and let the next files be fetched."""
    return order_due()


@shared_task(name="observations.clear_away")
def clear_leftovers() -> int:
    """Remove what is left on this machine of files that nothing waits for."""
    return clear_away()
