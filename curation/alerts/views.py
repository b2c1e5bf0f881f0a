"""Pages of alerts: what was told, on what grounds, and what went out."""

from __future__ import annotations

import json
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from catalog.configuration.values import snapshot
from catalog.models import Visitor
from catalog.web.access import requires
from catalog.web.lists import list_page
from curation.alerts.automatic import automatic
from curation.alerts.facts import facts_told
from curation.alerts.filters import AlertFilter
from curation.alerts.words import facts_in_words
from curation.judgements import visibility
from curation.models import Alert, AlertPublication
from detection.cutouts.overlay import overlay_of
from detection.cutouts.pictures import PARTS
from detection.models import Detection

_NEWEST = ("-created_at", "-id")
_LONG = ("message", "alert_metadata", "publication__payload")
# Other alerts of the source that a page shows.
_MOST_SHOWN = 50


@requires("curation.view_alert")
def alerts(request: HttpRequest) -> HttpResponse:
    """Show the alerts, the newest first."""
    told = None if visibility.is_blind(request.user) else automatic(snapshot())
    page = list_page(request, AlertFilter, listed(request), _NEWEST)
    return render(request, "curation/alerts.html", page | {"automatic": told})


def listed(request: HttpRequest) -> QuerySet[Alert]:
    """Return the alerts that the person may read, with what a list shows of them."""
    rows: QuerySet[Alert] = visibility.alerts_for(request.user).order_by(*_NEWEST)
    return rows.select_related("publication", "detection").defer(*_LONG, "detection__prediction_metadata")


@requires("curation.view_alert", "detection.view_detection")
def alert(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """Show one alert as an astronomer reads it, and what of it was published."""
    rows = visibility.alerts_for(request.user).select_related(
        "detection__observation", "detection__source", "detection__candidate__difference_run"
    )
    row = get_object_or_404(rows.defer("detection__observation__header"), pk=alert_id)
    published = AlertPublication.objects.visible_to(request.user).filter(alert=row).first()
    is_blind = visibility.is_blind(request.user)
    context = {
        "row": row,
        "detection": row.detection,
        "facts": facts_in_words(facts_told(row)),
        "published": published,
        "packet": reverse("api:alerts-packet", args=[row.pk]) if published and not is_blind else "",
        "payload": json.dumps(published.payload, indent=2, ensure_ascii=False) if published else "",
        "others": _others(request.user, row.detection),
        "parts": PARTS if row.detection.cutouts_path else (),
        "overlay": overlay_of(row.detection),
    }
    return render(request, "curation/alert.html", context)


def _others(user: Visitor, detection: Detection) -> QuerySet[Alert]:
    """Return the alerts about the same source, this one among them, the newest first."""
    same = {"detection__source": detection.source_id} if detection.source_id else {"detection": detection}
    rows: QuerySet[Alert] = visibility.alerts_for(user).filter(**same).order_by(*_NEWEST)
    return rows.select_related("publication").defer(*_LONG)[:_MOST_SHOWN]
