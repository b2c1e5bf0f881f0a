"""Settings of a system in which one frame is poison."""

from astrid_site.settings import *  # noqa: F403

STAGES = "tests.faults.tables.POISONED"
