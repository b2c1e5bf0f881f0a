"""The one door for requests to other machines: it reaches public addresses only, and gives up in time.

A name is resolved once, every address it has is looked at, and the connection goes to the very address that was looked
at; each redirect goes through the same. Hosts that `settings.ASTRID_OUTGOING_HOSTS` names, such as an observatory's own
archive, may be anywhere.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from django.conf import settings

from catalog.files.storage import NO_SPACE

_MOST_REDIRECTS = 5
_CHUNK_BYTES = 65536
# After a minute, a file that comes slower than this would take days.
_SLOWEST_BYTES_PER_SECOND, _PATIENCE_SECONDS = 200.0, 60.0
_REDIRECTS = {301, 302, 303, 307, 308}
# Networks that stand for IPv4 addresses, or that `is_global` lets pass although no archive is there.
_REFUSED_NETWORKS = [
    ipaddress.ip_network(name)
    for name in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "100.64.0.0/10", "192.88.99.0/24")
]

Progress = Callable[[int, int | None], object]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(ValueError):
    """This address is not asked for anything; the text says why."""


class DownloadFailed(Exception):
    """What was asked for did not come; `is_transient` where it may come another time."""

    def __init__(self, sentence: str, *, is_transient: bool) -> None:
        super().__init__(sentence)
        self.is_transient = is_transient


@dataclass(frozen=True)
class Limits:
    """What a download may take: bytes in all, and seconds without any."""

    max_bytes: int
    stall_seconds: float = 60.0


def check_url(url: str) -> SplitResult:
    """Return the parts of an acceptable http or https address, or raise AddressRefused; nothing is resolved yet."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused(f"{url!r} is not an address: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise AddressRefused(f"{url!r} is not a web address: give one that begins with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(
            "An address that contains a user name or password would be stored in plain text: give it without them."
        )
    return parts


def fetch(
    url: str,
    target: Path,
    limits: Limits,
    progress: Progress | None = None,
) -> int:
    """Write what lies at a URL to a file and return its bytes; `progress(received, whole)` is called as they come.

    Raises AddressRefused where the address, or one that it leads to, is not public, DownloadFailed, and OSError where
    there is no space for the file.
    """
    for _ in range(_MOST_REDIRECTS + 1):
        parts = check_url(url)
        connection = _connect(parts, limits.stall_seconds)
        try:
            with _ask(connection, parts) as response:
                if response.status not in _REDIRECTS:
                    return _receive(response, target, limits, progress)
                location = response.getheader("Location")
            if not location:
                raise DownloadFailed(f"{parts.hostname} redirects to nowhere.", is_transient=False)
            url = urljoin(url, location)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in NO_SPACE:
                # It is this machine that has no room: the other one is not to blame.
                raise
            raise DownloadFailed(
                f"The connection to {parts.hostname} broke off: {error}.", is_transient=True
            ) from error
        finally:
            connection.close()
    raise DownloadFailed(f"{url} redirects too many times.", is_transient=False)


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the public internet."""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return False
    if any(address in network for network in _REFUSED_NETWORKS if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


class _Checked(http.client.HTTPConnection):
    """A connection to an address that was looked at, under the name that it was looked up by."""

    def __init__(self, host: str, address: tuple[str, int], timeout: float, context: ssl.SSLContext | None) -> None:
        super().__init__(host, address[1], timeout=timeout)
        self._address, self._context = address, context

    def connect(self) -> None:
        plain = socket.create_connection(self._address, self.timeout)
        self.sock = plain if self._context is None else self._context.wrap_socket(plain, server_hostname=self.host)


def _connect(parts: SplitResult, timeout: float) -> _Checked:
    host = str(parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    context = ssl.create_default_context() if parts.scheme == "https" else None
    return _Checked(host, (_address_of(host, port), port), timeout, context)


def _address_of(host: str, port: int) -> str:
    """Return the first address of a host, after a look at all of them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DownloadFailed(f"The host {host} cannot be found ({error}).", is_transient=True) from error
    addresses = [str(entry[4][0]).split("%")[0] for entry in found]
    if not {host, f"{host}:{port}"} & set(settings.ASTRID_OUTGOING_HOSTS):
        for address in addresses:
            if not is_public(ipaddress.ip_address(address)):
                raise AddressRefused(
                    f"{host} is at {address}, which is not an address of the public internet. An archive of your own "
                    "network is allowed by naming it in ASTRID_OUTGOING_HOSTS."
                )
    return addresses[0]


def _ask(connection: _Checked, parts: SplitResult) -> http.client.HTTPResponse:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", parts.netloc)
    connection.putheader("User-Agent", "AstrID")
    connection.putheader("Accept-Encoding", "identity")
    connection.endheaders()
    return connection.getresponse()


def _receive(response: http.client.HTTPResponse, target: Path, limits: Limits, progress: Progress | None) -> int:
    if response.status != http.client.OK:
        is_transient = response.status >= 500 or response.status in (408, 425, 429)
        raise DownloadFailed(f"The server answered {response.status} {response.reason}.", is_transient=is_transient)
    whole = response.length
    if whole is not None and whole > limits.max_bytes:
        raise DownloadFailed(_too_large(limits), is_transient=False)
    received, start = 0, time.monotonic()
    with target.open("wb") as file:
        while chunk := response.read1(_CHUNK_BYTES):
            received += len(chunk)
            if received > limits.max_bytes:
                raise DownloadFailed(_too_large(limits), is_transient=False)
            file.write(chunk)
            if progress is not None:
                progress(received, whole)
            seconds = time.monotonic() - start
            if (
                seconds > min(_PATIENCE_SECONDS, limits.stall_seconds)
                and received < _SLOWEST_BYTES_PER_SECOND * seconds
            ):
                raise DownloadFailed(f"Only {received} bytes came in {seconds:.0f} s.", is_transient=True)
    if whole is not None and received != whole:
        raise DownloadFailed(f"The connection ended after {received} of {whole} bytes.", is_transient=True)
    return received


def _too_large(limits: Limits) -> str:
    return f"It is larger than {limits.max_bytes / 1e6:.0f} MB, the limit ingest.max_file_mb."
