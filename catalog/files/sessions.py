"""A session of `requests` whose every request goes through the one door: for libraries that know no other.

Redirects are followed by `requests`, each of them through the door again. An answer is read whole before it is handed
on, within limits of size and time, packed or not.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

from catalog.files import agent
from catalog.files.addresses import check_url
from catalog.files.outgoing import DownloadFailed, Limits, Patience, check_status, client_of, in_words, write_body

_MOST_REDIRECTS = 5
# Of these an answer's body tells nothing: the server is busy, or another stands before it that does not reach it.
_BUSY = frozenset({408, 425, 429, 502, 503, 504})
# Of the way that an answer came, which is over when it is handed on.
_OF_TRANSFER = frozenset({"content-encoding", "content-length", "transfer-encoding"})
# What a library adds of its own is left out: whom it says it is, and what it would unpack without a limit.
_PASSED_ON = ("accept", "authorization", "content-type", "range")

# What is done around each request to an address, such as waiting for its turn.
Turn = Callable[[str], AbstractContextManager[object]]


class Door(BaseAdapter):
    """Sends requests through the door; `failure` is what last kept one from its answer.

    turn : what is done around each request. token : sent to the server of `home` alone.
    """

    def __init__(self, limits: Limits, turn: Turn, *, home: str = "", token: str = "") -> None:
        super().__init__()
        self._limits, self._turn = limits, turn
        self._home, self._token = origin(home), token
        self.failure: BaseException | None = None

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: object = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return the answer to one request, read whole. Raises as `outgoing.fetch` does, but for AddressRefused's."""
        try:
            check_url(str(request.url))
            with self._turn(str(request.url)):
                return self._send(request)
        except BaseException as error:
            self.failure = error
            raise

    def close(self) -> None:
        """Nothing is kept open between requests."""

    def _send(self, request: requests.PreparedRequest) -> requests.Response:
        url = str(request.url)
        headers = {name: str(request.headers[name]) for name in _PASSED_ON if name in request.headers}
        if self._token and origin(url) == self._home:
            headers["Authorization"] = f"Bearer {self._token}"
        body = request.body.encode() if isinstance(request.body, str) else request.body
        if body is not None and not isinstance(body, bytes):
            raise TypeError("only a body that is in memory can be sent")
        patience, file = Patience(self._limits), io.BytesIO()
        with client_of(patience) as client:
            asked = client.build_request(str(request.method), url, headers=headers, content=body)
            with in_words(f"The connection to {urlsplit(url).hostname}"):
                answer = client.send(asked, stream=True)
            with closing(answer):
                if answer.status_code in _BUSY:
                    check_status(answer)
                write_body(answer, file, patience, None)
        content = _unpacked(file.getvalue(), answer.headers.get("Content-Encoding", ""), self._limits)
        return _as_requests(request, answer.status_code, answer.reason_phrase, dict(answer.headers), content)


def session_of(door: Door) -> requests.Session:
    """Return a session that knows no other way than this door."""
    session = requests.Session()
    session.trust_env, session.max_redirects = False, _MOST_REDIRECTS
    session.headers["User-Agent"] = agent.user_agent()
    session.adapters.clear()
    for scheme in ("http://", "https://"):
        session.mount(scheme, door)
    return session


def origin(url: str) -> tuple[str, str, int | None]:
    """Return what makes two addresses ones of the same server."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port


def _unpacked(content: bytes, encoding: str, limits: Limits) -> bytes:
    """Return what an answer holds that was packed although nobody asked for it."""
    if encoding.strip().casefold() in ("", "identity"):
        return content
    if encoding.strip().casefold() not in ("gzip", "x-gzip"):
        raise DownloadFailed(f"The answer is packed as {encoding!r}, which was not asked for.", is_transient=False)
    try:
        plain = gzip.GzipFile(fileobj=io.BytesIO(content)).read(limits.max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DownloadFailed(f"The answer cannot be unpacked: {error}.", is_transient=True) from error
    if len(plain) > limits.max_bytes:
        raise DownloadFailed(f"It is larger than {limits.max_bytes / 1e6:.0f} MB, {limits.named}.", is_transient=False)
    return plain


def _as_requests(
    request: requests.PreparedRequest, status: int, reason: str, headers: dict[str, str], content: bytes
) -> requests.Response:
    told = {name: value for name, value in headers.items() if name.casefold() not in _OF_TRANSFER}
    response = requests.Response()
    response.status_code, response.reason, response.url = status, reason, str(request.url)
    response.request, response.headers = request, CaseInsensitiveDict(told)
    response.raw = HTTPResponse(body=io.BytesIO(content), headers=told, status=status, preload_content=False)
    return response
