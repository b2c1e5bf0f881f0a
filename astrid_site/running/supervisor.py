"""All of AstrID under one command: web server, workers and their clock, started, watched, and stopped together.

A process that dies is started again, later each time it dies young. What a supervisor leaves behind that was itself
killed is found by the record that it kept in the data root, and ended by the next one.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.conf import settings

from catalog.files import storage

Report = Callable[[str], None]

# A worker hands its job back within 20 s; what is left after this is killed.
STOP_SECONDS = 30.0
# A process that ends sooner than this has died young, and waits before its next start, at most so long.
YOUNG_SECONDS, LONGEST_WAIT_SECONDS = 20.0, 60.0
_LARGEST_LOG_BYTES = 10_000_000
_POLL_SECONDS = 0.3
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class AlreadyRunning(Exception):
    """Another supervisor serves this data root; the text says which."""


class PortTaken(Exception):
    """Somebody else listens where the pages were to be served."""


@dataclass(frozen=True)
class Service:
    """One process to keep alive."""

    name: str
    arguments: tuple[str, ...]


def services() -> list[Service]:
    """Return what makes up the system on one machine."""
    # Pages go before work. Django's checks, which load every page, are for `manage.py check`.
    celery = ("nice", "-n", "5", sys.executable, "-m", "celery", "--skip-checks", "-A", "astrid_site")
    worker = (*celery, "worker", "--loglevel", "INFO", "--without-mingle")
    schedule = str(storage.resolve("run/beat-schedule"))
    address = ("--host", settings.BIND_ADDRESS, "--port", str(settings.PORT))
    # Clients that wait for alerts would let it wait as long. Whose word counts for the client's address is the site's
    # to decide, and not the server's too. Pages ask again within seconds, and proxies keep connections for two minutes:
    # who shuts one first lets the other's next request fail.
    manners = (
        "--timeout-graceful-shutdown",
        "5",
        "--timeout-keep-alive",
        "130",
        "--no-proxy-headers",
        "--no-access-log",
    )
    web = (sys.executable, "-m", "uvicorn", "astrid_site.asgi:application", *address, *manners)
    downloads, deliveries = str(settings.ASTRID_DOWNLOADS), str(settings.ASTRID_DELIVERIES)
    return [
        Service("web", web),
        Service("light", (*worker, "-Q", "light", "-n", "light@%h", "--pool", "threads", "-c", "4")),
        Service("downloads", (*worker, "-Q", "downloads", "-n", "downloads@%h", "--pool", "threads", "-c", downloads)),
        Service(
            "deliveries", (*worker, "-Q", "deliveries", "-n", "deliveries@%h", "--pool", "threads", "-c", deliveries)
        ),
        Service("pipeline", (*worker, "-Q", "pipeline", "-n", "pipeline@%h", "-c", str(settings.ASTRID_WORKERS))),
        Service("training", (*worker, "-Q", "training", "-n", "training@%h", "-c", "1")),
        Service("beat", (*celery, "beat", "-s", schedule)),
    ]


@contextmanager
def running(report: Report, wanted: list[Service] | None = None) -> Iterator[Supervisor]:
    """Keep the services running for the block, and stop all of them after it.

    Raises AlreadyRunning or PortTaken before anything is started.
    """
    supervisor = Supervisor(services() if wanted is None else wanted, report)
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()


class Supervisor:
    """The processes, the thread that watches them, and the record of both in the data root."""

    def __init__(self, wanted: list[Service], report: Report) -> None:
        self._report = report
        self._kept = [_Kept(service) for service in wanted]
        self._record = storage.resolve("run/supervisor.json")
        self._ending = threading.Event()
        # Children are told to end when the thread dies that made them, so one thread makes them all.
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        self._record.parent.mkdir(parents=True, exist_ok=True)
        _end_remains(self._record, self._report)
        if any(kept.service.name == "web" for kept in self._kept):
            _require_free_port()
        self._write_record()
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._thread.join()
        for kept in self._kept:
            kept.send(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for kept in self._kept:
            kept.end_by(deadline)
        self._record.unlink(missing_ok=True)

    def wait(self) -> None:
        """Wait until somebody interrupts."""
        while True:
            time.sleep(3600.0)

    def wait_for_pages(self) -> None:
        """Wait until the web server takes connections, which is not its business for ever: its log would say why."""
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                probe.settimeout(1.0)
                if probe.connect_ex((settings.BIND_ADDRESS, settings.PORT)) == 0:
                    return
            time.sleep(0.1)
        self._report(f"The web server does not answer yet; its log: {storage.resolve('log/web.log')}")

    def _watch(self) -> None:
        while not self._ending.is_set():
            changed = False
            for kept in self._kept:
                if self._ending.is_set():
                    break
                changed |= kept.keep(self._report)
            if changed:
                self._write_record()
            self._ending.wait(_POLL_SECONDS)

    def _write_record(self) -> None:
        children = [_identity(kept.process.pid) for kept in self._kept if kept.process is not None]
        record = {"supervisor": _identity(os.getpid()), "children": [child for child in children if child]}
        beside = self._record.with_suffix(".part")
        beside.write_text(json.dumps(record), encoding="utf-8")
        beside.replace(self._record)


class _Kept:
    """One service and its present process."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.process: subprocess.Popen[bytes] | None = None
        self._started = self._due = 0.0
        self._young_deaths = 0

    def keep(self, report: Report) -> bool:
        """Start the process if it is not there; return whether there is a new one."""
        now = time.monotonic()
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return False
            # Its children too: they belong to a worker that is gone.
            self.send(signal.SIGKILL)
            self.process = None
            self._young_deaths = self._young_deaths + 1 if now - self._started < YOUNG_SECONDS else 0
            wait = min(2.0**self._young_deaths - 1.0, LONGEST_WAIT_SECONDS)
            self._due = now + wait
            later = f" in {wait:.0f} s" if wait >= 1.0 else ""
            report(f"{self.service.name} ended ({_how(code)}) and will be restarted{later}; its log: {self._log()}")
        if now < self._due:
            return False
        self.process, self._started = _launch(self.service, self._log()), now
        return True

    def send(self, number: int) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                # A worker passes the order to end on to its children itself.
                if number == signal.SIGTERM:
                    self.process.send_signal(number)
                else:
                    os.killpg(self.process.pid, number)

    def end_by(self, deadline: float) -> None:
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(max(deadline - time.monotonic(), 0.0))
            self.send(signal.SIGKILL)
            self.process.wait()

    def _log(self) -> Path:
        return storage.resolve(f"log/{self.service.name}.log")


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def _launch(service: Service, log: Path) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".old.log"))
    with log.open("ab") as file:
        return subprocess.Popen(
            service.arguments,
            cwd=settings.BASE_DIR,
            # The demo works with another catalogue than the environment names.
            env={**os.environ, "ASTRID_STAR_CATALOG": settings.ASTRID_STAR_CATALOG},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for the supervisor, which ends the others in order.
            start_new_session=True,
            # Safe beside threads: it takes no lock and imports nothing.
            preexec_fn=_end_with_parent if _LIBC is not None else None,  # noqa: PLW1509
        )


def _end_with_parent() -> None:
    """Ask Linux to send this process SIGTERM when its supervisor dies by whatever cause."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _identity(pid: int) -> dict[str, object] | None:
    """Return what tells a process from a later one of the same number."""
    with suppress(psutil.NoSuchProcess):
        return {"pid": pid, "created": psutil.Process(pid).create_time()}
    return None


def _living(identity: Mapping[str, object]) -> psutil.Process | None:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(identity["pid"])
        if abs(process.create_time() - identity["created"]) < 1.0 and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def _end_remains(path: Path, report: Report) -> None:
    """End what a killed supervisor left; raise AlreadyRunning where it lives."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return
    if record["supervisor"]["pid"] != os.getpid() and _living(record["supervisor"]):
        raise AlreadyRunning(f"AstrID already runs here, as process {record['supervisor']['pid']}.")
    remains = [process for identity in record["children"] if (process := _living(identity))]
    family = [*remains, *(child for process in remains for child in process.children(recursive=True))]
    if family:
        report(f"Stopping {len(family)} processes that an earlier run left behind")
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(family, timeout=5.0)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5.0)


def _require_free_port() -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.BIND_ADDRESS, settings.PORT))
        except OSError as error:
            raise PortTaken(
                f"Port {settings.PORT} of {settings.BIND_ADDRESS} cannot be used ({error.strerror}): "
                "name another with PORT=8001."
            ) from error
