"""The broker is wiped, the database is torn down, the disk is full, a frame kills its workers: the night still ends."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.faults.system import PATIENCE_SECONDS, System, assert_same, system, wait_for

pytestmark = pytest.mark.faults

DONE = "SELECT count(*) FROM catalog_processingjob WHERE status = 'completed'"


def done(broken: System) -> int:
    return int(broken.query(DONE)[0][0])


def test_a_broker_that_is_gone_for_a_minute_and_comes_back_empty_loses_no_work(delivered_nights, faultless):
    with system() as broken:
        broken.manage("ingest", str(delivered_nights))
        broken.start_all()
        messages = broken.root / "broker" / "messages"
        wait_for(lambda: messages.is_dir() and done(broken) > 3, broken.jobs)
        messages.rename(broken.root / "broker" / "wiped")
        # Where the folder was is something else: nobody can make it anew before the minute is over.
        messages.write_text("")
        time.sleep(60.0)
        messages.unlink()
        broken.wait_until_idle()
        assert_same(broken.fingerprint(), faultless)


def test_a_database_that_is_torn_down_five_times_keeps_every_write_that_it_acknowledged(delivered_nights, faultless):
    with system() as broken:
        broken.manage("ingest", str(delivered_nights))
        broken.start_all()
        for _ in range(5):
            before = done(broken)
            wait_for(lambda seen=before: done(broken) > seen, broken.jobs)
            acknowledged = done(broken)
            tear_down_database(broken)
            broken.manage("db", "start")
            assert done(broken) >= acknowledged
        broken.wait_until_idle()
        assert_same(broken.fingerprint(), faultless)


def tear_down_database(broken: System) -> None:
    """Kill every server process at once, which is harder than `restart -m immediate`."""
    pid = int((broken.root / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    family = [psutil.Process(pid), *psutil.Process(pid).children()]
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=PATIENCE_SECONDS)


def limit_files(broken: System, size_bytes: int) -> None:
    """Let no file that the pipeline's processes write grow larger."""
    worker = psutil.Process(broken.processes["pipeline"].pid)
    for process in (worker, *worker.children()):
        process.rlimit(psutil.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


def test_work_that_finds_the_disk_full_says_so_waits_and_goes_on_when_there_is_space(delivered_nights, faultless):
    with system() as broken:
        broken.manage("ingest", str(delivered_nights))
        broken.start("pipeline")
        wait_for(lambda: psutil.Process(broken.processes["pipeline"].pid).children())
        limit_files(broken, 200_000)
        broken.start("light")
        broken.start("beat")
        waiting = "SELECT count(*) FROM catalog_processingjob WHERE status = 'pending' AND failure_code = 'disk_full'"
        wait_for(lambda: broken.query(waiting)[0][0] > 0, broken.jobs)
        assert no_stumps(broken.root)
        limit_files(broken, resource.RLIM_INFINITY)
        broken.wait_until_idle()
        assert no_stumps(broken.root)
        assert_same(broken.fingerprint(), faultless)


def no_stumps(root: Path) -> bool:
    folders = [root / name for name in ("masters", "processed", "differences", "references", "cutouts")]
    return not [path for folder in folders if folder.exists() for path in folder.rglob("*.part")]


def test_a_frame_that_kills_its_worker_every_time_fails_after_three_tries_and_the_others_go_on(delivered_nights):
    poisoned = "night1_light02.fits"
    with system(ASTRID_TEST_POISON=poisoned, DJANGO_SETTINGS_MODULE="tests.faults.poisoned_settings") as broken:
        broken.manage("ingest", str(delivered_nights))
        broken.start_all()
        broken.wait_until_idle()
        rows: list[tuple[Any, ...]] = broken.query(
            """SELECT j.status, j.failure_code, j.attempt, j.error_message FROM catalog_processingjob j
               JOIN observations_observation o ON o.id::text = j.entity_id
               WHERE j.job_type = 'preprocess' AND o.original_name = %s""",
            poisoned,
        )
        assert [row[:3] for row in rows] == [("failed", "worker_lost", 3)]
        assert "3 times" in rows[0][3]
        left = broken.query(
            "SELECT original_name, status, failure_code FROM observations_observation WHERE status <> 'differenced'"
        )
        assert {row for row in left if row[0] == poisoned} == {(poisoned, "failed", "worker_lost")}
        assert len(left) == 2, "the poisoned one and the clouded one"
