"""A real night through the workers comes to what it comes to in the foreground."""

from __future__ import annotations

import pytest

from tests.faults.system import assert_same, system

pytestmark = pytest.mark.faults


def test_the_asteroid_night_through_the_queue_is_as_in_the_foreground(shared_data):
    night = str(shared_data / "raw_asteroid2713_20181017")
    with system() as alone:
        alone.manage("process", night)
        expected = alone.fingerprint()
    assert len(expected["detections"]) > 10
    with system(ASTRID_WORKERS="2") as whole:
        whole.start_all()
        whole.manage("ingest", night)
        whole.wait_until_idle()
        assert_same(whole.fingerprint(), expected)
