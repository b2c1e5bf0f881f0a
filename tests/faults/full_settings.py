"""Settings of a system whose disk is full wherever a test says so; one process does the jobs of all types."""

from astrid_site.settings import *  # noqa: F403
from astrid_site.settings import JOB_MODULES as STAGES

JOB_MODULES = dict.fromkeys(STAGES, "tests.faults.full_disk")
JOB_QUEUES = {}
