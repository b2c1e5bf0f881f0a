"""Settings of a system whose disk is full wherever a test says so."""

from astrid_site.settings import *  # noqa: F403

STAGES = "tests.faults.tables.FULL"
