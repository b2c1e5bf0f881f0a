"""One try at telling one subscriber something, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from catalog.files.addresses import AddressRefused
from catalog.files.agent import seconds_of
from catalog.files.mail import can_send_mail, hand_over
from catalog.files.outgoing import DownloadFailed
from catalog.files.posting import Answer, Post
from catalog.ids import uuid7
from curation.models import DeliveryStatus, Destination, Subscription
from curation.push.kafka import NotWritten, Stream
from curation.push.messages import Message, for_slack, letter, trial
from curation.push.signing import secrets_of, signed_headers

NO_MAIL = (
    "This site sends no e-mail: whoever runs it has to set EMAIL_URL and ASTRID_MAIL_FROM. Choose another destination."
)
_GONE = 410


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
    """Where to, and how: read once for many tries, so that threads need no database.

    fault : why nothing can be sent there, "" where it can.
    """

    destination: str
    address: str
    secrets: tuple[str, ...]
    fault: str = ""


def receiver_of(subscription: Subscription) -> Receiver:
    """Return where a subscription leads, with the secrets that are valid."""
    found, fault = secrets_of(subscription)
    return Receiver(subscription.destination, subscription.address, found, fault)


def way_to(destination: str) -> Post | Stream:
    """Return a way to receivers of a kind, which is opened as a block."""
    return Stream() if destination == Destination.KAFKA else Post()


def send(receiver: Receiver, message: Message, way: Post | Stream) -> Outcome:
    """Try once. Raises what stops the job of this thread, and nothing else."""
    if receiver.fault:
        return Outcome(DeliveryStatus.FAILED, reason=receiver.fault)
    if isinstance(way, Stream):
        return _write(receiver, message, way)
    if receiver.destination == Destination.EMAIL:
        return _mail(receiver, message)
    body = for_slack(message) if receiver.destination == Destination.SLACK else message.body
    headers = {"Content-Type": "application/json"}
    if receiver.destination == Destination.WEBHOOK:
        headers = signed_headers(message, receiver.secrets, timezone.now())
    try:
        answer = way.send(receiver.address, body.encode(), headers)
    except (AddressRefused, DownloadFailed) as failure:
        return Outcome(DeliveryStatus.FAILED, reason=str(failure))
    return _outcome_of(answer)


def try_out(subscription: Subscription) -> Outcome:
    """Send a test now, which is no delivery and is not tried again."""
    with way_to(subscription.destination) as way:
        message = trial(subscription, f"test_{uuid7()}", timezone.now())
        return send(receiver_of(subscription), message, way)


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


def _write(receiver: Receiver, message: Message, stream: Stream) -> Outcome:
    """Write a packet to a topic, or what has none, such as a test, as JSON."""
    headers = {
        "webhook-id": message.key,
        "type": str(message.event["type"]),
        "content-type": "application/avro" if message.packet else "application/json",
    }
    try:
        place = stream.write(receiver.address, message.number, message.packet or message.body.encode(), headers)
    except NotWritten as failure:
        return Outcome(DeliveryStatus.FAILED, reason=str(failure))
    return Outcome(DeliveryStatus.DELIVERED, text=place)


def _mail(receiver: Receiver, message: Message) -> Outcome:
    """Hand a letter to the mail server; that somebody got it, nobody says."""
    if not can_send_mail():
        return Outcome(DeliveryStatus.FAILED, reason=NO_MAIL)
    reason = hand_over(letter(message, settings.ASTRID_MAIL_FROM, receiver.address))
    return Outcome(DeliveryStatus.FAILED, reason=reason) if reason else Outcome(DeliveryStatus.SENT)
