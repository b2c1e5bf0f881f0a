"""What narrows the alerts."""

from __future__ import annotations

import datetime as dt

import django_filters
from django.db.models import QuerySet

from catalog.web.filters import AT, FROM_TO, ONE_OF, ListFilter, day_input, start_of
from curation.models import Alert, AlertPriority, AlertStatus, AlertType


class AlertFilter(ListFilter):
    """Which alerts to show."""

    controls = ("alert_type", "priority", "status", "since")

    alert_type = django_filters.ChoiceFilter(choices=AlertType, label="Type", empty_label="Any")
    priority = django_filters.ChoiceFilter(choices=AlertPriority, label="Priority", empty_label="Any")
    status = django_filters.ChoiceFilter(choices=AlertStatus, label="State", empty_label="Any")
    since = django_filters.DateFilter(method="made_since", label="Since", widget=day_input())

    class Meta:
        model = Alert
        fields = {
            "number": AT, "detection": AT, "alert_type": ONE_OF, "priority": ONE_OF, "status": ONE_OF,
            "is_published": AT, "created_at": FROM_TO,
        }  # fmt: skip

    def made_since(self, rows: QuerySet[Alert], _name: str, day: dt.date) -> QuerySet[Alert]:
        """Keep what was made since the beginning of a day, UTC."""
        return rows.filter(created_at__gte=start_of(day))
