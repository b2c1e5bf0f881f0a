"""What is sent to other machines, through the one door for requests to them: whatever they answer is told, and an
answer that leads elsewhere is not followed."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Self

import httpcore
import httpx

from catalog.files import agent
from catalog.files.addresses import AddressRefused, check_url
from catalog.files.outgoing import DownloadFailed, Limits, Patience, Transport, check_addresses, in_words

# From the name of the receiver to the last byte that is read of its answer.
POST_SECONDS = 15.0
# Of most answers nothing is needed but their beginning, to show it.
_MOST_BYTES = 2000
# How long a connection may rest between two requests; receivers end theirs after 5 s and more.
_KEPT_SECONDS = 4.0


@dataclass(frozen=True)
class Answer:
    """What a receiver answered: its status, `Retry-After` as it came ("" for none), and how its body begins."""

    status: int
    reason: str
    retry_after: str
    text: str

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


def check_receiver(url: str) -> str:
    """Return the host of an acceptable address, or raise AddressRefused; no name is looked up yet."""
    parts = check_url(url)
    host = parts.hostname or ""
    try:
        httpx.URL(url)
    except httpx.InvalidURL as error:
        raise AddressRefused(f"This is not an address: {error}.") from error
    if _is_written_as_number(host):
        check_addresses(host, parts.port or (443 if parts.scheme == "https" else 80), [host])
    return host


def _is_written_as_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@cache
def _trust() -> ssl.SSLContext:
    """Return whose certificates are believed: to read them all takes longer than many a request."""
    return ssl.create_default_context()


class Post:
    """A way to receivers, whose connection is kept between requests; for one thread, until the block ends."""

    def __init__(self, seconds: float = POST_SECONDS, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._patience = Patience(Limits(most_bytes, stall_seconds=seconds, whole_seconds=seconds))
        self._client = httpx.Client(
            transport=Transport(self._patience, kept_seconds=_KEPT_SECONDS, trust=_trust()),
            headers=agent.headers(),
            trust_env=False,
        )
        self._may_be_kept = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    @property
    def may_have_left(self) -> bool:
        """Whether anything of a request may have reached the other side: its first byte was written."""
        return self._patience.has_written

    def send(self, url: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> Answer:
        """Send a body and return the answer, a refusal or a redirect too.

        Raises AddressRefused where the address is not public, DownloadFailed where no answer came, and what stops the
        job of this thread.
        """
        host = check_receiver(url)
        request = self._client.build_request(method, url, content=body, headers=dict(headers))
        self._patience.begin()
        self._patience.in_vain = f"{host} did not answer"
        with in_words(f"The connection to {host}"):
            try:
                answer = self._ask(request)
            except (ConnectionError, httpcore.RemoteProtocolError):
                if not self._may_be_kept:
                    raise
                # The receiver ended the connection while it rested, which says nothing of this request.
                self._may_be_kept = False
                answer = self._ask(request)
        self._may_be_kept = True
        return answer

    def _ask(self, request: httpx.Request) -> Answer:
        with closing(self._client.send(request, stream=True)) as response:
            return Answer(
                response.status_code,
                response.reason_phrase,
                response.headers.get("Retry-After", ""),
                self._beginning(response),
            )

    def _beginning(self, response: httpx.Response) -> str:
        """Return how the body begins; what goes wrong in it changes nothing about the status that came before."""
        found = b""
        try:
            for chunk in response.iter_raw():
                found += chunk
                if len(found) >= self._most_bytes:
                    break
        except (OSError, DownloadFailed, httpcore.ProtocolError, httpx.ProtocolError):
            found += b" [cut off]"
        return found[: self._most_bytes].decode("utf-8", "replace")
