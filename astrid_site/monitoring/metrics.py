"""What Prometheus scrapes: figures of the database, the same from whichever web process answers."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from django.conf import settings
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from astrid_site.monitoring.figures import MOST, Figures, figures
from astrid_site.running.health import Health, health
from astrid_site.site.origin import is_told_by_strangers

# What commands do in the foreground is in no queue.
_COMMANDS = "commands"


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with all figures where the one who asks may know them; to others there is no such page."""
    if not _may_ask(request):
        raise Http404
    registry = CollectorRegistry(auto_describe=False)
    try:
        registry.register(_Rows(health(), figures()))
    except OperationalError:
        return HttpResponse("The database does not answer.\n", content_type="text/plain", status=503)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_ask(request: HttpRequest) -> bool:
    """Tell whether a request comes from an address that may ask; what a strange proxy passes on comes from anywhere."""
    if is_told_by_strangers(request):
        return False
    try:
        address = ipaddress.ip_address(str(request.META.get("REMOTE_ADDR", "")).partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in network for network in settings.ASTRID_METRICS_FROM)


class _Rows(Collector):
    """Writes what was found as metrics. What is not known has no sample: none is no zero."""

    def __init__(self, found: Health, figures: Figures) -> None:
        self._health, self._figures = found, figures

    def collect(self) -> Iterator[Metric]:
        yield from self._of_health()
        yield from self._of_work()
        yield from self._of_night()
        yield from self._of_room()

    def _of_health(self) -> Iterator[Metric]:
        found = self._health
        yield _gauge("astrid_healthy", "Whether everything that readyz looks at is well.", float(found.is_well))
        paused = GaugeMetricFamily("astrid_paused", "Whether it rests on purpose, which is no fault.", labels=["what"])
        paused.add_metric(["ingest"], float(bool(found.pauses.ingest)))
        paused.add_metric(["publishing"], float(bool(found.pauses.publishing)))
        yield paused
        words = "Seconds that the oldest alert has been waiting to be published; 0 where all are."
        yield _gauge("astrid_alert_oldest_unpublished_seconds", words, found.alert_s or 0.0)
        words = "Seconds since the workers of a queue last answered a probe; none where they never did."
        probe = GaugeMetricFamily("astrid_probe_age_seconds", words, labels=["queue"])
        words = "Seconds that the oldest job of a queue that could run has been due; 0 where there is none."
        waiting = GaugeMetricFamily("astrid_job_oldest_runnable_seconds", words, labels=["queue"])
        words = "Whether the workers of a queue answer and pick up jobs."
        is_well = GaugeMetricFamily("astrid_queue_healthy", words, labels=["queue"])
        for queue in found.queues:
            if queue.probe_s is not None:
                probe.add_metric([queue.name], queue.probe_s)
            waiting.add_metric([queue.name], queue.waiting_s or 0.0)
            is_well.add_metric([queue.name], float(queue.state == "ok"))
        yield from (probe, waiting, is_well)

    def _of_work(self) -> Iterator[Metric]:
        found = self._figures
        words = f"Jobs by queue and state; those of one state are counted up to {MOST}."
        jobs = GaugeMetricFamily("astrid_jobs", words, labels=["queue", "state"])
        for (queue, state), count in found.jobs.items():
            jobs.add_metric([queue or _COMMANDS, state], count)
        yield jobs
        yield CounterMetricFamily("astrid_alerts_published", "Publications in the feed, ever.", value=found.published)
        words = f"Deliveries that have yet to arrive (waiting, failed) or were given up (dead), up to {MOST} of each."
        deliveries = GaugeMetricFamily("astrid_deliveries", words, labels=["state"])
        for state, count in found.deliveries.items():
            deliveries.add_metric([state], count)
        yield deliveries
        words = f"Detections that await review, up to {MOST}."
        yield _gauge("astrid_detections_awaiting_review", words, found.detections_waiting)
        words = f"Lines of the audit log that have no seal yet, up to {MOST}."
        yield _gauge("astrid_audit_unsealed_lines", words, found.audit_unsealed)

    def _of_night(self) -> Iterator[Metric]:
        night = self._figures.night
        frames = GaugeMetricFamily("astrid_night_frames", "Frames of the newest night by state.", labels=["state"])
        for state, count in night.frames:
            frames.add_metric([state], count)
        yield frames
        if night.frames_per_hour is not None:
            words = "Frames of the newest night that came through per hour of work; longer gaps are no work."
            yield _gauge("astrid_night_frames_per_hour", words, night.frames_per_hour)

    def _of_room(self) -> Iterator[Metric]:
        use = self._figures.disk
        yield _gauge("astrid_database_size_bytes", "Size of the database.", self._figures.database_bytes)
        if use is not None:
            words = "Bytes in use on the disk of the data root, as the web server's machine sees it."
            yield _gauge("astrid_data_root_used_bytes", words, use.used_bytes)
            words = "Bytes that may still be written there."
            yield _gauge("astrid_data_root_free_bytes", words, use.free_bytes)
        backup = self._figures.backup
        if backup is not None:
            words = "Seconds since the moment that the newest backup holds; none where none is known."
            yield _gauge("astrid_backup_age_seconds", words, backup.age_s)
            words = "Size of the newest backup: its dump, and the files in it."
            yield _gauge("astrid_backup_size_bytes", words, backup.size_bytes)


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)
