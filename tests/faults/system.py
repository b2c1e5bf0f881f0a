"""A whole system in real processes, over a data root of its own, that tests may break."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests import waiting
from tests.starts import copy_cluster

REPOSITORY = Path(__file__).resolve().parent.parent.parent
# Work that is lost is to be missed soon, so that tests are short; the ratios are those of the defaults.
INTERVALS = {"ASTRID_JOB_HEARTBEAT_SECONDS": "3", "ASTRID_JOB_LAPSE_SECONDS": "15", "ASTRID_JOB_WAIT_SECONDS": "2"}
# A night takes minutes where nothing else is at work; only a hang takes this.
PATIENCE_SECONDS = 3600.0
wait_for = partial(waiting.wait_for, seconds=PATIENCE_SECONDS)
OURS = ("DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY", "ALLOWED_HOSTS", "DEBUG", "HTTPS", "DJANGO_SETTINGS_MODULE")


class System:
    """Database, workers and beat."""

    def __init__(self, root: Path, **variables: str) -> None:
        self.root = root
        inherited = {name: value for name, value in os.environ.items() if name not in OURS}
        inherited = {name: value for name, value in inherited.items() if not name.startswith("PYTEST")}
        self.environment = {
            **inherited,
            **INTERVALS,
            "ASTRID_DATA_ROOT": str(root),
            "OMP_NUM_THREADS": "1",
            **variables,
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._socket = ""

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return self._run(command, check=check)

    def fingerprint(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._run([sys.executable, "-m", "tests.faults.fingerprint"]).stdout)
        return found

    def _run(self, command: list[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
        ended = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        assert not check or ended.returncode == 0, ended.stderr
        return ended

    def start(self, name: str) -> None:
        """Start the workers of a queue, or beat."""
        celery = [sys.executable, "-m", "celery", "-A", "astrid_site"]
        worker = [*celery, "worker", "-Q", name, "-n", f"{name}@h", "--loglevel", "INFO", "--without-mingle"]
        arguments = {
            "pipeline": [*worker, "-c", self.environment.get("ASTRID_WORKERS", "1")],
            "light": [*worker, "--pool", "threads", "-c", "4"],
            "downloads": [*worker, "--pool", "threads", "-c", self.environment.get("ASTRID_DOWNLOADS", "4")],
            "deliveries": [*worker, "--pool", "threads", "-c", self.environment.get("ASTRID_DELIVERIES", "8")],
            "beat": [*celery, "beat", "-s", str(self.root / "beat-schedule")],
        }[name]
        with (self.root / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                arguments, cwd=REPOSITORY, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def start_all(self) -> None:
        for name in ("pipeline", "light", "downloads", "beat"):
            self.start(name)

    def kill(self, name: str) -> None:
        """Kill a process and its children at once, as a machine that loses its power does."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_child(self, name: str) -> None:
        """Kill the process that does the work, and leave the one that watches it."""
        for child in psutil.Process(self.processes[name].pid).children():
            child.kill()

    def query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with self.connected() as connection:
            return connection.execute(sql, parameters).fetchall()

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        if not self._socket:
            line = self.manage("db", "status").stdout
            self._socket = line.rstrip().removesuffix(".").split("socket in ")[1]
        with psycopg.connect(host=self._socket, user="astrid", dbname="astrid", autocommit=True) as connection:
            yield connection

    def wait_until_idle(self, *, every: float = 0.02) -> None:
        """Wait until no job is left to do; looking seldom leaves the processors to those that are measured."""
        with self.connected() as connection:
            sql = "SELECT count(*) FROM catalog_processingjob WHERE status IN ('pending', 'running')"
            wait_for(lambda: connection.execute(sql).fetchall()[0][0] == 0, self.jobs, every=every)

    def jobs(self) -> str:
        rows = self.query("SELECT job_type, status, attempt, failure_code, error_message FROM catalog_processingjob")
        return "\n".join(str(row) for row in rows if row[1] != "completed")

    def close(self) -> None:
        for name in list(self.processes):
            self.kill(name)
        self.manage("db", "stop", check=False)


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Compare two fingerprints part by part, and see that nothing was left half done."""
    assert (found["unfinished"], found["running"], found["at_work"]) == (0, 0, 0)
    for name, value in expected.items():
        assert found[name] == value, name


@contextmanager
def system(cluster: Path | None = None, **variables: str) -> Iterator[System]:
    """Make a system with an empty database, or with a copy of one that has its tables, and leave nothing of it."""
    folder = Path(tempfile.mkdtemp(prefix="astrid-faults-"))
    folder.chmod(0o755)
    made = System(folder / "root", **variables)
    made.root.mkdir()
    try:
        if cluster is not None:
            copy_cluster(cluster, made.root / "postgres")
        made.manage("db", "start")
        if cluster is None:
            made.manage("migrate", "--verbosity", "0")
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)
