"""What is sent through the door: every answer is told, none is followed, and nobody holds the sender up."""

from __future__ import annotations

import socket
import time

import pytest

from catalog.files.addresses import AddressRefused
from catalog.files.outgoing import DownloadFailed
from catalog.files.posting import Post
from tests.receivers import receiving, saying
from tests.webserver import speaking


@pytest.fixture
def receivers(settings):
    with receiving() as found:
        settings.ASTRID_OUTGOING_HOSTS = [found.host]
        yield found


def test_what_is_answered_is_told_over_one_connection_and_no_redirect_is_followed(receivers):
    receivers.after["/busy"] = [saying(429, {"Retry-After": "7"}, b"later")]
    receivers.after["/moved"] = [saying(302, {"Location": receivers.url("/elsewhere")})]
    with Post(5.0) as post:
        good = post.send(receivers.url("/a"), b"{}", {"webhook-id": "1"})
        busy = post.send(receivers.url("/busy"), b"{}", {})
        moved = post.send(receivers.url("/moved"), b"{}", {})
    assert (good.status, good.is_success) == (204, True)
    assert (busy.status, busy.reason, busy.retry_after, busy.text) == (429, "Too Many Requests", "7", "later")
    assert (moved.status, moved.is_success, receivers.at("/elsewhere")) == (302, False, [])
    assert receivers.connections == 1
    assert receivers.came[0].headers["webhook-id"] == "1"


def test_a_connection_that_the_receiver_ended_at_rest_is_made_anew(receivers):
    def and_shut(handler) -> None:
        saying(200)(handler)
        handler.close_connection = True

    receivers.after["/a"] = [and_shut]
    with Post(5.0) as post:
        assert [post.send(receivers.url("/a"), b"{}", {}).status for _ in range(3)] == [200] * 3
    assert receivers.connections == 3


@pytest.mark.parametrize("drips", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: 1\r\n"])
def test_headers_that_never_end_are_waited_for_no_longer_than_the_whole_may_take(settings, drips):
    def drip(plain: socket.socket) -> None:
        plain.recv(1000)
        while True:
            plain.sendall(drips[:1] or b"")
            time.sleep(0.02)
            plain.sendall(drips)

    with speaking(drip) as host, Post(0.4) as post:
        settings.ASTRID_OUTGOING_HOSTS = [host]
        start = time.monotonic()
        with pytest.raises(DownloadFailed):
            post.send(f"http://{host}/", b"{}", {})
        assert time.monotonic() - start < 3.0


def test_a_body_that_never_ends_changes_nothing_about_the_status(settings):
    def endless(plain: socket.socket) -> None:
        plain.recv(1000)
        plain.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            plain.sendall(b"x" * 4096)

    with speaking(endless) as host, Post(5.0) as post:
        settings.ASTRID_OUTGOING_HOSTS = [host]
        answer = post.send(f"http://{host}/", b"{}", {})
    assert (answer.status, len(answer.text)) == (200, 2000)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://2130706433:9/", "http://[::1]:9/"])
def test_an_address_inside_is_not_reached(settings, url):
    settings.ASTRID_OUTGOING_HOSTS = []
    with Post(5.0) as post, pytest.raises(AddressRefused, match="ASTRID_OUTGOING_HOSTS"):
        post.send(url, b"{}", {})
