"""Requests to the services that are reported to, and what their answers come to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from django.utils import timezone

from catalog.files.addresses import AddressRefused
from catalog.files.agent import seconds_of
from catalog.files.outgoing import DownloadFailed
from catalog.files.posting import Post
from curation.models import ReportStatus

# Services answer within seconds, or after minutes where they are busy.
WAITED_SECONDS = 60.0
_MOST_BYTES = 400_000
# Of an answer so much is kept, and shown.
_KEPT_CHARACTERS = 4000


class Came(StrEnum):
    """What a request to send a report came to."""

    TAKEN = "taken"
    REFUSED = "refused"
    # Nothing arrived there: it is tried again.
    NOT_SENT = "not_sent"
    # It cannot arrive before a person has set something right.
    HELD = "held"
    # It may have arrived: the service is asked.
    UNKNOWN = "unknown"


class Knows(StrEnum):
    """What a service says when it is asked about a report."""

    SAYS = "says"
    # It has nothing of it.
    NOTHING = "nothing"
    NOT_YET = "not_yet"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True)
class Reply:
    """One answer, or why there is none; may_have_left: whether the request can have arrived."""

    may_have_left: bool
    code: int | None
    text: str
    reason: str
    retry_after_s: float | None = None

    @property
    def said(self) -> str:
        """Return how the answer begins."""
        return self.text.replace("\0", "")[:_KEPT_CHARACTERS]

    def parsed(self) -> Mapping[str, object] | None:
        """Return the JSON object of the answer; None where it is none."""
        try:
            found = json.loads(self.text)
        except ValueError:
            return None
        return found if isinstance(found, Mapping) else None


@dataclass(frozen=True)
class Told:
    """What a service says of one object."""

    status: ReportStatus
    name: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Sent:
    """What became of a request to send; reference: what the service calls it."""

    came: Came
    reply: Reply
    reason: str = ""
    reference: str = ""


@dataclass(frozen=True)
class Asked:
    """What a service says of a report: of single objects by their keys, where it knows them."""

    knows: Knows
    reply: Reply | None
    reason: str = ""
    told: Mapping[UUID, Told] = field(default_factory=dict)


def request(url: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> Reply:
    """Ask once, and never a second time by itself. Raises what stops the job of this thread."""
    with Post(WAITED_SECONDS, _MOST_BYTES) as post:
        try:
            answer = post.send(url, body, headers, method)
        except (AddressRefused, DownloadFailed) as failure:
            return Reply(post.may_have_left, None, "", str(failure))
    said = f"The service answered {answer.status} {answer.reason}".strip()
    retry_after = seconds_of(answer.retry_after, timezone.now())
    return Reply(True, answer.status, answer.text, f"{said}.", retry_after)


def unclear(reply: Reply) -> Sent | None:
    """Return what an answer means whose status says all; None for 2xx, and for refusals, which have words."""
    code = reply.code
    if code is None:
        return Sent(Came.UNKNOWN if reply.may_have_left else Came.NOT_SENT, reply, reply.reason)
    if code == 429:
        return Sent(Came.NOT_SENT, reply, f"{reply.reason} It is asked too often.")
    if 300 <= code < 400 or code in (401, 403, 404, 405):
        return Sent(
            Came.HELD, reply, f"{reply.reason} Check the address and the key of the service, then send it again."
        )
    if code >= 500 or code == 408:
        return Sent(Came.UNKNOWN, reply, reply.reason)
    return None


def multipart(fields: Mapping[str, str], file: tuple[str, str, str, bytes]) -> tuple[bytes, str]:
    """Return a form with one file, and its media type; file: field, name, media type, content."""
    boundary = "astrid-report-5f0b1e2c7d"
    field_name, file_name, media_type, content = file
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field_name}"; filename="{file_name}"\r\n'
        f"Content-Type: {media_type}\r\n\r\n"
    )
    body = b"".join([*parts, head.encode(), content, f"\r\n--{boundary}--\r\n".encode()])
    return body, f"multipart/form-data; boundary={boundary}"
