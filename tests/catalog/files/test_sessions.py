"""A library that speaks through `requests` gets no further than the one door."""

from __future__ import annotations

import gzip
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler

import pytest
from pyvo.dal.sia2 import SIA2Service

from catalog.files.addresses import AddressRefused
from catalog.files.outgoing import DownloadFailed, Limits
from catalog.files.sessions import Door, session_of
from tests.webserver import content, redirect, serving

LIMITS = Limits(max_bytes=100_000, stall_seconds=60.0, named="the limit of an answer")


def door(**about: str) -> Door:
    return Door(LIMITS, lambda _: nullcontext(), **about)


def test_pyvo_reaches_nothing_inside_by_its_own_ways(settings):
    reached = []

    def tell(handler: BaseHTTPRequestHandler) -> None:
        reached.append(handler.path)
        content(b"")(handler)

    with serving({"/sia2/capabilities": tell, "/capabilities": tell}) as host:
        way = door()
        with pytest.raises(Exception):  # noqa: B017, PT011
            SIA2Service(f"http://{host}/sia2", session=session_of(way)).search(maxrec=1)
    assert isinstance(way.failure, AddressRefused)
    assert reached == []


def test_a_redirect_goes_through_the_door_again_and_the_token_stays_at_home(settings):
    seen = {}

    def note(handler: BaseHTTPRequestHandler) -> None:
        seen[handler.path] = handler.headers.get("Authorization")
        content(b"yes")(handler)

    def away(handler: BaseHTTPRequestHandler) -> None:
        seen[handler.path] = handler.headers.get("Authorization")
        redirect(f"http://{other}/there")(handler)

    with (
        serving({"/there": note}) as other,
        serving({"/home": away, "/inside": redirect("http://127.0.0.1:9/x")}) as host,
    ):
        settings.ASTRID_OUTGOING_HOSTS = [host, other]
        way = door(home=f"http://{host}/home", token="secret")
        assert session_of(way).get(f"http://{host}/home").text == "yes"
        with pytest.raises(AddressRefused):
            session_of(way).get(f"http://{host}/inside")
    assert seen == {"/home": "Bearer secret", "/there": None}


def packed(body: bytes):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", str(len(gzip.compress(body))))
        handler.end_headers()
        handler.wfile.write(gzip.compress(body))

    return answer


def test_an_answer_is_no_larger_than_allowed_packed_or_not(settings):
    answers = {"/large": content(b"x" * 100_001), "/bomb": packed(b"0" * 200_000), "/small": packed(b"well")}
    with serving(answers) as host:
        settings.ASTRID_OUTGOING_HOSTS = [host]
        session = session_of(door())
        for path in ("large", "bomb"):
            with pytest.raises(DownloadFailed, match="the limit of an answer"):
                session.get(f"http://{host}/{path}")
        assert session.get(f"http://{host}/small").text == "well"
