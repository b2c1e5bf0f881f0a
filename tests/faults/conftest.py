"""What nights come to when nothing goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.system import system
from tests.starts import Start


@pytest.fixture(scope="session")
def faultless(delivered_nights: Path, first_start: Start) -> dict[str, Any]:
    """Return the fingerprint of the simulated nights, processed in the foreground without any worker."""
    with system(first_start.cluster) as whole:
        whole.manage("process", str(delivered_nights))
        found = whole.fingerprint()
    assert found["detections"]
    assert found["tracklets"]
    assert found["forced"]
    return found
