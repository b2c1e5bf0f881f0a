"""The one door for requests to other machines: it reaches public addresses only, and gives up in time.

A name is resolved once, every address it has is looked at, and the connection goes to one that was looked at; each
redirect goes through the same. Hosts that `settings.ASTRID_OUTGOING_HOSTS` names, such as an observatory's own archive,
may be anywhere. HTTP is httpx's; under it lies a network of ours, none of whose waits is longer than a moment: between
them the job may be stopped and the time be up, in every phase from the name to the last byte.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, TypeVar

import httpcore
import httpx
from django.conf import settings

from catalog.files import agent
from catalog.files.addresses import AddressRefused, check_url, is_public
from catalog.files.failing import DownloadFailed, in_words
from catalog.work.hold import check

__all__ = [
    "DownloadFailed", "Limits", "Patience", "Progress", "Transport", "check_status", "client_of", "fetch", "get",
    "in_words", "write_body",
]  # fmt: skip

logger = logging.getLogger(__name__)

_MOST_REDIRECTS = 5
# A file that comes slower than this would take days.
_SLOWEST_BYTES_PER_SECOND = 200.0
# How long nothing is asked about the job and the time: a fraction of what a person waits for.
_MOMENT_SECONDS = 0.25
# How long one of several addresses may take to be reached before the next one is tried.
_CONNECT_SECONDS = 10.0
# Nothing stops a question to a name server but its own time limit: so many may be open at once in one process.
_LOOKUPS = threading.BoundedSemaphore(16)

Progress = Callable[[int, int | None], object]
Found = tuple[int, tuple[object, ...]]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Limits:
    """What a download may take: bytes in all, seconds without progress, and seconds in all; `named` says which limit.

    The last is a little less than a job may take, so that the reason given is the download's.
    """

    max_bytes: int
    stall_seconds: float = 60.0
    whole_seconds: float = 3300.0
    named: str = "the limit ingest.max_file_mb"


def fetch(
    url: str, target: Path, limits: Limits, progress: Progress | None = None, *, body: bytes | None = None
) -> int:
    """Write what lies at a URL to a file and return its bytes; `progress(received, whole)` is called as they come.

    body : JSON that is sent there (POST), and whose answer is written; None only asks. Raises AddressRefused where the
    address, or one that it leads to, is not public, DownloadFailed, OSError where the file cannot be written, and what
    stops the job of this thread.
    """
    patience = Patience(limits)
    with client_of(patience) as client, closing(_ask(client, url, body)) as response:
        check_status(response)
        with target.open("wb") as file:
            return write_body(response, file, patience, progress)


def client_of(patience: Patience) -> httpx.Client:
    """Return a way to the web through this door."""
    return httpx.Client(transport=Transport(patience), headers=agent.headers(), trust_env=False)


class Patience:
    """How long a download may take: asked at every step, it raises what ends it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.has_written = False
        self.begin()

    def begin(self) -> None:
        """Count from now on: another request goes the same way."""
        self.received = self._marked = 0
        self.in_vain = ""
        self._start = self._marked_at = time.monotonic()

    def ask(self) -> None:
        """Return if the download may go on; DownloadFailed where its time is up, or what stops the job."""
        check()
        now = time.monotonic()
        if now - self._start > self.limits.whole_seconds:
            raise DownloadFailed(
                f"The download was not finished after {self.limits.whole_seconds / 60.0:.0f} minutes."
                if self.received
                else f"{self.in_vain} within {now - self._start:.0f} s.",
                is_transient=True,
            )
        seconds = now - self._marked_at
        if seconds <= self.limits.stall_seconds:
            return
        if not self.received:
            raise DownloadFailed(f"{self.in_vain} within {seconds:.0f} s.", is_transient=True)
        came = self.received - self._marked
        if came < _SLOWEST_BYTES_PER_SECOND * seconds:
            raise DownloadFailed(f"Only {came} bytes came in the last {seconds:.0f} s.", is_transient=True)
        self._marked_at, self._marked = now, self.received


def _ask(client: httpx.Client, url: str, body: bytes | None) -> httpx.Response:
    """Return the answer to which an address leads in the end, its body not yet read."""
    if body is None:
        return get(client, url)
    return _follow(client, _request(client, "POST", url, {"Content-Type": "application/json"}, body))


def get(client: httpx.Client, url: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Return the answer to which an address leads in the end, its body not yet read.

    What authorizes is sent to the host of `url` alone. Raises as `fetch` does.
    """
    return _follow(client, _request(client, "GET", url, headers or {}, None))


def _request(
    client: httpx.Client, method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> httpx.Request:
    check_url(url)
    try:
        return client.build_request(method, url, content=body, headers=dict(headers))
    except httpx.InvalidURL as error:
        raise AddressRefused(f"{url!r} is not an address: {error}.") from error


def _follow(client: httpx.Client, first: httpx.Request) -> httpx.Response:
    request = first
    for _ in range(_MOST_REDIRECTS + 1):
        host = check_url(str(request.url)).hostname
        with in_words(f"The connection to {host}"):
            response = client.send(request, stream=True)
        if response.next_request is None:
            return response
        response.close()
        request = response.next_request
    raise DownloadFailed(f"{first.url} redirects too many times.", is_transient=False)


def check_status(response: httpx.Response, *wanted: int) -> None:
    """Raise DownloadFailed, with what the server says of when to come back, unless it gave what was asked for."""
    code = response.status_code
    if code in (wanted or (httpx.codes.OK,)):
        return
    raise DownloadFailed(
        f"The server answered {code} {response.reason_phrase}.".replace(" .", "."),
        is_transient=response.is_server_error or code in (408, 425, 429),
        status=code,
        retry_after_s=agent.seconds_of(response.headers.get("Retry-After", ""), datetime.now(UTC)),
    )


def write_body(
    response: httpx.Response, file: IO[bytes], patience: Patience, progress: Progress | None, start: int = 0
) -> int:
    """Write the body of an answer behind the `start` bytes that a file holds already, and return the bytes of both."""
    length = None if "Transfer-Encoding" in response.headers else response.headers.get("Content-Length")
    whole = None if length is None else start + int(length)
    if whole is not None and whole > patience.limits.max_bytes:
        raise DownloadFailed(_too_large(patience.limits), is_transient=False)
    patience.received = start
    chunks = response.iter_raw()
    while True:
        of_whole = "" if whole is None else f" of {whole}"
        # h11, under httpx, compares what came with the length that was announced.
        with in_words(f"After {patience.received}{of_whole} bytes the connection", has_begun=True):
            chunk = next(chunks, b"")
        if not chunk:
            return patience.received
        patience.received += len(chunk)
        if patience.received > patience.limits.max_bytes:
            raise DownloadFailed(_too_large(patience.limits), is_transient=False)
        file.write(chunk)
        if progress is not None:
            progress(patience.received, whole)


def _too_large(limits: Limits) -> str:
    return f"It is larger than {limits.max_bytes / 1e6:.0f} MB, {limits.named}."


# --- The network under httpx ---


class Transport(httpx.BaseTransport):
    """httpx's way to the network, over connections that the door has made; kept open for `kept_seconds` of rest."""

    def __init__(self, patience: Patience, *, kept_seconds: float = 0.0, trust: ssl.SSLContext | None = None) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=trust or ssl.create_default_context(),
            max_keepalive_connections=1 if kept_seconds else 0,
            keepalive_expiry=kept_seconds or None,
            network_backend=_Network(patience),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        sent = httpcore.Request(request.method, url, headers=request.headers.raw, content=request.read())
        answer = self._pool.handle_request(sent)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """The bytes of an answer as they come."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class _Network(httpcore.NetworkBackend):
    """Makes connections to addresses that were looked at, under the name that they were looked up by."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[object] | None = None,
    ) -> httpcore.NetworkStream:
        self._patience.in_vain = f"The name server did not answer for {host}"
        found = _look_up(host, port, self._patience)
        check_addresses(host, port, [str(where[0]) for _, where in found])
        self._patience.in_vain = f"{host} could not be reached"
        stream = _reach(found, self._patience)
        self._patience.in_vain = f"{host} did not answer"
        return stream


class _Stream(httpcore.NetworkStream):
    """A connection that never waits longer than a moment without asking whether it still may."""

    def __init__(self, plain: socket.socket, patience: Patience) -> None:
        self._socket, self._patience = plain, patience

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._do(partial(self._socket.recv, max_bytes), select.POLLIN)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._patience.has_written = True
        left = memoryview(buffer)
        while left:
            left = left[self._do(partial(self._socket.send, left), select.POLLOUT) :]

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname, do_handshake_on_connect=False)
        stream = _Stream(secured, self._patience)
        try:
            stream._do(secured.do_handshake, select.POLLIN)
        except BaseException:
            secured.close()
            raise
        return stream

    def get_extra_info(self, info: str) -> socket.socket | bool | None:
        if info == "is_readable":
            # A connection at rest that has something to say was ended by the other side.
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(0.0))
        return self._socket if info == "socket" else None

    def _do(self, act: Callable[[], _T], event: int) -> _T:
        """Do what the socket may not be ready for yet, when it is."""
        self._patience.ask()
        while True:
            try:
                return act()
            except ssl.SSLWantReadError:
                _wait(self._socket, select.POLLIN, self._patience)
            except ssl.SSLWantWriteError:
                _wait(self._socket, select.POLLOUT, self._patience)
            except BlockingIOError:
                _wait(self._socket, event, self._patience)


def _look_up(host: str, port: int, patience: Patience) -> list[Found]:
    """Return the addresses of a host; the question is asked in a thread, which may outlast our patience."""
    answer: Future[list[Found]] = Future()
    open_lookups = _LOOKUPS

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.set_result([(entry[0], entry[4]) for entry in entries])
        except (OSError, UnicodeError) as error:
            answer.set_exception(error)
        finally:
            open_lookups.release()

    while not open_lookups.acquire(timeout=_MOMENT_SECONDS):
        patience.ask()
    threading.Thread(target=ask, name=f"address of {host}", daemon=True).start()
    while not wait([answer], timeout=_MOMENT_SECONDS).done:
        patience.ask()
    try:
        return answer.result()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DownloadFailed(f"The host {host} was not found ({reason}).", is_transient=True) from error


def check_addresses(host: str, port: int, addresses: list[str]) -> None:
    """Raise AddressRefused where one of a host's addresses is not public, unless the host is named in the settings."""
    if {host, f"{host}:{port}"} & set(settings.ASTRID_OUTGOING_HOSTS):
        return
    for address in addresses:
        if not is_public(ipaddress.ip_address(address.split("%")[0])):
            # Whoever asked learns nothing about the network here; who runs the system finds it in the log.
            logger.warning("%s is at %s, which is not an address of the public internet", host, address)
            raise AddressRefused(
                f"{host} is not on the public internet. A server of your own network is allowed by naming it in "
                "ASTRID_OUTGOING_HOSTS."
            )


def _reach(found: list[Found], patience: Patience) -> _Stream:
    """Return a connection to the first address that takes one."""
    for family, where in found[:-1]:
        try:
            return _connect(family, where, patience, _CONNECT_SECONDS)
        except OSError as error:
            logger.info("%s does not answer (%s): the next address is tried", where[0], error)
    return _connect(*found[-1], patience, patience.limits.whole_seconds)


def _connect(family: int, where: tuple[object, ...], patience: Patience, seconds: float) -> _Stream:
    plain = socket.socket(family, socket.SOCK_STREAM)
    try:
        plain.setblocking(False)
        code = plain.connect_ex(where)
        if code == errno.EINPROGRESS:
            _wait(plain, select.POLLOUT, patience, seconds)
            code = plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
    except BaseException:
        plain.close()
        raise
    return _Stream(plain, patience)


def _wait(plain: socket.socket, event: int, patience: Patience, seconds: float = float("inf")) -> None:
    """Wait until a socket is ready, for moments between which the patience is asked; TimeoutError after `seconds`."""
    poll, end = select.poll(), time.monotonic() + seconds
    poll.register(plain, event)
    while not poll.poll(_MOMENT_SECONDS * 1000.0):
        patience.ask()
        if time.monotonic() > end:
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
