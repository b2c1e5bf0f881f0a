"""What narrows the queue of triage: what narrows detections everywhere."""

from __future__ import annotations

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, QueryDict

from curation.detections.filters import DetectionFilter
from curation.judgements import visibility
from curation.models import Conflict
from curation.triage.orders import TITLES, Order
from curation.triage.queue import Part, Queue
from detection.models import Detection, DetectionStatus

_BY = [("object", "objects"), ("detection", "single detections")]
_OF_EXPERTS = ("conflict", "conflicts")
_PARTS = {"put_off": Part.PUT_OFF, "asked": Part.ASKED}
_QUEUES = [
    (DetectionStatus.PENDING.value, DetectionStatus.PENDING.value),
    ("put_off", "put off by you"),
    ("asked", "second opinion asked for"),
    *((status.value, status.value) for status in visibility.DECIDED),
]


class QueueFilter(DetectionFilter):
    """Which detections to review: those that wait, where nothing else is said."""

    controls = (
        "by", "order", "status", "score_min", "score_max", "place", "field", "night_from", "night_to", "band",
        "detection_type",
        "label", "without_label", "origin", "survey",
    )  # fmt: skip
    by = django_filters.ChoiceFilter(
        choices=[*_BY, _OF_EXPERTS],
        empty_label=None,
        label="Review",
        method="whose_it_is",
    )
    order = django_filters.ChoiceFilter(
        choices=[(order.value, title) for order, title in TITLES.items()],
        empty_label=None,
        label="Order",
        method="as_it_is",
    )
    status = django_filters.ChoiceFilter(choices=_QUEUES, empty_label=None, label="State", method="kept_apart")

    def __init__(self, data: QueryDict, request: HttpRequest) -> None:
        given = data.copy()
        given.setdefault("status", DetectionStatus.PENDING)
        given.setdefault("by", "object")
        given.setdefault("order", Order.SCORE)
        super().__init__(given, queryset=Detection.objects.visible_to(request.user), request=request)
        if not visibility.settles_conflicts(request.user):
            self.filters["by"].extra["choices"] = _BY

    @property
    def queue(self) -> Queue:
        """Return the queue; of a filter that cannot be read an empty one: to pass it over would show too much."""
        return Queue(self.state, self.qs, _PARTS.get(self._asked), self.in_order, self._injected)

    @property
    def _injected(self) -> QuerySet[Detection] | None:
        """Return what was injected, narrowed in the same way."""
        if not (self.form.is_valid() and self.is_of_waiting):
            return None
        rows = Detection.with_injected.visible_to(self.request.user).filter(is_injected=True)
        return self.filter_queryset(rows)

    @property
    def in_order(self) -> Order:
        """Return what comes first."""
        return Order(self.form.cleaned_data["order"]) if self.form.is_valid() else Order.SCORE

    @property
    def state(self) -> str:
        """Return the state that is asked for; what is put off waits like the rest."""
        return DetectionStatus.PENDING if self._asked in _PARTS else self._asked

    @property
    def by_detection(self) -> bool:
        """Tell whether single detections are reviewed: where asked for, and of what is decided, each in its state."""
        is_asked_for = self.form.is_valid() and self.form.cleaned_data["by"] == "detection"
        return is_asked_for or self.state != DetectionStatus.PENDING

    @property
    def every(self) -> QuerySet[Detection]:
        """Return the queue before it was narrowed by anything but the state."""
        by = self.form.cleaned_data["by"] if self.form.is_valid() else "object"
        return self.whose_it_is(self.kept_apart(self.queryset, "status", self.state), "by", by)

    @property
    def is_narrowed(self) -> bool:
        """Tell whether anything but the state was asked for."""
        return any(self.data.get(name) for name in self.filters if name not in ("by", "order", "status"))

    @property
    def _asked(self) -> str:
        return str(self.form.cleaned_data["status"]) if self.form.is_valid() else DetectionStatus.PENDING

    @property
    def of_conflicts(self) -> bool:
        """Tell whether an expert reviews what people do not agree about."""
        return self.form.is_valid() and self.form.cleaned_data["by"] == "conflict"

    @property
    def is_of_waiting(self) -> bool:
        """Tell whether this is what waits for everybody."""
        return self._asked == DetectionStatus.PENDING and not self.of_conflicts

    def as_it_is(self, rows: QuerySet[Detection], *_: object) -> QuerySet[Detection]:
        """Leave to the queue what comes first."""
        return rows

    def whose_it_is(self, rows: QuerySet[Detection], _: str, by: object) -> QuerySet[Detection]:
        """Give conflicts to experts and to nobody else; what an item is, is left to the queue."""
        conflict = Exists(Conflict.objects.filter(detection=OuterRef("pk")))
        return rows.filter(conflict) if by == "conflict" else rows.filter(~conflict)

    def kept_apart(self, rows: QuerySet[Detection], _: str, state: object) -> QuerySet[Detection]:
        """Leave the state to the queue: what waits turns into what is looked at while it is held.

        What was decided is found by those who may see it.
        """
        is_decided = state in visibility.DECIDED
        return rows.filter(visibility.shown_as(self.request.user, "status", "exact", state)) if is_decided else rows
