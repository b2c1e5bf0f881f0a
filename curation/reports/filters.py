"""What narrows reports, on pages and for clients."""

from __future__ import annotations

from typing import ClassVar

import django_filters

from catalog.web.filters import AT, FROM_TO, ONE_OF, ListFilter
from curation.models import Report, ReportAttempt, ReportRow, ReportService, ReportStatus


class ReportFilter(ListFilter):
    """Which reports to show."""

    controls: ClassVar[tuple[str, ...]] = ("service", "status")

    service = django_filters.ChoiceFilter(choices=ReportService, label="To", empty_label="Any")
    status = django_filters.ChoiceFilter(choices=ReportStatus, label="State", empty_label="Any")

    class Meta:
        model = Report
        fields: ClassVar[dict[str, list[str]]] = {}


class ReportListFilter(ListFilter):
    """What clients narrow reports by."""

    class Meta:
        model = Report
        fields = {"service": ONE_OF, "status": ONE_OF, "person": AT, "created_at": FROM_TO, "sent_at": FROM_TO}


class ReportRowListFilter(ListFilter):
    """What clients narrow the objects of reports by."""

    class Meta:
        model = ReportRow
        fields = {"report": AT, "status": ONE_OF, "source": AT, "tracklet": AT, "internal_name": AT, "name": AT}


class ReportAttemptListFilter(ListFilter):
    """What clients narrow requests by."""

    class Meta:
        model = ReportAttempt
        fields = {"report": AT, "kind": ONE_OF, "created_at": FROM_TO}
