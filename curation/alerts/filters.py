"""What narrows the alerts."""

from __future__ import annotations

import datetime as dt

import django_filters
from django.db.models import QuerySet

from catalog.web.filters import AT, FROM_TO, ONE_OF, ConeFilter, ListFilter, day_input, number, start_of
from curation.models import Alert, AlertPriority, AlertStatus, AlertType
from detection.models import Detection
from observations.sky import Cone


class DetectedWithin(ConeFilter):
    """Rows whose detection lies within a distance of a position."""

    def filter(self, rows: QuerySet[Alert], cone: Cone | None) -> QuerySet[Alert]:  # type: ignore[override]
        """Keep what tells of a detection there."""
        return rows if cone is None else rows.filter(detection__in=Detection.objects.cone(*cone))


class AlertFilter(ListFilter):
    """Which alerts to show."""

    controls = ("alert_type", "priority", "status", "since")

    alert_type = django_filters.ChoiceFilter(choices=AlertType, label="Type", empty_label="Any")
    priority = django_filters.ChoiceFilter(choices=AlertPriority, label="Priority", empty_label="Any")
    status = django_filters.ChoiceFilter(choices=AlertStatus, label="State", empty_label="Any")
    since = django_filters.DateFilter(method="made_since", label="Since", widget=day_input())
    source = django_filters.UUIDFilter("detection__source")
    candidate = django_filters.UUIDFilter("detection__candidate")
    cone = DetectedWithin()
    band = django_filters.CharFilter("detection__observation__filter_band", max_length=32)
    mjd_utc__gte = number("detection__observation__mjd_utc", "gte")
    mjd_utc__lte = number("detection__observation__mjd_utc", "lte")

    class Meta:
        model = Alert
        fields = {
            "number": AT, "detection": AT, "alert_type": ONE_OF, "priority": ONE_OF, "status": ONE_OF,
            "is_published": AT, "created_at": FROM_TO, "updated_at": FROM_TO,
        }  # fmt: skip

    def made_since(self, rows: QuerySet[Alert], _name: str, day: dt.date) -> QuerySet[Alert]:
        """Keep what was made since the beginning of a day, UTC."""
        return rows.filter(created_at__gte=start_of(day))
