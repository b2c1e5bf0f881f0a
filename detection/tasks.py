"""The Celery door of what is known of the sky."""

from __future__ import annotations

from celery import shared_task

from detection.refresh import order_refresh


@shared_task(name="detection.refresh")
def refresh() -> int:
    """Order what has grown old."""
    return order_refresh()
