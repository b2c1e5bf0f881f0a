"""Tonight at a glance: the newest night's frames, what waits for people, what failed, and the latest alerts."""

from __future__ import annotations

import datetime as dt
import hashlib
from urllib.parse import urlencode

from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache

from astrid_site.running.health import Health, health
from catalog.configuration.values import snapshot
from catalog.counting import count_bounded
from catalog.models import JobStatus, ProcessingJob, User, Visitor
from catalog.roles import MAY_JUDGE
from catalog.web.access import requires
from catalog.work.pause import pauses
from curation.alerts.automatic import automatic
from curation.alerts.views import listed
from curation.judgements.verdicts import OPEN
from curation.judgements.visibility import is_blind
from curation.notes.notes import told_mentions
from curation.rates.drift import sentences_shown
from curation.rates.watching import alarms
from curation.triage.queue import count_objects
from detection.models import Detection
from observations.models import Observation, ObservationStatus

_ALERTS, _FAILURES, _MENTIONS, _DRIFTS = 6, 6, 5, 2
_FAILURES_OF = dt.timedelta(days=3)
# An alert younger than this is marked as new.
_NEW_FOR = dt.timedelta(minutes=2)
# The parts of the page that change by themselves, by the name of their template.
_PARTS = ("next", "backlog", "night", "work", "alerts")


@never_cache
@requires("observations.view_observation")
def home(request: HttpRequest) -> HttpResponse:
    """Show tonight; asked by the page itself, answer with those of its parts that have changed."""
    context = _tonight(request)
    parts = {name: _part(request, name, context) for name in _PARTS}
    if request.headers.get("HX-Request"):
        changed = [part for name, part in parts.items() if request.GET.get(name) != part["version"]]
        answer = render(request, "home/_changed.html", {"parts": changed}, status=200 if changed else 204)
    else:
        answer = render(request, "home.html", context | {"parts": parts})
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def _part(request: HttpRequest, name: str, context: dict[str, object]) -> dict[str, str]:
    html = render_to_string(f"home/_{name}.html", context, request)
    return {"name": name, "html": html, "version": hashlib.sha256(html.encode()).hexdigest()[:16]}


def _tonight(request: HttpRequest) -> dict[str, object]:
    user = request.user
    frames: QuerySet[Observation] = Observation.objects.with_frame().visible_to(user)
    night = frames.order_by("-night").values_list("night", flat=True).first()
    waiting = Detection.objects.visible_to(user).filter(status__in=OPEN)
    alerts = list(listed(request)[:_ALERTS])
    return {
        "night": night,
        "night_span": urlencode({"night_from": night, "night_to": night}),
        "states": _states(frames, night),
        "waiting": count_bounded(waiting),
        "objects": count_objects(waiting) if user.has_perm(MAY_JUDGE) else 0,
        "waiting_since": waiting.aggregate(first=Min("created_at"))["first"],
        **_work(user),
        "alerts": alerts,
        "automatic": None if is_blind(user) else automatic(snapshot()),
        "drifts": [] if is_blind(user) else sentences_shown(alarms(), user)[:_DRIFTS],
        "new_since": timezone.now() - _NEW_FOR,
        "mentions": told_mentions(user, _MENTIONS) if isinstance(user, User) else [],
        "has_detections": bool(alerts) or Detection.objects.visible_to(user).exists(),
    }


def _states(frames: QuerySet[Observation], night: dt.date | None) -> list[tuple[str, int]]:
    """Return how many frames of a night are in each state, in the order of the work, without the empty ones."""
    counts = dict(frames.filter(night=night).order_by().values_list("status").annotate(Count("pk"))) if night else {}
    return [(state.value, counts[state]) for state in ObservationStatus if state in counts]


def _work(user: Visitor) -> dict[str, object]:
    """Return what failed lately, what is at work, and for those who run the system whether it works."""
    rows, found = ProcessingJob.objects.visible_to(user), _health(user)
    failed = rows.filter(status=JobStatus.FAILED, created_at__gte=timezone.now() - _FAILURES_OF)
    unfinished = rows.filter(status__in=(JobStatus.PENDING, JobStatus.RUNNING))
    return {
        "failures": list(failed.order_by("-created_at")[:_FAILURES]),
        "failed": count_bounded(failed),
        "failures_days": _FAILURES_OF.days,
        "unfinished": count_bounded(unfinished),
        "health": found,
        "pauses": found.pauses if found else pauses(),
    }


def _health(user: Visitor) -> Health | None:
    return health() if user.has_perm("catalog.view_probe") else None
