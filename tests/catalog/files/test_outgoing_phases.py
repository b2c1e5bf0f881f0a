"""A request that hangs, in each phase that it has: the job's end and the time's end both end it."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

from catalog.files import outgoing
from catalog.files.outgoing import DownloadFailed, Limits, fetch
from catalog.work.hold import JobLost
from tests.webserver import speaking

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n"
BODY = b"SIMPLE  =                    T"
# Only a hang reaches it.
LIMIT_S = 60.0
# Long enough for a machine under load to come as far as the phase in question, and for no other phase to be met.
SHORT = Limits(max_bytes=100_000_000, stall_seconds=1.0)
ROOMY = Limits(max_bytes=100_000_000, stall_seconds=LIMIT_S)


class Speaker:
    """What stands at the other end, and stands still at a phase."""

    def __init__(self) -> None:
        self.reached, self.over = threading.Event(), threading.Event()

    def silent(self, plain: socket.socket) -> None:
        """Take the request, or the beginning of TLS, and say nothing."""
        plain.recv(65536)
        self.reached.set()
        self.over.wait(LIMIT_S)

    def dripping_headers(self, plain: socket.socket) -> None:
        plain.sendall(b"HTTP/1.1 200 OK\r\n")
        self._drip(plain, b"X-Patience: 1\r\n")

    def dripping_hints(self, plain: socket.socket) -> None:
        """Answer that the answer is to come, for ever."""
        self._drip(plain, b"HTTP/1.1 100 Continue\r\n\r\n")

    def dripping_body(self, plain: socket.socket) -> None:
        plain.sendall(HEAD)
        self._drip(plain, b"x")

    def dripping_after_a_fast_start(self, plain: socket.socket) -> None:
        plain.sendall(HEAD + b"x" * 5_000_000)
        self._drip(plain, b"x")

    def silent_body(self, plain: socket.socket) -> None:
        plain.sendall(HEAD)
        self.silent(plain)
        self.over.wait(LIMIT_S)

    def steady_body(self, plain: socket.socket) -> None:
        plain.sendall(HEAD)
        self._drip(plain, b"x" * 1000)

    def _drip(self, plain: socket.socket, drop: bytes) -> None:
        while not self.over.wait(0.05):
            plain.sendall(drop)
            self.reached.set()


PHASES = [
    "silent", "dripping_headers", "dripping_hints", "dripping_body", "dripping_after_a_fast_start", "silent_body",
]  # fmt: skip


@pytest.fixture
def speaker() -> Iterator[Speaker]:
    speaker = Speaker()
    yield speaker
    speaker.over.set()


@pytest.fixture
def allowed(settings):
    """Let the door lead to this machine."""
    settings.ASTRID_OUTGOING_HOSTS = ["127.0.0.1", "archive.test", "other.test"]


@pytest.fixture
def cancelled(monkeypatch, speaker) -> None:
    """Let the job be cancelled when the phase is reached."""

    def check() -> None:
        if speaker.reached.is_set():
            raise JobLost("cancelled")

    monkeypatch.setattr(outgoing, "check", check)


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("phase", PHASES)
def test_a_cancel_ends_a_request_in_each_phase(speaker, cancelled, phase, tmp_path):
    with speaking(getattr(speaker, phase)) as host, pytest.raises(JobLost):
        fetch(f"http://{host}/a", tmp_path / "a", ROOMY)


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("phase", PHASES)
def test_a_request_without_progress_is_given_up_in_each_phase(speaker, phase, tmp_path):
    with speaking(getattr(speaker, phase)) as host, pytest.raises(DownloadFailed, match=r"within|came in") as failure:
        fetch(f"http://{host}/a", tmp_path / "a", SHORT)
    assert failure.value.is_transient


@pytest.mark.usefixtures("allowed")
def test_a_cancel_ends_a_handshake_that_hangs(speaker, cancelled, tmp_path):
    with speaking(speaker.silent) as host, pytest.raises(JobLost):
        fetch(f"https://{host}/a", tmp_path / "a", ROOMY)


@pytest.mark.usefixtures("allowed")
def test_a_handshake_that_hangs_is_given_up(speaker, tmp_path):
    with speaking(speaker.silent) as host, pytest.raises(DownloadFailed, match="did not answer"):
        fetch(f"https://{host}/a", tmp_path / "a", SHORT)


@pytest.fixture
def mute_name_server(monkeypatch, speaker) -> None:
    """Ask a name server that does not answer until the test is over."""

    def ask(*_: object, **__: object) -> None:
        speaker.reached.set()
        speaker.over.wait(LIMIT_S)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", ask)


@pytest.mark.usefixtures("mute_name_server")
def test_a_cancel_ends_a_name_that_is_not_resolved(speaker, cancelled, tmp_path):
    with pytest.raises(JobLost):
        fetch("http://archive.test/a", tmp_path / "a", ROOMY)


@pytest.mark.usefixtures("mute_name_server")
def test_a_name_that_is_not_resolved_is_given_up(tmp_path):
    with pytest.raises(DownloadFailed, match="name server did not answer"):
        fetch("http://archive.test/a", tmp_path / "a", SHORT)


@pytest.mark.usefixtures("mute_name_server")
def test_names_that_are_not_resolved_hold_a_bounded_number_of_threads(monkeypatch, tmp_path):
    monkeypatch.setattr(outgoing, "_LOOKUPS", threading.BoundedSemaphore(2))
    before = threading.active_count()
    for _ in range(4):
        with pytest.raises(DownloadFailed, match="name server did not answer"):
            fetch("http://archive.test/a", tmp_path / "a", SHORT)
    assert threading.active_count() - before <= 2


@pytest.fixture
def full_house(monkeypatch, speaker) -> Iterator[str]:
    """Give an address at which a connection is neither taken nor refused."""
    connect = outgoing._connect

    def connecting(*arguments: object) -> object:
        speaker.reached.set()
        return connect(*arguments)

    monkeypatch.setattr(outgoing, "_connect", connecting)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as guests:
        for _ in range(4):
            guest = guests.enter_context(socket.socket())
            guest.setblocking(False)
            guest.connect_ex(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.usefixtures("allowed")
def test_a_cancel_ends_a_connection_that_does_not_come_about(full_house, cancelled, tmp_path):
    with pytest.raises(JobLost):
        fetch(f"http://{full_house}/a", tmp_path / "a", ROOMY)


@pytest.mark.usefixtures("allowed")
def test_a_connection_that_does_not_come_about_is_given_up(full_house, tmp_path):
    with pytest.raises(DownloadFailed, match="could not be reached"):
        fetch(f"http://{full_house}/a", tmp_path / "a", SHORT)


@pytest.mark.usefixtures("allowed")
def test_an_address_that_takes_no_connection_gives_way_to_the_next(full_house, speaker, monkeypatch, tmp_path):
    def whole(plain: socket.socket) -> None:
        plain.recv(65536)
        plain.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY))

    monkeypatch.setattr(outgoing, "_CONNECT_SECONDS", 0.1)
    with speaking(whole) as host:
        ports = [int(address.rpartition(":")[2]) for address in (full_house, host)]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert fetch("http://archive.test/a", tmp_path / "a", ROOMY) == len(BODY)


@pytest.mark.usefixtures("allowed")
def test_a_steady_download_has_an_end_all_the_same(speaker, tmp_path):
    limits = Limits(max_bytes=100_000_000, stall_seconds=LIMIT_S, whole_seconds=1.0)
    with speaking(speaker.steady_body) as host, pytest.raises(DownloadFailed, match="not finished after") as failure:
        fetch(f"http://{host}/a", tmp_path / "a", limits)
    assert failure.value.is_transient


# --- Whose certificate it is ---


@pytest.fixture
def archive(tmp_path, monkeypatch) -> Iterator[int]:
    """Serve a file by TLS with a certificate of archive.test that is trusted, under two names; give the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_of("archive.test", tmp_path / "archive.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "archive.pem"))

    def speak(plain: socket.socket) -> None:
        with context.wrap_socket(plain, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY))

    with speaking(speak) as host:
        port = int(host.rpartition(":")[2])
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        yield port


def certificate_of(name: str, path: Path) -> Path:
    """Write a key and a certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = timezone.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.usefixtures("allowed")
def test_the_certificate_must_be_of_the_name_in_the_address_and_not_of_the_number(archive, tmp_path):
    assert fetch(f"https://archive.test:{archive}/a", tmp_path / "a", ROOMY) == len(BODY)
    assert (tmp_path / "a").read_bytes() == BODY
    with pytest.raises(DownloadFailed, match="certificate") as failure:
        fetch(f"https://other.test:{archive}/a", tmp_path / "b", ROOMY)
    assert not failure.value.is_transient


@pytest.mark.usefixtures("allowed")
def test_a_certificate_that_nobody_trusts_is_not_accepted(archive, monkeypatch, tmp_path):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(DownloadFailed, match="certificate"):
        fetch(f"https://archive.test:{archive}/a", tmp_path / "a", ROOMY)
