"""The door to other machines: public addresses only, the one that was looked at, and never for ever."""

from __future__ import annotations

import ipaddress
import socket
import time
from http.server import BaseHTTPRequestHandler

import pytest

from catalog.files import outgoing
from catalog.files.outgoing import AddressRefused, DownloadFailed, Limits, check_url, fetch, is_public
from tests.webserver import content, redirect, serving

BODY = bytes(range(256)) * 400
ROOMY = Limits(max_bytes=10_000_000, stall_seconds=5.0)


@pytest.fixture
def allowed(settings):
    """Let the door lead to a server of the tests."""

    def allow(host: str) -> None:
        settings.ASTRID_OUTGOING_HOSTS = [host]

    return allow


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:8.8.8.8",
        "64:ff9b::808:808", "64:ff9b:1::1", "2002:808:808::1", "2001:db8::1", "2001:0:4136:e378::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_of_the_public_internet_is_refused(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "193.0.6.139", "2606:4700:4700::1111"])
def test_a_public_address_is_let_through(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_every_spelling_of_this_machine_is_refused_with_what_to_set(host, tmp_path):
    with pytest.raises(AddressRefused, match="ASTRID_OUTGOING_HOSTS"):
        fetch(f"http://{host}:9/a.fits", tmp_path / "a", ROOMY)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/a", "file:///etc/passwd", "a.fits", "http://", "http://host:0/", "http://host:99999/", ""],
)
def test_what_is_no_address_of_the_web_is_refused(url):
    with pytest.raises(AddressRefused):
        check_url(url)


def test_an_address_with_a_password_is_refused():
    with pytest.raises(AddressRefused, match="password"):
        check_url("https://me:secret@example.org/a.fits")


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch, tmp_path):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        fetch("http://example.org/a", tmp_path / "a", ROOMY)


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch, tmp_path):
    """The second answer of a name server that changes its mind is never asked for."""
    answers = iter([[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80))]])
    reached = []

    def refuse(address: tuple[str, int], *_: object) -> socket.socket:
        reached.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: next(answers))
    monkeypatch.setattr(outgoing.socket, "create_connection", refuse)
    with pytest.raises(DownloadFailed):
        fetch("http://example.org/a", tmp_path / "a", ROOMY)
    assert reached == [("8.8.8.8", 80)]


def test_a_file_comes_whole_with_its_progress(allowed, tmp_path):
    seen = []
    with serving({"/a.fits": content(BODY)}) as host:
        allowed(host)
        count = fetch(f"http://{host}/a.fits", tmp_path / "a", ROOMY, lambda *progress: seen.append(progress))
    assert (tmp_path / "a").read_bytes() == BODY
    assert count == len(BODY)
    assert seen[-1] == (len(BODY), len(BODY))


def test_a_redirect_inside_what_is_allowed_is_followed_and_one_outside_is_not(allowed, tmp_path):
    with serving({"/b": content(BODY)}) as other, serving({}) as closed:
        answers = {"/a": redirect("/b"), "/b": content(BODY), "/c": redirect(f"http://{closed}/secret")}
        with serving(answers) as host:
            allowed(host)
            assert fetch(f"http://{host}/a", tmp_path / "a", ROOMY) == len(BODY)
            with pytest.raises(AddressRefused):
                fetch(f"http://{host}/c", tmp_path / "c", ROOMY)
    assert other != host


def test_a_chain_of_redirects_has_an_end(allowed, tmp_path):
    with serving({"/a": redirect("/a")}) as host:
        allowed(host)
        with pytest.raises(DownloadFailed, match="on and on"):
            fetch(f"http://{host}/a", tmp_path / "a", ROOMY)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_download_that_is_cut_is_no_file(allowed, tmp_path, share):
    with serving({"/a": content(BODY[: int(len(BODY) * share)], claimed=len(BODY))}) as host:
        allowed(host)
        with pytest.raises(DownloadFailed) as failure:
            fetch(f"http://{host}/a", tmp_path / "a", ROOMY)
    assert failure.value.is_transient


def test_what_claims_to_be_too_large_is_not_begun_and_what_never_ends_is_given_up_at_the_limit(allowed, tmp_path):
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(BODY)
        except OSError:
            return

    tight = Limits(max_bytes=1_000_000, stall_seconds=5.0)
    with serving({"/claim": content(b"", claimed=2_000_000), "/endless": endless}) as host:
        allowed(host)
        for path in ("claim", "endless"):
            with pytest.raises(DownloadFailed, match=r"ingest\.max_file_mb") as failure:
                fetch(f"http://{host}/{path}", tmp_path / path, tight)
            assert not failure.value.is_transient
    assert (tmp_path / "endless").stat().st_size <= 1_000_000


def test_a_server_that_drips_or_falls_silent_is_given_up(allowed, tmp_path):
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        try:
            for _ in range(200):
                handler.wfile.write(b"x")
                time.sleep(0.1)
        except OSError:
            return

    def silent(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        time.sleep(20.0)

    impatient = Limits(max_bytes=1_000_000, stall_seconds=0.5)
    with serving({"/drip": drip, "/silent": silent}) as host:
        allowed(host)
        for path in ("drip", "silent"):
            start = time.monotonic()
            with pytest.raises(DownloadFailed) as failure:
                fetch(f"http://{host}/{path}", tmp_path / path, impatient)
            assert failure.value.is_transient
            # Long before either server would have ended by itself, also on a busy machine.
            assert time.monotonic() - start < 8.0


@pytest.mark.parametrize(
    ("status", "is_transient"), [(404, False), (403, False), (500, True), (503, True), (429, True)]
)
def test_the_servers_refusal_is_told_and_only_a_passing_one_is_tried_again(allowed, tmp_path, status, is_transient):
    with serving({"/a": lambda handler: handler.send_error(status)}) as host:
        allowed(host)
        with pytest.raises(DownloadFailed, match=str(status)) as failure:
            fetch(f"http://{host}/a", tmp_path / "a", ROOMY)
    assert failure.value.is_transient is is_transient
