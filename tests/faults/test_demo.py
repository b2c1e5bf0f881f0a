"""`manage.py demo` as a person meets it: everything starts, survives a death, and is gone after Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.faults.system import PATIENCE_SECONDS, REPOSITORY, System, system, wait_for
from tests.ports import free_ports

pytestmark = pytest.mark.faults


def start(whole: System, *arguments: str) -> subprocess.Popen[str]:
    # Where the tests run in the background, Ctrl-C is ignored from the beginning, and so by all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--size", "400", *arguments],
        cwd=REPOSITORY,
        env=whole.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def is_ready(whole: System) -> bool:
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{whole.environment['PORT']}/readyz", timeout=PATIENCE_SECONDS
        ) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def children(root: Path) -> list[psutil.Process]:
    record = json.loads((root / "run" / "supervisor.json").read_text())
    return [psutil.Process(child["pid"]) for child in record["children"]]


def test_the_demo_survives_the_death_of_a_worker_prints_the_truth_and_leaves_nothing():
    with system(PORT=str(free_ports(1)[0]), ASTRID_DEMO_PASSWORD="open-sesame-1") as whole:
        first = start(whole, "--exit")
        wait_for(lambda: is_ready(whole))
        done = "SELECT count(*) FROM catalog_processingjob WHERE status = 'completed' AND job_type = 'preprocess'"
        wait_for(lambda: whole.query(done)[0][0] > 1, whole.jobs)
        family = children(whole.root)
        (pipeline,) = [process for process in family if "pipeline" in process.cmdline()]
        pipeline.kill()
        output, _ = first.communicate(timeout=PATIENCE_SECONDS)
        assert first.returncode == 0, output
        assert "pipeline ended (signal SIGKILL) and will be restarted" in output
        assert "password: open-sesame-1" in output
        assert "injected sources found" in output
        assert "Contact sheet: " in output
        assert not any(process.is_running() for process in family)

        second = start(whole)
        wait_for(lambda: is_ready(whole))
        family = children(whole.root)
        os.kill(second.pid, signal.SIGINT)
        output, _ = second.communicate(timeout=PATIENCE_SECONDS)
        assert second.returncode == 0, output
        assert not any(process.is_running() for process in family)
        assert whole.manage("db", "status", check=False).returncode == 3, "the database was its own too"
