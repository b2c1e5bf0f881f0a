"""Pages of one detection and of one source: what was measured, what people said, and what was made known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from catalog.configuration.values import snapshot
from catalog.roles import MAY_JUDGE
from catalog.web.access import requires
from curation.detections.light_curve import Epoch, drawing_of, epochs_of
from curation.judgements.verdicts import answers_about, consensus_of
from curation.models import Alert, ValidationEvent
from detection.cutouts.overlay import overlay_of
from detection.cutouts.pictures import PARTS
from detection.models import Detection, DetectionType, Source
from detection.sources.neighbours import NEIGHBOURHOOD_ARCSEC, neighbours_of
from detection.sources.photometry import brightness_of

_Person = AbstractUser | AnonymousUser
# Rows of one source that a page shows, the latest.
_MOST_SHOWN = 200
_LONG = ("observation__header", "observation__header_conflicts", "prediction_metadata")


@dataclass(frozen=True)
class Answer:
    """An event about a detection, and whether it is its person's standing answer."""

    event: ValidationEvent
    stands: bool


@dataclass(frozen=True)
class Entry:
    """Something in the history of a place."""

    at: datetime
    kind: str
    row: Detection | Answer | Alert


@requires("detection.view_detection", "curation.view_validationevent", "curation.view_alert")
def detection(request: HttpRequest, detection_id: UUID) -> HttpResponse:
    """Show one detection with everything that is known of it."""
    rows = Detection.objects.visible_to(request.user).defer(*_LONG)
    related = rows.select_related("candidate__difference_run__reference", "observation__field", "source", "model_run")
    row = get_object_or_404(related, pk=detection_id)
    of_source = _detections_of(row.source, request.user) if row.source else []
    answers_of = _answers_by_detection([row, *of_source], request.user)
    hidden, answers = _hidden_from(request.user, [row, *of_source], answers_of), answers_of.get(row.pk, [])
    context = {
        "row": row,
        "heading": _heading(row, is_blind=row.pk in hidden),
        "brightness": brightness_of([row])[row.pk],
        "parts": PARTS if row.cutouts_path else (),
        "overlay": overlay_of(row),
        "hidden": hidden,
        "is_blind": row.pk in hidden,
        "answers": answers,
        "consensus": consensus_of([one.event for one in answers if one.stands]),
        "alerts": Alert.objects.visible_to(request.user).filter(detection=row).order_by("created_at", "id"),
        **_beside(row, of_source),
        **(_light_curve(row.source, of_source) if row.source else {}),
    }
    return render(request, "curation/detection.html", context)


def _heading(row: Detection, *, is_blind: bool) -> str:
    """Return what a detection is called: what people or the model take it for, unless that is not to be seen yet."""
    if is_blind or not (row.human_label or row.detection_type != DetectionType.UNKNOWN):
        return "Detection"
    name = row.human_label.replace("_", " ") or row.get_detection_type_display()
    return name[:1].upper() + name[1:]


@requires("detection.view_source", "curation.view_validationevent", "curation.view_alert")
def source(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Show one source: its light curve, its epochs, and what happened at its place."""
    row = get_object_or_404(Source.objects.visible_to(request.user), pk=source_id)
    detections = _detections_of(row, request.user)
    answers = _answers_by_detection(detections, request.user)
    hidden = _hidden_from(request.user, detections, answers)
    alerts = Alert.objects.visible_to(request.user).filter(detection__source=row).order_by("-created_at", "-id")
    context = {
        "row": row,
        "detections": detections,
        "hidden": hidden,
        "is_cut": len(detections) == _MOST_SHOWN,
        "history": _history(detections, (one for key in answers.keys() - hidden for one in answers[key]), alerts),
        "neighbours": neighbours_of(row),
        "neighbourhood_arcsec": NEIGHBOURHOOD_ARCSEC,
        **_light_curve(row, detections),
    }
    return render(request, "curation/source.html", context)


def _detections_of(row: Source, user: _Person) -> list[Detection]:
    """Return the latest detections of a source in order of time of observation."""
    found: QuerySet[Detection] = Detection.objects.visible_to(user).filter(source=row).defer(*_LONG)
    latest = found.select_related("candidate", "observation").order_by("-created_at")[:_MOST_SHOWN]
    return sorted(latest, key=lambda detection: (detection.observation.mjd_utc, detection.pk))


def _answers_by_detection(rows: Sequence[Detection], user: _Person) -> dict[UUID, list[Answer]]:
    """Return all events about detections in order of time, by the detection's key."""
    keys = [row.pk for row in rows]
    standing = {event.pk for answers in answers_about(keys).values() for event in answers}
    events = ValidationEvent.objects.visible_to(user).filter(detection__in=keys).select_related("validator")
    found: dict[UUID, list[Answer]] = {}
    for event in events.order_by("created_at", "id"):
        found.setdefault(event.detection_id, []).append(Answer(event, event.pk in standing))
    return found


def _hidden_from(user: _Person, rows: Iterable[Detection], answers: dict[UUID, list[Answer]]) -> set[UUID]:
    """Return the detections whose answers this person may not see: in blind mode, until their own is in."""
    if not snapshot().values.get("curation.blind") or not user.has_perm(MAY_JUDGE):
        return set()
    answered = {
        key
        for key, events in answers.items()
        if any(one.stands and one.event.validator_id == user.pk for one in events)
    }
    return {row.pk for row in rows} - answered


def _beside(row: Detection, of_source: Sequence[Detection]) -> dict[str, object]:
    """Return the detections of the same source before and after this one."""
    keys = [other.pk for other in of_source]
    place = keys.index(row.pk) if row.pk in keys else None
    if place is None:
        return {"earlier": None, "later": None}
    return {
        "earlier": of_source[place - 1] if place else None,
        "later": of_source[place + 1] if place + 1 < len(of_source) else None,
        "place": place + 1,
        "of_source": len(of_source),
    }


def _light_curve(row: Source, detections: Sequence[Detection]) -> dict[str, object]:
    epochs: list[Epoch] = epochs_of(row, detections)
    return {"epochs": epochs, "drawing": drawing_of(epochs)}


def _history(detections: Iterable[Detection], answers: Iterable[Answer], alerts: Iterable[Alert]) -> list[Entry]:
    """Return what happened at a place, the latest first."""
    entries = [Entry(_middle(row), "detection", row) for row in detections]
    entries += [Entry(one.event.created_at, "event", one) for one in answers]
    entries += [Entry(row.created_at, "alert", row) for row in alerts]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _middle(row: Detection) -> datetime:
    frame = row.observation
    return frame.observation_time + timedelta(seconds=frame.exposure_time / 2)
