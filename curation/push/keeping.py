"""What people do with their subscriptions, and why one is stopped by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from catalog.failures import NotPossible
from catalog.files.addresses import AddressRefused
from catalog.files.mail import can_send_mail
from catalog.files.posting import check_receiver
from catalog.models import User
from catalog.people import audit
from catalog.roles import MAY_SUBSCRIBE
from catalog.work.rows import after
from curation.alerts.criteria import Criteria
from curation.judgements.visibility import is_blind
from curation.models import (
    MOST_ATTEMPTS,
    OPEN,
    Delivery,
    DeliveryStatus,
    Destination,
    SigningSecret,
    Subscription,
)
from curation.push.kafka import NO_KAFKA, WRONG_TOPIC, has_kafka, is_topic
from curation.push.reading import EXPIRE_SECONDS, last_published
from curation.push.sending import NO_MAIL
from curation.push.signing import make_secret

# A receiver has so long to learn its new secret.
ROTATION_SECONDS = 24 * 3600.0
_MOST_SUBSCRIPTIONS = 50
_ENDED = "The subscription ended before this could be sent."
BLIND = "This account judges blind, and alerts tell what others judged: they are sent to no subscription of it."


class Refused(ValueError):
    """Such a subscription is not kept; the text says why, `field` which part of the wish it is about, if one."""

    def __init__(self, text: str, field: str = "") -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True)
class Wish:
    """What a person asks for."""

    name: str
    criteria: Criteria
    destination: Destination
    address: str
    until: datetime | None = None


def shown_address(row: Subscription) -> str:
    """Return where a subscription leads, without what lets others write there: an address of Slack is a password."""
    if row.destination != Destination.SLACK:
        return str(row.address)
    return f"{urlsplit(row.address).scheme}://{urlsplit(row.address).hostname}/… (kept secret)"


def reason_against(owner: User) -> str:
    """Return why nothing may be sent to a person's subscriptions; "" where it may."""
    if not owner.is_active:
        return f"The account {owner.get_username()} is disabled."
    if not owner.has_perm("curation.view_alert") or not owner.has_perm(MAY_SUBSCRIBE):
        return f"The account {owner.get_username()} may not subscribe to alerts any more."
    return BLIND if is_blind(owner) else ""


@transaction.atomic
def subscribe(owner: User, wish: Wish, actor: audit.Actor) -> tuple[Subscription, str]:
    """Make a subscription to what is published from now on; return it and a webhook's secret, which is not shown again.

    The secret is "" for other destinations. Raises Refused.
    """
    if why := reason_against(owner):
        raise Refused(why)
    if Subscription.objects.filter(owner=owner, ended_at__isnull=True).count() >= _MOST_SUBSCRIPTIONS:
        raise Refused(f"You have {_MOST_SUBSCRIPTIONS} subscriptions already: end one first.")
    _check(wish)
    row = Subscription(
        owner=owner,
        name=wish.name,
        criteria=wish.criteria.stored(),
        destination=wish.destination,
        address=wish.address,
        until=wish.until,
        place=last_published(),
    )
    _save(row)
    secret = make_secret(row) if row.destination == Destination.WEBHOOK else ""
    audit.record(row, "create_subscription", actor=actor, new=_told(row), summary=row.name)
    return row, secret


@transaction.atomic
def change(subscription: Subscription, wish: Wish, actor: audit.Actor) -> tuple[Subscription, str]:
    """Change what is wanted, or where it goes; what waits already is sent there too.

    Returns the secret that a webhook gets when it had none or leads elsewhere now, else "". Raises Refused.
    """
    row = _locked(subscription)
    old, was = _told(row), (row.destination, row.address)
    _check(wish)
    row.name, row.criteria, row.until = wish.name, wish.criteria.stored(), wish.until
    row.destination, row.address = wish.destination, wish.address
    moved = was != (row.destination, row.address)
    if moved:
        row.failures, row.resting_until = 0, None
    _save(row)
    secret = ""
    if moved:
        # Whoever received before must not be able to sign what the next one believes.
        row.secrets.all().delete()
        secret = make_secret(row) if row.destination == Destination.WEBHOOK else ""
    new = _told(row) | ({"leads_elsewhere": True} if moved else {})
    audit.record(row, "change_subscription", actor=actor, old=old, new=new, summary=row.name)
    return row, secret


@transaction.atomic
def rotate(subscription: Subscription, actor: audit.Actor) -> str:
    """Make another secret and return it; the present one stays valid for a day, and both sign."""
    row = _locked(subscription)
    if row.destination != Destination.WEBHOOK:
        raise NotPossible("Only webhooks are signed.")
    SigningSecret.objects.filter(subscription=row, valid_until__isnull=True).update(valid_until=after(ROTATION_SECONDS))
    secret = make_secret(row)
    audit.record(row, "rotate_secret", actor=actor, summary=row.name)
    return secret


@transaction.atomic
def pause(subscription: Subscription, actor: audit.Actor) -> None:
    """Send nothing until it is resumed; nothing is passed over meanwhile."""
    row = _locked(subscription)
    if not row.is_active:
        raise NotPossible("This subscription is paused already.")
    Subscription.objects.filter(pk=row.pk).update(is_active=False, stopped_reason="")
    audit.record(row, "pause_subscription", actor=actor, old={"is_active": True}, new={"is_active": False})


@transaction.atomic
def resume(subscription: Subscription, actor: audit.Actor, *, skips: bool = False) -> None:
    """Go on, with what was published meanwhile, or without it where `skips`."""
    row = _locked(subscription)
    if row.is_active:
        raise NotPossible("This subscription is active.")
    if why := reason_against(row.owner):
        raise NotPossible(why)
    place = last_published() if skips else row.place
    Subscription.objects.filter(pk=row.pk).update(
        is_active=True, stopped_reason="", failures=0, resting_until=None, place=place
    )
    _open_deliveries(row).update(next_try_at=Now(), expires_at=after(EXPIRE_SECONDS))
    old = {"is_active": False, "place": row.place, "reason": row.stopped_reason}
    audit.record(row, "resume_subscription", actor=actor, old=old, new={"is_active": True, "place": place})


@transaction.atomic
def end(subscription: Subscription, actor: audit.Actor, why: str = "") -> None:
    """End a subscription for good; its rows stay, its secrets do not."""
    row = _locked(subscription)
    left = _open_deliveries(row).update(status=DeliveryStatus.DEAD, next_try_at=None, last_reason=_ENDED)
    row.secrets.all().delete()
    Subscription.objects.filter(pk=row.pk).update(is_active=False, ended_at=Now(), stopped_reason=why)
    new = {"reason": why, "not_sent": left}
    audit.record(row, "end_subscription", actor=actor, old=_told(row), new=new, summary=row.name)


def stop(row: Subscription, why: str) -> None:
    """Pause a subscription by itself, in the caller's transaction, with the reason."""
    if Subscription.objects.filter(pk=row.pk, is_active=True).update(is_active=False, stopped_reason=why):
        audit.record(row, "stop_subscription", old={"is_active": True}, new={"is_active": False, "reason": why})


@transaction.atomic
def replay(rows: QuerySet[Delivery], actor: audit.Actor) -> int:
    """Let dead deliveries be tried again, as often as new ones, under the same `webhook-id`; return how many.

    Those of ended subscriptions stay dead.
    """
    dead = rows.filter(status=DeliveryStatus.DEAD, subscription__ended_at__isnull=True).order_by("pk")
    chosen = list(dead.select_for_update(of=("self",)))
    for row in chosen:
        row.status, row.most_attempts = DeliveryStatus.WAITING, row.attempts + MOST_ATTEMPTS
        row.next_try_at, row.expires_at = Now(), after(EXPIRE_SECONDS)
    Delivery.objects.bulk_update(chosen, ["status", "most_attempts", "next_try_at", "expires_at"], batch_size=500)
    audit.record_changes(
        ((row, {"attempts": row.attempts, "reason": row.last_reason}, {"status": row.status}) for row in chosen),
        "replay_delivery",
        actor=actor,
    )
    return len(chosen)


def _locked(subscription: Subscription) -> Subscription:
    """Return the row as it stands, held to the end of the transaction; NotPossible where it has ended."""
    row: Subscription = Subscription.objects.select_for_update().get(pk=subscription.pk)
    if row.ended_at is not None:
        raise NotPossible("This subscription has ended: make a new one.")
    return row


def _open_deliveries(row: Subscription) -> QuerySet[Delivery]:
    return Delivery.objects.filter(subscription=row, status__in=OPEN)


def _save(row: Subscription) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Refused(f"You have a subscription “{row.name}” already: give this one another name.", "name") from error


def _check(wish: Wish) -> None:
    if wish.destination == Destination.EMAIL:
        if not can_send_mail():
            raise Refused(NO_MAIL, "destination")
        return
    if wish.destination == Destination.KAFKA:
        if not has_kafka():
            raise Refused(NO_KAFKA, "destination")
        if not is_topic(wish.address):
            raise Refused(WRONG_TOPIC, "address")
        return
    try:
        check_receiver(wish.address)
    except AddressRefused as refusal:
        raise Refused(str(refusal), "address") from refusal


def _told(row: Subscription) -> dict[str, object]:
    """Return what the audit log may know."""
    return {
        "owner": row.owner.get_username(),
        "name": row.name,
        "criteria": row.criteria,
        "destination": row.destination,
        "address": shown_address(row),
        "until": row.until,
    }
