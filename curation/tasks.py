"""The Celery doors of the publisher, of packets, deliveries and reports, of the queue, of what was injected, of
calibration."""

from __future__ import annotations

from celery import shared_task

from curation.alerts.publishing import publish_pending
from curation.injected.ending import end_old
from curation.judgements.leases import put_back_lapsed
from curation.packets.keeping import take_turn
from curation.push.ordering import order_due, tidy
from curation.rates.ordering import order_nightly
from curation.rates.watching import watch
from curation.reports.ordering import order_due as order_due_reports


@shared_task(name="curation.publish")
def publish() -> int:
    """Publish the alerts that wait."""
    return publish_pending()


@shared_task(name="curation.write_packets")
def write_packets() -> int:
    """Write packets of what was published."""
    return take_turn()


@shared_task(name="curation.order_deliveries")
def order_deliveries() -> int:
    """Order what is to be sent to subscribers."""
    return order_due()


@shared_task(name="curation.tidy_deliveries")
def tidy_deliveries() -> None:
    """Give up what is too old, and end what has had its time."""
    tidy()


@shared_task(name="curation.order_reports")
def order_reports() -> int:
    """Order what is due of reports to the services that name objects."""
    return order_due_reports()


@shared_task(name="curation.put_back_lapsed")
def put_back() -> int:
    """Put back what people stopped looking at."""
    return put_back_lapsed()


@shared_task(name="curation.end_injected")
def end_injected() -> int:
    """End what was injected long ago."""
    return end_old()


@shared_task(name="curation.recalibrate")
def recalibrate() -> int:
    """Look at the latest scores, and order the calibration of what scores by what was answered since yesterday."""
    watch()
    return order_nightly()
