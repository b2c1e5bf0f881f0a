"""What a subscriber is sent: a signed webhook, a line for Slack, or a letter; each try sends the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from html import escape

from django.core.mail import EmailMessage
from django.core.serializers.json import DjangoJSONEncoder

from catalog.writing import utc
from curation.alerts.feed import ENTRY
from curation.models import AlertPublication, Subscription

_LONGEST_SUBJECT = 180


@dataclass(frozen=True)
class Message:
    """What is told, in the forms that each way needs: an event for programs, title and text for people."""

    key: str
    event: Mapping[str, object]
    title: str
    text: str
    # Of Kafka: the number of the alert, whose versions stay in order, and its packet.
    number: str = ""
    packet: bytes = b""

    @cached_property
    def body(self) -> str:
        return json.dumps(self.event, cls=DjangoJSONEncoder, separators=(",", ":"))


def about(publication: AlertPublication, key: str, packet: bytes = b"") -> Message:
    """Return what is told of a publication; `data` is an entry of the feed."""
    data = {name: getattr(publication, attribute) for name, attribute in ENTRY.items()}
    event = {"type": f"alert.{publication.kind}", "timestamp": publication.published_at, "data": data}
    title = _words(publication.payload, "title") or "An alert"
    footer = f"Number {publication.sequence} of the feed, published {utc(publication.published_at)} UTC."
    text = f"{_words(publication.payload, 'message')}\n\n{footer}".lstrip()
    return Message(key, event, title, text, str(publication.alert.number), packet)


def trial(subscription: Subscription, key: str, now: datetime) -> Message:
    """Return what a test sends: no alert."""
    data = {"subscription": subscription.pk, "name": subscription.name}
    event = {"type": "test", "timestamp": now, "data": data}
    text = f"This is a test of the subscription “{subscription.name}”. Nothing was found."
    return Message(key, event, "Test of AstrID", text)


def for_slack(message: Message) -> str:
    """Return JSON for an incoming webhook of Slack, or of what understands the same."""
    # Three characters are Slack's own: with them a title could call everybody in the channel.
    title, text = (escape(words, quote=False) for words in (message.title, message.text))
    return json.dumps({"text": f"*{title}*\n{text}"})


def letter(message: Message, sender: str, recipient: str) -> EmailMessage:
    """Return an e-mail, which names itself alike at every try."""
    domain = sender.rpartition("@")[2].rstrip(">") or "localhost"
    headers = {"Message-ID": f"<{message.key}@{domain}>", "Auto-Submitted": "auto-generated"}
    subject = " ".join(f"[AstrID] {message.title}".split())[:_LONGEST_SUBJECT]
    return EmailMessage(subject, f"{message.title}\n\n{message.text}\n", sender, [recipient], headers=headers)


def _words(payload: object, name: str) -> str:
    value = payload.get(name) if isinstance(payload, Mapping) else None
    return value if isinstance(value, str) else ""
