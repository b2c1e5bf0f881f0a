"""Where a request comes from, and whether by HTTPS: decided here, for locks, the audit log and rates alike.

What a request says of its way is believed as far as our own proxies wrote it, and they write at the end.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.core import checks
from django.http import HttpRequest, HttpResponseBase

_FOR = "HTTP_X_FORWARDED_FOR"
# Where a request says that it was passed on, and nobody is trusted to say so: its address is some proxy's.
_BY_STRANGERS = "astrid.told_by_strangers"


class Origin:
    """Puts the client's address in the place of the proxy's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        words = request.META.pop(_FOR, "")
        told, count = words.split(","), settings.ASTRID_TRUSTED_PROXIES
        request.META[_BY_STRANGERS] = bool(words) and (count == 0 or count > len(told))
        if 0 < count <= len(told) and (address := _address(told[-count])):
            request.META["REMOTE_ADDR"] = address
        return self._get_response(request)


def is_told_by_strangers(request: HttpRequest) -> bool:
    """Tell whether a request came by a proxy that is not trusted, so that nobody knows whose it is."""
    return bool(request.META.get(_BY_STRANGERS))


def proxies_are_told_of(**_: object) -> list[checks.CheckMessage]:
    """Warn of a site that is reached by HTTPS, which a proxy speaks for it, while none is believed."""
    if not settings.HTTPS or settings.ASTRID_TRUSTED_PROXIES:
        return []
    words = "HTTPS is spoken by a proxy in front of the site, and ASTRID_TRUSTED_PROXIES is 0."
    hint = "Set it to the number of proxies that every request passes; docs/deploy.md has what each must be told."
    return [checks.Warning(words, hint=hint, id="astrid.W001")]


def _address(text: str) -> str:
    """Return the address that a proxy wrote, without its port; "" for what is none."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
