"""What webhooks are signed with: made, kept encrypted, read, and put into the headers of a message."""

from __future__ import annotations

import secrets as randomness
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from standardwebhooks import Webhook

from catalog.encrypting import Renewed, SecretUnreadable, decrypted, encrypted, renewed
from curation.models import SigningSecret, Subscription
from curation.push.messages import Message

UNREADABLE = (
    "The secret that this webhook is signed with cannot be read: SECRET_KEY was changed. Make a new secret and give it "
    "to the receiver, or have the former key named in SECRET_KEY_FALLBACKS; then resume the subscription."
)
_PURPOSE = "webhooks"
_SECRET_BYTES = 32


def make_secret(subscription: Subscription) -> str:
    """Make a secret as Standard Webhooks writes it, of 256 bits, and return it: nothing shows it again."""
    secret = f"whsec_{b64encode(randomness.token_bytes(_SECRET_BYTES)).decode()}"
    SigningSecret.objects.create(subscription=subscription, encrypted=encrypted(secret, _PURPOSE))
    return secret


@transaction.atomic
def renew_secrets() -> Renewed:
    """Encrypt what webhooks are signed with under the present key."""
    count, unreadable = 0, list[str]()
    for row in SigningSecret.objects.select_for_update(of=("self",)).select_related("subscription__owner"):
        try:
            row.encrypted = renewed(row.encrypted, _PURPOSE)
        except SecretUnreadable:
            owner = row.subscription.owner.get_username()
            unreadable.append(f"the secret of the webhook “{row.subscription.name}” of {owner}")
            continue
        row.save(update_fields=["encrypted"])
        count += 1
    return Renewed(count, tuple(unreadable))


def secrets_of(subscription: Subscription) -> tuple[tuple[str, ...], str]:
    """Return a subscription's valid secrets, the newest first, and why nothing can be signed, "" where it can.

    A former secret that cannot be read signs no more, which its last hours may miss; without the present one nothing is
    sent.
    """
    is_valid = Q(valid_until__isnull=True) | Q(valid_until__gt=Now())
    rows = SigningSecret.objects.filter(is_valid, subscription=subscription.pk).order_by("-id")
    found, fault = list[str](), ""
    for row in rows:
        try:
            found.append(decrypted(row.encrypted, _PURPOSE))
        except SecretUnreadable:
            fault = fault or (UNREADABLE if row.valid_until is None else "")
    return tuple(found), fault


def signed_headers(message: Message, secrets: Iterable[str], now: datetime) -> dict[str, str]:
    """Return what a webhook's receiver verifies the body by: one signature for each secret that is valid."""
    signatures = [Webhook(secret).sign(message.key, now, message.body) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "webhook-id": message.key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
