"""The files for nginx and Caddy that docs/deploy.md names, run as they are before the supervisor's web server.

Only names, ports and certificates are put in their places.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import override_settings

from astrid_site.running.supervisor import services
from catalog.models import AuditLog
from curation.alerts.publishing import publish_pending
from observations.models import IncomingFile
from tests.clients import account, token_of
from tests.factories import AlertFactory
from tests.ports import free_ports

pytestmark = pytest.mark.django_db(transaction=True)
DEPLOY = Path(__file__).resolve().parents[3] / "docs" / "deploy"
NAME = "astrid.example.org"
PATIENCE_SECONDS = 120.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a certificate, which everybody may enter: nginx drops the rights of root."""
    folder = tmp_path_factory.mktemp("proxies")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    parts = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(*parts))
    return folder


@contextmanager
def running(arguments: tuple[str, ...], port: int, log: Path, environment: dict[str, str]) -> Iterator[None]:
    """Keep a program running that listens on a port."""
    with log.open("ab") as file:
        process = subprocess.Popen(arguments, env=environment, stdout=file, stderr=file, cwd=DEPLOY.parents[1])
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not listens(port):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Ports(NamedTuple):
    """web: of the site itself; public, plain: of the proxy before it, with and without TLS."""

    web: int
    public: int
    plain: int


@contextmanager
def site(folder: Path, ports: Ports) -> Iterator[None]:
    """Run the web server of the supervisor, on the tests' database, as a site behind one proxy."""
    database = connection.settings_dict
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "PYTEST"))},
        "DATABASE_URL": f"postgres://{database['USER']}@/{database['NAME']}?host={quote(database['HOST'])}",
        "ASTRID_DATA_ROOT": str(folder / "root"),
        "ALLOWED_HOSTS": NAME,
        "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN",
        "ASTRID_TRUSTED_PROXIES": "1",
    }
    with override_settings(PORT=ports.web):
        [web] = [service for service in services() if service.name == "web"]
    with running(web.arguments, ports.web, folder / "web.log", environment):
        yield


def documented(name: str, **places: str) -> str:
    """Return a file of docs/deploy with other things in their places, each of which must be there."""
    text = (DEPLOY / name).read_text()
    for old, new in places.items():
        assert old in text, f"{name} no longer says {old}"
        text = text.replace(old, new)
    return text


def _nginx(folder: Path, ports: Ports) -> tuple[str, ...]:
    places = {
        "listen 80": f"listen 127.0.0.1:{ports.plain}",
        "listen 443": f"listen 127.0.0.1:{ports.public}",
        "/etc/ssl/astrid/fullchain.pem": str(folder / "certificate.pem"),
        "/etc/ssl/astrid/privkey.pem": str(folder / "key.pem"),
        "127.0.0.1:8000": f"127.0.0.1:{ports.web}",
    }
    (folder / "site.conf").write_text(documented("nginx.conf", **places))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    own = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    http = f"access_log off;\n{own}include {folder}/site.conf;\n"
    user = "user root;\n" if os.geteuid() == 0 else ""
    around = f"{user}daemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\nevents {{}}\nhttp {{\n{http}}}\n"
    (folder / "nginx.conf").write_text(around)
    return (str(shutil.which("nginx")), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf"))


def _caddy(folder: Path, ports: Ports) -> tuple[str, ...]:
    certificate = f"\ttls {folder}/certificate.pem {folder}/key.pem\n"
    places = {
        f"{NAME} {{\n": f"https://{NAME}:{ports.public} {{\n\tbind 127.0.0.1\n{certificate}",
        "127.0.0.1:8000": f"127.0.0.1:{ports.web}",
    }
    text = documented("Caddyfile", **places)
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{text}")
    return (str(shutil.which("caddy")), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile"))


@pytest.fixture(scope="module", params=[_nginx, _caddy], ids=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest, folder: Path, django_db_setup: None) -> Iterator[str]:
    """Run a proxy before a web server of its own, which counts what it refuses; give its address."""
    name = request.param.__name__.removeprefix("_")
    if shutil.which(name) is None:
        pytest.skip(f"NOT TESTED BEHIND {name.upper()}: there is no {name} (Debian: apt install {name})")
    ports = Ports(*free_ports(3))
    environment = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    program = request.param(folder, ports)
    with site(folder, ports), running(program, ports.public, folder / f"{name}.log", environment):
        yield f"https://127.0.0.1:{ports.public}"


@pytest.fixture
def visitor(proxy: str) -> Iterator[httpx.Client]:
    """Give a client that says of itself what it likes."""
    lies = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "http", "Forwarded": "for=6.6.6.6;proto=http"}
    headers = {"Host": NAME, "Referer": f"https://{NAME}/accounts/login/", **lies}
    with httpx.Client(base_url=proxy, headers=headers, verify=False, timeout=PATIENCE_SECONDS) as client:
        client.event_hooks = {"request": [lambda request: request.extensions.update(sni_hostname=NAME)]}
        yield client


def log_in(visitor: httpx.Client, password: str, **lies: str) -> int:
    visitor.get("/accounts/login/").raise_for_status()
    data = {"username": "vera", "password": password, "csrfmiddlewaretoken": visitor.cookies["csrftoken"]}
    return visitor.post("/accounts/login/", data=data, headers=lies).status_code


def test_a_forged_address_neither_evades_the_lock_nor_gets_into_the_audit_log(visitor: httpx.Client):
    user = account("viewer")
    # As the site's own settings hash it, not those of the tests.
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.PBKDF2PasswordHasher"]):
        user.username, user.password = "vera", make_password("correct-horse-47")
    user.save()
    assert log_in(visitor, "correct-horse-47") == 302
    visitor.cookies.clear()
    tries = [log_in(visitor, "wrong", **{"X-Forwarded-For": f"6.6.6.{n}, 7.7.7.{n}"}) for n in range(5)]
    assert tries == [200, 200, 200, 200, 429]
    assert log_in(visitor, "correct-horse-47", **{"X-Forwarded-For": "8.8.8.8", "X-Real-IP": "8.8.8.8"}) == 429
    written = list(AuditLog.objects.order_by("id").values_list("action", "ip_address"))
    assert written == [("log_in", "127.0.0.1"), *[("fail_log_in", "127.0.0.1")] * 5, ("lock_log_in", "127.0.0.1")]


def test_unknown_tokens_are_counted_by_the_true_address(visitor: httpx.Client):
    def guess(n: int) -> int:
        headers = {"Authorization": "Bearer x", "X-Forwarded-For": f"6.6.{n}.6"}
        return visitor.get("/api/v1/alerts/", headers=headers).status_code

    # The count is of whole minutes, and one may end meanwhile.
    assert 429 in [guess(n) for n in range(62)]


def test_a_frame_goes_through_as_it_comes_and_what_is_too_large_is_told_by_the_site(visitor: httpx.Client):
    token = token_of(account("operator"))
    headers = {"Authorization": f"Bearer {token}"}
    file = {"file": ("light.fits", b"x" * 5_000_000)}
    answer = visitor.post("/api/v1/observations/", files=file, headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"].startswith(f"https://{NAME}/api/v1/processing-jobs/")
    assert IncomingFile.objects.get().name == "light.fits"
    answer = visitor.post("/api/v1/observations/", content=b"{" + b" " * 3_000_000, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def _publish() -> Any:
    alert = AlertFactory()
    publish_pending()
    return alert


def test_alerts_are_waited_for_and_streamed_as_they_come(visitor: httpx.Client):
    headers = {"Authorization": f"Bearer {token_of(account('viewer'))}"}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(visitor.get, "/api/v1/alerts/feed/?wait=30", headers=headers)
        first = _publish()
        assert str(first.pk) in waiting.result(PATIENCE_SECONDS).text
    with visitor.stream("GET", "/api/v1/alerts/stream", headers=headers) as stream:
        lines = stream.iter_lines()
        assert any(str(first.pk) in line for line in lines), "what there was"
        second = _publish()
        assert any(str(second.pk) in line for line in lines), "what came while the stream was open"
