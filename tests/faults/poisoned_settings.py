"""Settings of a system in which one frame is poison."""

from astrid_site.settings import *  # noqa: F403
from astrid_site.settings import JOB_MODULES as _MODULES

JOB_MODULES = {**_MODULES, "preprocess": "tests.faults.poison"}
