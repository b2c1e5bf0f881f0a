"""Who is told of alerts unasked, by which way, and what came of each telling."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from catalog import constraints
from catalog.hiding import Asking
from catalog.models import Record, RecordQuerySet
from catalog.roles import MAY_KEEP_ACCOUNTS
from curation.models.alerts import AlertPublication, ToldQuerySet

# Tries before a delivery is dead, and again after each replay.
MOST_ATTEMPTS = 10


class Destination(models.TextChoices):
    """By which way a subscriber is told."""

    WEBHOOK = "webhook", "Webhook"
    SLACK = "slack", "Slack"
    EMAIL = "email", "E-mail"
    KAFKA = "kafka", "Kafka"


class SubscriptionQuerySet(RecordQuerySet):
    """Everybody sees their own subscriptions, administrators see all."""

    def visible_to(self, user: Asking) -> Self:
        return self if user.has_perm(MAY_KEEP_ACCOUNTS) else self.filter(owner=user.pk)

    def sending(self) -> Self:
        """Return those to which what waits is sent."""
        return self.filter(is_active=True, ended_at__isnull=True)

    def rested(self) -> Self:
        """Return those whose receiver may be asked now."""
        return self.filter(Q(resting_until__isnull=True) | Q(resting_until__lte=Now()))


class Subscription(Record):
    """Which alerts are sent to where; `place` is the last publication that was looked at for it.

    A webhook's secrets are rows of their own, which nothing shows.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="subscriptions")
    name = models.CharField(max_length=100)
    criteria = models.JSONField(default=dict, blank=True, help_text="Which alerts: declared values, `Criteria`.")
    destination = models.CharField(max_length=8, choices=Destination)
    address = models.CharField(
        max_length=500, help_text="Of a webhook or of Slack a URL; the latter is a secret. Of Kafka the topic."
    )
    until = models.DateTimeField(null=True, blank=True, help_text="Nothing that is published later is sent.")
    is_active = models.BooleanField(
        default=True, help_text="Paused if not: nothing is sent, and nothing is passed over."
    )
    stopped_reason = models.TextField(blank=True, help_text="Why the system paused it; empty where a person did.")
    ended_at = models.DateTimeField(null=True, blank=True)
    place = models.BigIntegerField(default=0, help_text="Number of the last publication that was looked at.")
    failures = models.PositiveIntegerField(default=0, help_text="Of the receiver, one after the other.")
    resting_until = models.DateTimeField(null=True, blank=True, help_text="The receiver is not asked before.")

    objects = SubscriptionQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["-id"]
        constraints = [
            constraints.one_of("destination", Destination),
            constraints.at_least("place", 0),
            models.UniqueConstraint(
                fields=["owner", "name"], condition=Q(ended_at__isnull=True), name="curation_subscription_name_once"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(is_active=False),
                name="curation_subscription_ended_is_inactive",
                violation_error_message="An ended subscription is not active.",
            ),
        ]
        indexes = [models.Index(fields=["place"], name="subscription_at_work", condition=Q(is_active=True))]

    def __str__(self) -> str:
        return self.name


class SigningSecret(models.Model):
    """What a webhook's messages are signed with; the one before stays valid for a while after another was made.

    No Record, and without permissions: no role reads it, no list holds it. Who has the database alone signs nothing.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="secrets")
    encrypted = models.TextField(help_text="With a key made of SECRET_KEY.")
    created_at = models.DateTimeField(auto_now_add=True)
    valid_until = models.DateTimeField(null=True, blank=True, help_text="Null: until another one is made.")

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(valid_until__isnull=True),
                name="curation_signingsecret_one_current",
            )
        ]

    def __str__(self) -> str:
        return "a secret"


class DeliveryStatus(models.TextChoices):
    """How far one publication has come to one subscriber."""

    WAITING = "waiting"
    SENT = "sent", "sent, without a receipt"
    DELIVERED = "delivered"
    FAILED = "failed", "failed, will be tried again"
    DEAD = "dead", "given up"


# What is yet to be sent, or again.
OPEN = (DeliveryStatus.WAITING, DeliveryStatus.FAILED)


class DeliveryQuerySet(ToldQuerySet):
    """Everybody sees what went to their own subscriptions."""

    def visible_to(self, user: Asking) -> Self:
        if user.has_perm(MAY_KEEP_ACCOUNTS):
            return self
        return self.filter(subscription__owner=user.pk).not_hidden_from(user)

    def due(self) -> Self:
        """Return what is to be sent now."""
        return self.filter(status__in=OPEN, next_try_at__lte=Now(), attempts__lt=F("most_attempts"))


class Delivery(Record):
    """One publication on its way to one subscriber; its key is the `webhook-id` of every try."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="deliveries")
    publication = models.ForeignKey(AlertPublication, on_delete=models.PROTECT, related_name="deliveries")
    status = models.CharField(max_length=10, choices=DeliveryStatus, default=DeliveryStatus.WAITING)
    attempts = models.PositiveIntegerField(default=0, help_text="Tries that were begun.")
    most_attempts = models.PositiveIntegerField(default=MOST_ATTEMPTS, help_text="The try after which it is dead.")
    next_try_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(help_text="It is dead if it has not arrived by then.")
    last_code = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP status of the last answer.")
    last_reason = models.TextField(blank=True, help_text="What the last try came to, if it did not arrive.")
    first_try_at = models.DateTimeField(null=True, blank=True)
    last_try_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True, help_text="When it was acknowledged, or sent by e-mail.")

    objects = DeliveryQuerySet.as_manager()  # type: ignore[misc]

    way_to_alert = "publication__alert__"

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            constraints.one_of("status", DeliveryStatus),
            models.UniqueConstraint(fields=["subscription", "publication"], name="curation_delivery_once"),
            models.CheckConstraint(
                condition=~Q(status__in=[DeliveryStatus.DELIVERED, DeliveryStatus.SENT])
                | Q(delivered_at__isnull=False),
                name="curation_delivery_arrived_at",
                violation_error_message="What was delivered has a time of that.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["subscription", "next_try_at", "id"],
                name="delivery_due",
                condition=Q(status__in=["waiting", "failed"]),
            ),
            models.Index(fields=["subscription", "-id"], name="delivery_of_subscription"),
            models.Index(fields=["status", "-id"], name="delivery_by_status"),
            models.Index(fields=["-delivered_at"], name="delivery_arrived", condition=Q(delivered_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"
