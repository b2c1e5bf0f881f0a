"""Tables of stages in which something else does the work."""

from __future__ import annotations

from dataclasses import replace

from astrid_site.night.stages import STAGES

# The disk is full wherever a test says so; one process does the jobs of all types.
FULL = tuple(replace(stage, module="tests.faults.full_disk", queue="pipeline") for stage in STAGES)
# One frame is poison.
POISONED = tuple(
    replace(stage, module="tests.faults.poison") if stage.name == "preprocess" else stage for stage in STAGES
)
