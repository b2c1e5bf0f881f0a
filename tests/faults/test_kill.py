"""kill -9 amid each stage: the night ends with the same rows and files as one without faults."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.system import PATIENCE_SECONDS, System, assert_same, system, wait_for

# A table that no earlier stage writes: while it is locked, the stage stands still amid its work.
WRITTEN_BY = {
    "masters": "preprocessing_calibrationmaster",
    "preprocess": "preprocessing_preprocessrun",
    "register": "observations_field",
    "difference": "differencing_candidate",
    "detect": "detection_detection",
    "tracklets": "differencing_tracklet",
    "forced": "detection_forcedphotometry",
}
RUNNING = "SELECT count(*) FROM catalog_processingjob WHERE status = 'running'"


@contextmanager
def standing_still(broken: System, stage: str) -> Iterator[None]:
    """Start everything with a lock held that the stage's writes need; the block begins when the stage stands still."""
    stuck = """SELECT count(*) FROM catalog_processingjob WHERE job_type = %s AND status = 'running'
               AND EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)"""
    with broken.connected() as holder, broken.connected() as observer, holder.transaction():
        holder.execute(f"LOCK TABLE {WRITTEN_BY[stage]} IN SHARE ROW EXCLUSIVE MODE")
        broken.start_all()
        wait_for(lambda: observer.execute(stuck, (stage,)).fetchall()[0][0], broken.jobs)
        yield


def kill_amid(broken: System, night: Path, stage: str, who: str) -> None:
    broken.manage("ingest", str(night))
    with standing_still(broken, stage):
        if who == "child":
            broken.kill_child("pipeline")
        else:
            broken.kill("pipeline")
    if who == "worker":
        broken.start("pipeline")
    broken.wait_until_idle()


def check(broken: System, faultless: dict[str, Any], stage: str) -> None:
    assert_same(broken.fingerprint(), faultless)
    outcomes = broken.query(
        "SELECT DISTINCT a.outcome FROM catalog_jobattempt a JOIN catalog_processingjob j ON j.id = a.job_id "
        "WHERE j.job_type = %s",
        stage,
    )
    assert {row[0] for row in outcomes} == {"lost", "completed"} | ({"failed"} if stage == "preprocess" else set())


@pytest.mark.faults
@pytest.mark.parametrize("who", ["child", "worker"])
@pytest.mark.parametrize("stage", WRITTEN_BY)
def test_a_kill_amid_a_stage_changes_nothing_in_the_end(delivered_nights, faultless, stage, who):
    with system() as broken:
        kill_amid(broken, delivered_nights, stage, who)
        check(broken, faultless, stage)


@pytest.mark.faults
def test_a_worker_killed_with_its_files_written_and_its_rows_not_changes_nothing_in_the_end(
    delivered_nights, faultless
):
    with system() as broken:
        kill_amid(broken, delivered_nights, "difference", "worker")
        check(broken, faultless, "difference")


@pytest.mark.faults
def test_a_worker_that_is_stopped_hands_its_job_back_and_the_next_one_does_it(delivered_nights, faultless):
    with system() as stopped:
        stopped.manage("ingest", str(delivered_nights))
        stopped.start_all()
        wait_for(lambda: stopped.query(RUNNING)[0][0] > 0, stopped.jobs)
        process = stopped.processes.pop("pipeline")
        os.kill(process.pid, signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)
        assert stopped.query(RUNNING)[0][0] == 0
        stopped.start("pipeline")
        stopped.wait_until_idle()
        assert_same(stopped.fingerprint(), faultless)
