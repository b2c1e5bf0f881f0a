"""Where a request comes from is what our own proxies say, and nothing that a client can write."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as given
from django.core.checks import run_checks
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from astrid_site.site.origin import Origin

PEER = "10.0.0.1"
FORGED = "6.6.6.6"


def origin_of(forwarded: str | None, proxies: int, settings: Any) -> str:
    settings.ASTRID_TRUSTED_PROXIES = proxies
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    seen: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    Origin(view)(RequestFactory(REMOTE_ADDR=PEER).get("/", headers=headers))
    assert "HTTP_X_FORWARDED_FOR" not in seen[0].META, "nobody after this one is tempted"
    return seen[0].META["REMOTE_ADDR"]


@pytest.mark.parametrize("forwarded", [None, FORGED, f"{FORGED}, 203.0.113.4", "", ",,,"])
def test_without_a_proxy_nothing_that_a_request_says_is_believed(forwarded: str | None, settings: Any):
    assert origin_of(forwarded, 0, settings) == PEER


@pytest.mark.parametrize(
    ("forwarded", "proxies", "expected"),
    [
        ("203.0.113.4", 1, "203.0.113.4"),
        (f"{FORGED}, 203.0.113.4", 1, "203.0.113.4"),
        (f"{FORGED},{FORGED},203.0.113.4", 1, "203.0.113.4"),
        (f"{FORGED}, 203.0.113.4, 10.0.0.2", 2, "203.0.113.4"),
        ("203.0.113.4:51234", 1, "203.0.113.4"),
        ("[2001:db8::4]:51234", 1, "2001:db8::4"),
        ("2001:0DB8:0::4", 1, "2001:db8::4"),
        ("::ffff:203.0.113.4", 1, "203.0.113.4"),
        ("fe80::1%eth0", 1, "fe80::1"),
        # Fewer than there are proxies: the request came past them.
        (FORGED, 2, PEER),
        (None, 1, PEER),
        # What a proxy wrote for a client without an address.
        (f"{FORGED}, unknown", 1, PEER),
        (f"{FORGED}, unix:", 1, PEER),
        (f"{FORGED}, ", 1, PEER),
    ],
)
def test_the_client_is_the_one_that_the_outermost_of_our_proxies_saw(
    forwarded: str | None, proxies: int, expected: str, settings: Any
):
    assert origin_of(forwarded, proxies, settings) == expected


@pytest.mark.parametrize(("https", "proxies", "said"), [(True, 0, 1), (True, 1, 0), (False, 0, 0)])
def test_a_site_by_https_without_a_proxy_that_counts_is_warned_of(https: bool, proxies: int, said: int, settings: Any):
    settings.HTTPS, settings.ASTRID_TRUSTED_PROXIES = https, proxies
    found = [message for message in run_checks(include_deployment_checks=True) if message.id == "astrid.W001"]
    assert len(found) == said


def test_no_proxy_is_believed_unless_a_variable_says_so():
    assert given.ASTRID_TRUSTED_PROXIES == 0
    assert given.SECURE_PROXY_SSL_HEADER is None
