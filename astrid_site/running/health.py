"""Whether the system works: not that processes are up, but that alerts go out, jobs are taken up and workers answer."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import DurationField, ExpressionWrapper, F, Max, Min, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from astrid_site.running.database import lacks_migrations
from catalog.models import JobStatus, Probe, ProcessingJob
from catalog.work import jobs
from catalog.work.pause import Pauses, pauses
from catalog.work.rows import before
from catalog.work.stages import queue_of, stages
from catalog.writing import duration
from curation.alerts import publishing


@dataclass(frozen=True)
class QueueHealth:
    """What a queue did lately; ages in seconds, None where there is nothing to be that old."""

    name: str
    # Since its workers last answered a probe.
    probe_s: float | None
    # A worker amid a long job answers no probe, but its job gives signs of life.
    is_at_work: bool
    # Since the oldest job that could run was due.
    waiting_s: float | None
    # Since a job was last taken up; None where that is longer ago than a job may wait.
    taken_up_s: float | None

    @property
    def answers(self) -> bool:
        return self.is_at_work or (self.probe_s is not None and self.probe_s <= settings.HEALTH_PROBE_SECONDS)

    @property
    def is_stuck(self) -> bool:
        """Tell whether a job waits too long: behind others that are taken up one by one it may wait for hours."""
        most = settings.HEALTH_WAIT_SECONDS[self.name]
        return self.waiting_s is not None and self.waiting_s > most and self.taken_up_s is None

    @property
    def state(self) -> str:
        """Return "ok", or what is wrong."""
        if not self.answers:
            return (
                "no worker has ever responded" if self.probe_s is None else f"no response for {duration(self.probe_s)}"
            )
        if self.is_stuck and self.waiting_s is not None:
            return f"a job has been waiting for {duration(self.waiting_s)}, and none is being picked up"
        return "ok"


@dataclass(frozen=True)
class Health:
    """What tells whether work gets done."""

    # Of the oldest alert that is not published; None: every alert is.
    alert_s: float | None
    queues: tuple[QueueHealth, ...]
    # What rests on purpose, which is no fault.
    pauses: Pauses

    @property
    def alerts_wait(self) -> bool:
        is_late = self.alert_s is not None and self.alert_s > settings.HEALTH_ALERT_SECONDS
        return is_late and not self.pauses.publishing

    @property
    def alerts(self) -> str:
        """Return "ok", or what is wrong."""
        if self.alert_s is None or not self.alerts_wait:
            return "ok"
        return f"an alert has been waiting to be published for {duration(self.alert_s)}"

    @property
    def is_well(self) -> bool:
        return not self.alerts_wait and all(queue.state == "ok" for queue in self.queues)


def health() -> Health:
    """Look at alerts, jobs and probes, by the database's clock."""
    resting = pauses()
    oldest = publishing.waiting().aggregate(age=_age(Min("created_at")))["age"]
    probes = dict(Probe.objects.values_list("queue", _age(F("answered_at"))))
    of_workers = ProcessingJob.objects.filter(job_type__in=stages())
    at_work = _by_queue(of_workers.filter(_is_alive()), "heartbeat_at")
    waiting = _by_queue(jobs.ready(list(stages()), resting), "scheduled_at", oldest=True)
    lately = of_workers.filter(started_at__gte=before(max(settings.HEALTH_WAIT_SECONDS.values())))
    taken_up = _by_queue(lately, "started_at")
    queues = (
        QueueHealth(
            queue,
            probe_s=probes[queue].total_seconds() if queue in probes else None,
            is_at_work=queue in at_work,
            waiting_s=waiting.get(queue),
            taken_up_s=_within(settings.HEALTH_WAIT_SECONDS[queue], taken_up.get(queue)),
        )
        for queue in settings.QUEUES
    )
    return Health(None if oldest is None else oldest.total_seconds(), tuple(queues), resting)


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 while this process can serve a page: the database answers."""
    return _answer({"database": _database()})


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 while work gets done: tables are up to date, alerts go out, jobs are taken up, workers answer."""
    states = {"database": _database()}
    if states["database"] != "ok":
        return _answer(states)
    states["migrations"] = "missing" if lacks_migrations() else "ok"
    if states["migrations"] != "ok":
        return _answer(states)
    found = health()
    states |= {"alerts": found.alerts, **{queue.name: queue.state for queue in found.queues}}
    resting = {"ingest": found.pauses.ingest or None, "publishing": found.pauses.publishing or None}
    return _answer(states, ages_s=_ages(found), paused=resting)


def _ages(found: Health) -> dict[str, object]:
    queues = {
        queue.name: {"last_probe": _rounded(queue.probe_s), "oldest_waiting_job": _rounded(queue.waiting_s)}
        for queue in found.queues
    }
    return {"oldest_unpublished_alert": _rounded(found.alert_s), **queues}


def _answer(states: dict[str, str], **more: object) -> JsonResponse:
    is_well = all(state == "ok" for state in states.values())
    return JsonResponse({"ok": is_well, **states, **more}, status=200 if is_well else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    return "ok"


def _is_alive() -> Q:
    fresh = before(settings.HEALTH_PROBE_SECONDS)
    return Q(status=JobStatus.RUNNING, heartbeat_at__gte=fresh, heartbeat_at__lte=Now())


def _by_queue(rows: QuerySet[ProcessingJob], field: str, *, oldest: bool = False) -> dict[str, float]:
    """Return, for each queue that has such rows, the seconds since the latest, or the oldest, moment of a field."""
    moment = Min(field) if oldest else Max(field)
    found: dict[str, float] = {}
    for job_type, age in rows.order_by().values("job_type").annotate(age=_age(moment)).values_list("job_type", "age"):
        queue, seconds = queue_of(job_type), age.total_seconds()
        found[queue] = (max if oldest else min)(seconds, found.get(queue, seconds))
    return found


def _age(moment: Combinable) -> ExpressionWrapper:
    return ExpressionWrapper(Now() - moment, output_field=DurationField())


def _within(seconds: float, age: float | None) -> float | None:
    return age if age is not None and age <= seconds else None


def _rounded(age: float | None) -> float | None:
    return None if age is None else round(age, 1)
