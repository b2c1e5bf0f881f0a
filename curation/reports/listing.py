"""Which reports tell of an object, and what may be reported of it: for its pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q

from catalog.models import Visitor
from catalog.roles import MAY_REPORT
from curation.judgements.visibility import is_blind
from curation.models import ReportRow
from curation.reports.mpc_draft import LEAST_POSITIONS, title_of
from detection.models import Detection
from differencing.models import Candidate, Tracklet

_MOST_TRACKLETS = 100
_NIGHTS = 14


@dataclass(frozen=True)
class ReportsOf:
    """What is told of an object: by which rows of reports, and the keys of what may be reported of it."""

    rows: Sequence[ReportRow]
    source: UUID | None
    tracklet: UUID | None


@dataclass(frozen=True)
class Moving:
    """A tracklet that may be chosen."""

    tracklet: Tracklet
    title: str
    positions: int


def reports_of(user: Visitor, source: UUID | None, candidate: Candidate | None = None) -> ReportsOf | None:
    """Return what is reported of a source or of what moves; None where it is not for this person."""
    if not user.has_perm(MAY_REPORT) or is_blind(user):
        return None
    tracklets = candidate.tracklets.moving().linked() if candidate is not None else Tracklet.objects.none()
    moving = max(tracklets.annotate(size=Count("members")), key=lambda row: (row.size, row.pk), default=None)
    rows = ReportRow.objects.not_hidden_from(user).filter(
        Q(source=source, source__isnull=False) | Q(tracklet__in=tracklets)
    ).select_related("report").order_by("-id")  # fmt: skip
    return ReportsOf(list(rows), None if moving is not None else source, moving.pk if moving is not None else None)


def moving_lately(user: Visitor) -> list[Moving]:
    """Return the tracklets of the newest nights that have enough positions, those seen last first."""
    rows = Tracklet.objects.visible_to(user).linked().moving().annotate(size=Count("members"))
    newest = rows.order_by("-night").values_list("night", flat=True).first()
    if newest is None:
        return []
    recent = rows.filter(night__gt=newest - dt.timedelta(days=_NIGHTS), size__gte=LEAST_POSITIONS)
    return [Moving(row, title_of(row), row.size) for row in recent.order_by("-night", "-id")[:_MOST_TRACKLETS]]


def detections_of(rows: Sequence[ReportRow], user: Visitor) -> dict[UUID, Detection]:
    """Return by the key of each row a detection of which a finding chart can be drawn."""
    found = {}
    for row in rows:
        seen = Detection.objects.visible_to(user).live()
        seen = seen.filter(source=row.source) if row.source_id else seen.filter(candidate__tracklets=row.tracklet)
        first = seen.order_by("observation__mjd_utc").first() if row.source_id or row.tracklet_id else None
        if first is not None:
            found[row.pk] = first
    return found
