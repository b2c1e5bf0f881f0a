"""One try at telling one subscriber something, and what came of it."""

from __future__ import annotations

import secrets as randomness
from base64 import b64encode
from dataclasses import dataclass
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import get_connection
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from catalog.files.addresses import AddressRefused
from catalog.files.agent import seconds_of
from catalog.files.outgoing import DownloadFailed
from catalog.files.posting import POST_SECONDS, Answer, Post
from catalog.ids import uuid7
from curation.models import DeliveryStatus, Destination, SigningSecret, Subscription
from curation.push.messages import Message, for_slack, letter, signed_headers, trial

NO_MAIL = (
    "This site sends no e-mail: whoever runs it has to set EMAIL_URL and ASTRID_MAIL_FROM. Choose another destination."
)
_GONE = 410
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Outcome:
    """What one try came to.

    code : HTTP status, None where there was no answer. reason : why it did not arrive, "" where it did. text : how the
    answer begins. retry_after_s : how long the receiver asks to be left alone. is_gone : it wants nothing any more.
    """

    status: DeliveryStatus
    code: int | None = None
    reason: str = ""
    text: str = ""
    retry_after_s: float | None = None
    is_gone: bool = False

    @property
    def has_arrived(self) -> bool:
        return self.status in (DeliveryStatus.DELIVERED, DeliveryStatus.SENT)


@dataclass(frozen=True)
class Receiver:
    """Where to, and how: read once for many tries, so that threads need no database."""

    destination: str
    address: str
    secrets: tuple[str, ...]


def receiver_of(subscription: Subscription) -> Receiver:
    """Return where a subscription leads, with the secrets that are valid, the newest first."""
    is_valid = Q(valid_until__isnull=True) | Q(valid_until__gt=Now())
    rows = SigningSecret.objects.filter(is_valid, subscription=subscription.pk).order_by("-id")
    return Receiver(subscription.destination, subscription.address, tuple(rows.values_list("secret", flat=True)))


def new_secret() -> str:
    """Return a secret as Standard Webhooks writes it, of 256 bits."""
    return f"whsec_{b64encode(randomness.token_bytes(_SECRET_BYTES)).decode()}"


def can_send_mail() -> bool:
    """Tell whether the site was told how to send e-mail, and from whom."""
    return bool(settings.ASTRID_SENDS_MAIL and settings.ASTRID_MAIL_FROM)


def send(receiver: Receiver, message: Message, post: Post) -> Outcome:
    """Try once. Raises what stops the job of this thread, and nothing else."""
    if receiver.destination == Destination.EMAIL:
        return _mail(receiver, message)
    body = for_slack(message) if receiver.destination == Destination.SLACK else message.body
    headers = {"Content-Type": "application/json"}
    if receiver.destination == Destination.WEBHOOK:
        headers = signed_headers(message, receiver.secrets, timezone.now())
    try:
        answer = post.send(receiver.address, body.encode(), headers)
    except (AddressRefused, DownloadFailed) as failure:
        return Outcome(DeliveryStatus.FAILED, reason=str(failure))
    return _outcome_of(answer)


def try_out(subscription: Subscription) -> Outcome:
    """Send a test now, which is no delivery and is not tried again."""
    with Post() as post:
        message = trial(subscription, f"test_{uuid7()}", timezone.now())
        return send(receiver_of(subscription), message, post)


def _outcome_of(answer: Answer) -> Outcome:
    if answer.is_success:
        return Outcome(DeliveryStatus.DELIVERED, answer.status, text=answer.text)
    said = f"The receiver answered {answer.status} {answer.reason}".rstrip()
    if 300 <= answer.status < 400:
        said += "; what leads elsewhere is not followed"
    return Outcome(
        DeliveryStatus.FAILED,
        answer.status,
        f"{said}.",
        answer.text,
        retry_after_s=seconds_of(answer.retry_after, timezone.now()),
        is_gone=answer.status == _GONE,
    )


def _mail(receiver: Receiver, message: Message) -> Outcome:
    """Hand a letter to the mail server; that somebody got it, nobody says."""
    if not can_send_mail():
        return Outcome(DeliveryStatus.FAILED, reason=NO_MAIL)
    mail = letter(message, settings.ASTRID_MAIL_FROM, receiver.address)
    mail.connection = get_connection(timeout=POST_SECONDS)
    try:
        mail.send()
    except (SMTPException, OSError, ValueError) as failure:
        return Outcome(DeliveryStatus.FAILED, reason=f"The mail server did not take it: {failure}.")
    return Outcome(DeliveryStatus.SENT)
