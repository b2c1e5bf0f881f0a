"""Whether the system works: not that processes are up, but that they did something lately."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from astrid_site.running.database import lacks_migrations
from catalog.models import JobStatus, Probe, ProcessingJob
from catalog.work.rows import before

# A probe task runs every 15 s; four of them may be late.
_FRESH_SECONDS = 60.0


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 while this process can serve a page: the database answers."""
    return _answer({"database": _database()})


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    """Answer 200 while work gets done: the tables are up to date, and each queue's workers did something lately."""
    found: dict[str, Any] = {"database": _database()}
    if found["database"] == "ok":
        found["migrations"] = "missing" if lacks_migrations() else "ok"
        if found["migrations"] == "ok":
            found |= {queue: queue_state(queue) for queue in settings.QUEUES}
    return _answer(found)


def _answer(found: dict[str, Any]) -> JsonResponse:
    is_well = all(state == "ok" for state in found.values())
    return JsonResponse({"ok": is_well, **found}, status=200 if is_well else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    return "ok"


def queue_state(queue: str) -> str:
    """Return "ok" while a queue's workers answer, else what is wrong.

    A worker amid a long job answers no probe, but its job is alive.
    """
    fresh = before(_FRESH_SECONDS)
    if Probe.objects.filter(queue=queue, answered_at__gte=fresh).exists():
        return "ok"
    types = [name for name in settings.JOB_MODULES if settings.JOB_QUEUES.get(name, "pipeline") == queue]
    alive = Q(status=JobStatus.RUNNING, heartbeat_at__gte=fresh, heartbeat_at__lte=Now())
    return "ok" if ProcessingJob.objects.filter(alive, job_type__in=types).exists() else "no answer for a minute"
