"""The program's first start in an empty data root: once in a run, for who looks at it and who goes on from there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.once import once
from tests.waiting import PATIENCE_SECONDS

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Start:
    """How `process` ended that was given no frame, what `db status` said afterwards, and the cluster that it left."""

    status: int
    output: str
    progress: str
    status_of_database: int
    cluster: Path


@pytest.fixture(scope="session")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Return what the program did in an empty data root."""
    folder = once(tmp_path_factory, "first_start", _start)
    return Start(**json.loads((folder / "ended.json").read_text()), cluster=folder / "postgres")


def _start(folder: Path) -> None:
    # pytest's own folder is shut to an unprivileged server.
    place = Path(tempfile.mkdtemp(prefix="astrid-start-"))
    place.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "DJANGO"))}
    environment["ASTRID_DATA_ROOT"] = str(place / "data")
    (folder / "page.fits").write_text("<!DOCTYPE html><html><body>Not found</body></html>")

    def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )

    try:
        ended = manage("process", str(folder / "page.fits"), "--json")
        facts = {"status": ended.returncode, "output": ended.stdout, "progress": ended.stderr}
        facts["status_of_database"] = manage("db", "status").returncode
        copy_cluster(place / "data" / "postgres", folder / "postgres")
        (folder / "ended.json").write_text(json.dumps(facts))
    finally:
        shutil.rmtree(place)


def copy_cluster(cluster: Path, to: Path) -> None:
    """Copy a cluster that is stopped, with its owners, which shutil.copytree would not keep."""
    subprocess.run(["cp", "-a", cluster, to], check=True)
