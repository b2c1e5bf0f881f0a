"""What narrows deliveries and subscriptions, on pages and for clients."""

from __future__ import annotations

from typing import ClassVar

import django_filters
from django.db.models import QuerySet

from catalog.web.filters import AT, FROM_TO, ONE_OF, ListFilter
from curation.models import Delivery, DeliveryStatus, Subscription


class DeliveryFilter(ListFilter):
    """Which deliveries to show."""

    controls: ClassVar[tuple[str, ...]] = ("status", "subscription")

    status = django_filters.ChoiceFilter(choices=DeliveryStatus, label="State", empty_label="Any")
    subscription = django_filters.ModelChoiceFilter(
        queryset=lambda request: (
            Subscription.objects.none()
            if request is None
            else Subscription.objects.visible_to(request.user).order_by("name")
        ),
        label="Subscription",
        empty_label="Any",
    )

    class Meta:
        model = Delivery
        fields: ClassVar[dict[str, list[str]]] = {}

    def filter_queryset(self, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """Leave out what ended with its subscription, unless that one is asked for: nothing is to be done about it."""
        rows: QuerySet[Delivery] = super().filter_queryset(queryset)
        return rows if self.data.get("subscription") else rows.filter(subscription__ended_at__isnull=True)


class DeliveryListFilter(ListFilter):
    """What clients narrow deliveries by."""

    class Meta:
        model = Delivery
        fields = {
            "subscription": AT, "publication": AT, "status": ONE_OF, "created_at": FROM_TO, "delivered_at": FROM_TO,
        }  # fmt: skip


class SubscriptionListFilter(ListFilter):
    """What clients narrow subscriptions by."""

    class Meta:
        model = Subscription
        fields = {"owner": AT, "destination": ONE_OF, "is_active": AT}
