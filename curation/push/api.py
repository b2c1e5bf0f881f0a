"""Subscriptions and their deliveries, for clients; secrets are nowhere among them."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.json_classes import schema_of
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet
from curation.alerts.criteria import Criteria
from curation.judgements.api import UnblindViewSet
from curation.models import Delivery, Subscription
from curation.push.filters import DeliveryListFilter, SubscriptionListFilter
from curation.push.keeping import shown_address


@extend_schema_field(schema_of(Criteria))
class CriteriaField(serializers.JSONField):
    """`Criteria`, those that were given."""


class SubscriptionSerializer(RowSerializer):
    criteria = CriteriaField()
    address = serializers.SerializerMethodField(help_text="Of Slack only the host: the rest is a secret.")

    class Meta:
        model = Subscription
        fields = (
            "id", "created_at", "updated_at", "owner", "name", "criteria", "destination", "address", "until",
            "is_active", "stopped_reason", "ended_at", "place", "failures", "resting_until",
        )  # fmt: skip

    def get_address(self, row: Subscription) -> str:
        return shown_address(row)


class SubscriptionViewSet(RowViewSet):
    """Who is sent which alerts: one's own subscriptions, for administrators all."""

    resource = "subscriptions"
    queryset = Subscription.objects.all()
    serializer_class = SubscriptionSerializer
    filterset_class = SubscriptionListFilter


class DeliverySerializer(RowSerializer):
    class Meta:
        model = Delivery
        fields = "__all__"


class DeliveryViewSet(UnblindViewSet):
    """What was sent to one's own subscriptions, for administrators to all, and what came of it."""

    resource = "deliveries"
    queryset = Delivery.objects.all()
    serializer_class = DeliverySerializer
    filterset_class = DeliveryListFilter
