"""What narrows the queue of triage."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from curation.triage.queue import Queue
from detection.models import Detection, DetectionStatus
from observations.models import Field

_QUEUES = [
    (DetectionStatus.PENDING, "pending"),
    (DetectionStatus.VALIDATED, "validated"),
    (DetectionStatus.REJECTED, "rejected"),
    (DetectionStatus.CONFIRMED, "confirmed"),
]
_LONGEST_NAME = 100


class QueueFilter(django_filters.FilterSet):
    """Which detections to review: those that wait, where nothing else is said."""

    status = django_filters.ChoiceFilter(choices=_QUEUES, empty_label=None, label="State", method="kept_apart")
    score_min = django_filters.NumberFilter("confidence_score", "gte", label="Score from", min_value=0, max_value=1)
    score_max = django_filters.NumberFilter("confidence_score", "lte", label="to", min_value=0, max_value=1)
    field = django_filters.CharFilter(label="Field", method="of_field", max_length=_LONGEST_NAME)
    night = django_filters.DateFilter("observation__night", label="Night (date of its evening)")
    band = django_filters.CharFilter("observation__filter_band", label="Band", max_length=32)

    class Meta:
        model = Detection
        fields: list[str] = []

    def __init__(self, data: QueryDict, request: HttpRequest) -> None:
        given = data.copy()
        given.setdefault("status", DetectionStatus.PENDING)
        super().__init__(given, queryset=Detection.objects.visible_to(request.user), request=request)
        fields = self.form.fields
        fields["night"].widget.input_type = "date"
        fields["field"].widget.attrs["list"] = "fields"
        for name in ("score_min", "score_max"):
            fields[name].widget.attrs["step"] = "any"

    @property
    def queue(self) -> Queue:
        """Return the queue; of a filter that cannot be read an empty one: to pass it over would show too much."""
        if not self.form.is_valid():
            return Queue(DetectionStatus.PENDING, self.queryset.none())
        return Queue(self.form.cleaned_data["status"] or DetectionStatus.PENDING, self.qs)

    @property
    def is_narrowed(self) -> bool:
        """Tell whether anything but the state was asked for."""
        return any(self.data.get(name) for name in self.filters if name != "status")

    def kept_apart(self, rows: QuerySet[Detection], _: str, __: Any) -> QuerySet[Detection]:
        """Leave the state to the queue: what waits turns into what is looked at while it is held."""
        return rows

    def of_field(self, rows: QuerySet[Detection], _: str, value: str) -> QuerySet[Detection]:
        """Return the detections of a field, by name or key."""
        try:
            return rows.filter(observation__field=UUID(value))
        except ValueError:
            fields = Field.objects.filter(name__iexact=value).values_list("pk", flat=True)
            return rows.filter(observation__field__in=list(fields))
