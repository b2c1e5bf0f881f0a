"""A stage that kills the process which works on one frame, as a fault in a library would; others are preprocessed."""

from __future__ import annotations

import os
import signal

from observations.models import Observation
from preprocessing.stage import preprocess


def run(observation_id: str) -> None:
    if Observation.objects.filter(pk=observation_id, original_name=os.environ["ASTRID_TEST_POISON"]).exists():
        os.kill(os.getpid(), signal.SIGKILL)
    preprocess.run(observation_id)
