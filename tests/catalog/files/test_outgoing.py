"""The door to other machines: public addresses only, the one that was looked at, and never for ever."""

from __future__ import annotations

import errno
import socket
from http.server import BaseHTTPRequestHandler

import pytest

from catalog.files import outgoing
from catalog.files.addresses import AddressRefused
from catalog.files.outgoing import DownloadFailed, Limits, fetch
from tests.webserver import content, redirect, serving

BODY = bytes(range(256)) * 400
ROOMY = Limits(max_bytes=10_000_000, stall_seconds=60.0)


@pytest.fixture
def allowed(settings):
    """Let the door lead to a server of the tests."""

    def allow(host: str) -> None:
        settings.ASTRID_OUTGOING_HOSTS = [host]

    return allow


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_every_spelling_of_this_machine_is_refused_with_what_to_set(host, tmp_path):
    with pytest.raises(AddressRefused, match="ASTRID_OUTGOING_HOSTS"):
        fetch(f"http://{host}:9/a.fits", tmp_path / "a", ROOMY)
    assert not (tmp_path / "a").exists()


def resolving(*addresses: str, port: int = 80) -> list[tuple]:
    """Return what a name server would say."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]


def test_a_name_with_one_private_address_among_public_ones_is_refused_and_who_asked_learns_no_address(
    monkeypatch, tmp_path, caplog
):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolving("8.8.8.8", "10.0.0.1"))
    with pytest.raises(AddressRefused) as refusal:
        fetch("http://example.org/a", tmp_path / "a", ROOMY)
    assert "10.0.0.1" not in str(refusal.value)
    assert "10.0.0.1" in caplog.text, "who runs the system is told"


def test_a_name_is_resolved_once_and_only_what_was_looked_at_is_reached(monkeypatch, tmp_path):
    """A name server that changes its mind is not asked again; an address that does not answer gives way to the next."""
    answers = iter([resolving("8.8.8.8", "8.8.4.4"), resolving("127.0.0.1")])
    reached = []

    def refuse(_: socket.socket, where: tuple[str, int]) -> int:
        reached.append(where)
        return errno.ECONNREFUSED

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: next(answers))
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    with pytest.raises(DownloadFailed, match=r"example\.org broke off: Connection refused") as failure:
        fetch("http://example.org/a", tmp_path / "a", ROOMY)
    assert failure.value.is_transient
    assert reached == [("8.8.8.8", 80), ("8.8.4.4", 80)]


def test_a_name_that_moves_inside_between_two_hops_is_refused(monkeypatch, tmp_path):
    with serving({"/a": redirect("/b"), "/b": content(BODY)}) as host:
        port = int(host.rpartition(":")[2])
        answers = iter([resolving("127.0.0.1", port=port), resolving("127.0.0.2", port=port)])
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: next(answers))
        monkeypatch.setattr(outgoing, "is_public", lambda address: str(address) == "127.0.0.1")
        with pytest.raises(AddressRefused):
            fetch(f"http://example.org:{port}/a", tmp_path / "a", ROOMY)


def test_a_name_that_is_not_known_may_be_known_later(monkeypatch, tmp_path):
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DownloadFailed, match=r"host example\.org was not found") as failure:
        fetch("http://example.org/a", tmp_path / "a", ROOMY)
    assert failure.value.is_transient


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
        with pytest.raises(DownloadFailed, match="redirects too many times"):
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

    tight = Limits(max_bytes=1_000_000, stall_seconds=60.0)
    with serving({"/claim": content(b"", claimed=2_000_000), "/endless": endless}) as host:
        allowed(host)
        for path in ("claim", "endless"):
            with pytest.raises(DownloadFailed, match=r"ingest\.max_file_mb") as failure:
                fetch(f"http://{host}/{path}", tmp_path / path, tight)
            assert not failure.value.is_transient
    assert (tmp_path / "endless").stat().st_size <= 1_000_000


@pytest.mark.parametrize(
    ("status", "is_transient"), [(404, False), (403, False), (500, True), (503, True), (429, True)]
)
def test_the_servers_refusal_is_told_and_only_a_passing_one_is_tried_again(allowed, tmp_path, status, is_transient):
    with serving({"/a": lambda handler: handler.send_error(status)}) as host:
        allowed(host)
        with pytest.raises(DownloadFailed, match=str(status)) as failure:
            fetch(f"http://{host}/a", tmp_path / "a", ROOMY)
    assert failure.value.is_transient is is_transient
