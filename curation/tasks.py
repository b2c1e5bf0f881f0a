"""The Celery door of the publisher."""

from __future__ import annotations

from celery import shared_task

from curation.publishing import publish_pending


@shared_task(name="curation.publish")
def publish() -> int:
    """Publish the alerts that wait."""
    return publish_pending()
