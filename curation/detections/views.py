"""Pages of detections and of sources: their lists, and of one what was measured, said and made known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from catalog.configuration.values import snapshot
from catalog.counting import count_bounded
from catalog.models import Visitor
from catalog.retention.words import removed_words
from catalog.roles import MAY_CHOOSE_EXAMPLES
from catalog.web.access import requires
from catalog.web.lists import list_page
from curation.detections.epochs import Epoch, epochs_of
from curation.detections.filters import DetectionListFilter
from curation.detections.light_curve import drawing_of, has_nights
from curation.injected.rows import as_found, source_shown
from curation.judgements import visibility
from curation.judgements.settled import settled_of
from curation.judgements.verdicts import OPEN, answers_about, consensus_of, outcome_of
from curation.models import Alert, GoldItem, LabelExample, SavedFilter, ValidationEvent
from curation.notes.forms import NoteForm
from curation.notes.notes import notes_on
from curation.reports.listing import reports_of
from detection.context.around import around_of
from detection.context.surroundings import context_of
from detection.cutouts.overlay import overlay_of
from detection.cutouts.pictures import PARTS
from detection.models import Detection, DetectionType, Source
from detection.shown import as_shown
from detection.sources.filters import SourceFilter
from detection.sources.neighbours import NEIGHBOURHOOD_ARCSEC, neighbours_of
from detection.sources.photometry import brightness_of
from differencing.models import Candidate
from observations.models import Field
from observations.places import middle_of

# What a list shows of the rows beside its own: headers and footprints are long, and nobody reads them here.
_FRAME = ("original_name", "observation_id", "observation_time", "filter_band", "field_id")
_BESIDE = (
    Prefetch("candidate", Candidate.objects.only("flux", "flux_error", "snr")),
    Prefetch("source", Source.objects.only("name", "ra", "dec")),
    Prefetch("observation__field", Field.objects.only("name", "ra", "dec")),
)
# Names of fields that are offered while one types.
_OFFERED = 200
# Rows of one source that a page shows, the latest.
_MOST_SHOWN = 200
_LONG = ("observation__header", "observation__facts", "prediction_metadata")
_LONG_OF_ONE = _LONG[:2]
_RELATED = (
    "candidate__difference_run__reference", "observation__field", "observation__survey", "source", "model_run",
)  # fmt: skip


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


@requires("detection.view_detection")
def detections(request: HttpRequest) -> HttpResponse:
    """Show the detections, the newest or the best first."""
    rows = Detection.objects.visible_to(request.user)
    context = list_page(request, DetectionListFilter, _listed(rows), DetectionListFilter.ordering(request.GET))
    found = context["page"].rows
    hidden = visibility.veil(found, request.user)
    brightness, settled = brightness_of(found), settled_of(found, request.user)
    for row in found:
        row.brightness, row.settled = brightness[row.pk], settled.get(row.pk)
    context |= {
        "hidden": hidden,
        "count": count_bounded(context["rows"]),
        "field_names": _field_names(request),
        "saved": SavedFilter.objects.visible_to(request.user).select_related("person"),
        "triage_query": DetectionListFilter.triage_query(request.GET),
    }
    return render(request, "curation/detections.html", context)


@requires("detection.view_source")
def sources(request: HttpRequest) -> HttpResponse:
    """Show the sources, those seen last first."""
    rows = Source.objects.visible_to(request.user)
    context = list_page(request, SourceFilter, rows, ("-last_detected_at", "id"))
    found = context["page"].rows
    as_shown(found, request.user)
    newest = _newest_of(found, request.user)
    hidden = visibility.veil(newest.values(), request.user)
    for row in found:
        row.newest = newest.get(row.pk)
    return render(request, "curation/sources.html", context | {"hidden": hidden, "field_names": _field_names(request)})


@requires("detection.view_detection", "curation.view_validationevent", "curation.view_alert")
def detection(request: HttpRequest, detection_id: UUID) -> HttpResponse:
    """Show one detection with everything that is known of it."""
    rows = Detection.with_injected.visible_to(request.user).defer(*_LONG_OF_ONE)
    related = rows.select_related(*_RELATED)
    row = get_object_or_404(related, pk=detection_id)
    as_found([row])
    as_shown([row.source] if row.source else [], request.user)
    of_source = [row] if row.is_injected else _detections_of(row.source, request.user) if row.source else []
    answers_of = _answers_by_detection([row, *of_source], request.user)
    known = context_of(row)
    removed = removed_words(row)
    hidden, answers = visibility.veil([row, *of_source], request.user), answers_of.get(row.pk, [])
    context = {
        "row": row,
        "heading": _heading(row, is_blind=row.pk in hidden),
        "brightness": brightness_of([row])[row.pk],
        "parts": PARTS if row.cutouts_path and not removed else (),
        "removed": removed,
        "overlay": overlay_of(row),
        "known": known.known,
        "context": known,
        "around": around_of(row, known),
        "hidden": hidden,
        "is_blind": row.pk in hidden,
        "answers": answers,
        **_decided(row, [one.event for one in answers if one.stands], request.user),
        "alerts": visibility.alerts_for(request.user).filter(detection=row).order_by("created_at", "id"),
        "held_by": row.observation.doubts.blocking(),
        "notes": notes_on({row.pk, *(one.pk for one in of_source)}, request.user),
        "notes_on": row.pk,
        "note_form": NoteForm(auto_id="note_%s"),
        "reports": None if row.is_injected else reports_of(request.user, row.source_id, row.candidate),
        **_beside(row, of_source),
        **(_light_curve(row.source, of_source, request) if row.source else {}),
    }
    return render(request, "curation/detection.html", context)


def _decided(row: Detection, standing: Sequence[ValidationEvent], user: Visitor) -> dict[str, object]:
    """Return what answers come to, what is missing where that is not enough, and what experts may do with it."""
    told: dict[str, object] = {"consensus": consensus_of(standing), "is_open": row.status in OPEN}
    if row.status in OPEN and standing:
        config = snapshot()
        told |= {"outcome": outcome_of(standing, config), "required": config["curation.required_answers"]}
        told["given"] = len(standing)
    elif user.has_perm(MAY_CHOOSE_EXAMPLES):
        told["is_example"] = LabelExample.objects.filter(detection=row).exists()
        told["is_known"] = GoldItem.objects.filter(detection=row, is_active=True).exists()
        told["mixes_known"] = bool(snapshot()["curation.gold_share"])
    return told


def _heading(row: Detection, *, is_blind: bool) -> str:
    """Return what a detection is called: what people or the model take it for, unless that is not to be seen yet."""
    if is_blind or not (row.human_label or row.detection_type != DetectionType.UNKNOWN):
        return "Detection"
    name = row.human_label.replace("_", " ") or row.get_detection_type_display()
    return name[:1].upper() + name[1:]


@requires("detection.view_source", "curation.view_validationevent", "curation.view_alert")
def source(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Show one source: its light curve, its epochs, and what happened at its place."""
    row, detections = source_shown(request.user, source_id) or (None, [])
    if row is None:
        row = get_object_or_404(Source.objects.visible_to(request.user), pk=source_id)
        detections = _detections_of(row, request.user)
    as_shown([row], request.user)
    answers = _answers_by_detection(detections, request.user)
    hidden = visibility.veil(detections, request.user)
    alerts = visibility.alerts_for(request.user).filter(detection__source=row).order_by("-created_at", "-id")
    context = {
        "row": row,
        "detections": [(one, _middle(one)) for one in detections],
        "hidden": hidden,
        "is_cut": len(detections) == _MOST_SHOWN,
        "history": _history(detections, (one for events in answers.values() for one in events), alerts),
        "neighbours": neighbours_of(row, request.user),
        "notes": notes_on([one.pk for one in detections], request.user),
        "notes_on": detections[-1].pk if detections else None,
        "note_form": NoteForm(auto_id="note_%s"),
        "neighbourhood_arcsec": NEIGHBOURHOOD_ARCSEC,
        "reports": reports_of(request.user, row.pk),
        **_light_curve(row, detections, request),
    }
    return render(request, "curation/source.html", context)


def _listed(rows: QuerySet[Detection]) -> QuerySet[Detection]:
    """Load what a list shows of each row, and nothing else; what stands beside it, of the rows of one page only."""
    own = [field.attname for field in Detection._meta.concrete_fields if field.name != "prediction_metadata"]
    frame = [f"observation__{name}" for name in _FRAME]
    return rows.select_related("observation").only(*own, *frame).prefetch_related(*_BESIDE)


def _newest_of(found: list[Source], user: Visitor) -> dict[UUID, Detection]:
    """Return the newest detection of each source, by the source's key."""
    newest = Detection.objects.not_hidden_from(user).filter(source=OuterRef("pk")).order_by("-created_at")
    of_each = Source.objects.filter(pk__in=[row.pk for row in found]).annotate(last=Subquery(newest.values("pk")[:1]))
    keys = [key for key in of_each.values_list("last", flat=True) if key is not None]
    rows = Detection.objects.visible_to(user).filter(pk__in=keys)
    shown = rows.only("source_id", "status", "confidence_score", "cutouts_path", "human_label", "detection_type")
    return {row.source_id: row for row in shown if row.source_id is not None}


def _field_names(request: HttpRequest) -> list[str]:
    names = Field.objects.visible_to(request.user).exclude(name="").order_by("name").values_list("name", flat=True)
    return [name for name in dict.fromkeys(names[:_OFFERED]) if name.isprintable()]


def _detections_of(row: Source, user: Visitor) -> list[Detection]:
    """Return the latest detections of a source in order of time of observation."""
    found: QuerySet[Detection] = Detection.objects.visible_to(user).filter(source=row).defer(*_LONG)
    latest = found.select_related("candidate", "observation").order_by("-created_at")[:_MOST_SHOWN]
    return sorted(latest, key=lambda detection: (detection.observation.mjd_utc, detection.pk))


def _answers_by_detection(rows: Sequence[Detection], user: Visitor) -> dict[UUID, list[Answer]]:
    """Return what a person may read of the events about detections, in order of time, by the detection's key."""
    keys = [row.pk for row in rows]
    standing = {event.pk for answers in answers_about(keys).values() for event in answers}
    events = visibility.judgements_for(user).filter(detection__in=keys).select_related("validator")
    found: dict[UUID, list[Answer]] = {}
    for event in events.order_by("created_at", "id"):
        found.setdefault(event.detection_id, []).append(Answer(event, event.pk in standing))
    return found


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


def _light_curve(row: Source, detections: Sequence[Detection], request: HttpRequest) -> dict[str, object]:
    """Return the light curve as asked for: `curve=flux` in counts, `time=through` with the days between nights."""
    epochs: list[Epoch] = epochs_of(row, detections, request.user)
    asked: Mapping[str, str] = request.GET
    in_flux, by_night = asked.get("curve") == "flux", asked.get("time") != "through"
    return {
        "epochs": epochs,
        "drawing": drawing_of(epochs, in_flux=in_flux, most_nights=math.inf if by_night else 0),
        "has_totals": any(epoch.total_flux is not None for epoch in epochs),
        "in_flux": in_flux,
        "by_night": by_night,
        "has_magnitudes": any(epoch.mag is not None for epoch in epochs),
        "has_nights": has_nights(epochs),
    }


def _history(detections: Iterable[Detection], answers: Iterable[Answer], alerts: Iterable[Alert]) -> list[Entry]:
    """Return what happened at a place, the latest first."""
    entries = [Entry(_middle(row), "detection", row) for row in detections]
    entries += [Entry(one.event.created_at, "event", one) for one in answers]
    entries += [Entry(row.created_at, "alert", row) for row in alerts]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _middle(row: Detection) -> datetime:
    return middle_of(row.observation)
