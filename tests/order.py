"""In which order the workers of a run are given the files of tests: so that none waits for another, or is left alone.

What a test asserts depends on no order; what a run takes does. Who changes nothing here loses nothing but time.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest

from tests.once import workers

TESTS = Path(__file__).resolve().parent
# Nobody else goes on with the simulated night before somebody has made it: one of these comes at the beginning.
_MAKES_THE_NIGHT = "astrid_site/night/test_foreground.py"
# Nor is there a database before the first who wants one has migrated it: another works without one meanwhile.
_NEEDS_NO_DATABASE = "differencing/numerics/test_tracklets.py"
# What takes longest without it; then what takes a quarter of a minute and more, with it or without.
_LONG = (
    "astrid_site/test_blind.py",
    "e2e/test_accessibility.py",
    "faults/test_rabbitmq.py",
    "e2e/test_triage_offline.py",
    "astrid_site/test_api_schema.py",
    "e2e/test_themes.py",
    "astrid_site/night/test_demonstration.py",
    "astrid_site/test_two_machines.py",
    "astrid_site/night/test_given.py",
    "astrid_site/test_routes.py",
    "astrid_site/site/test_proxies.py",
    "differencing/stage/test_movers.py",
    "e2e/test_triage.py",
    "e2e/test_triage_plain.py",
    "e2e/test_triage_outages.py",
    "e2e/test_sky.py",
    "e2e/test_admin.py",
    "e2e/test_triage_keys.py",
    "e2e/test_triage_looks.py",
    "e2e/test_triage_news.py",
    "e2e/test_triage_objects.py",
    "e2e/test_triage_screens.py",
    "e2e/test_viewer.py",
    "detection/stage/test_detect.py",
    "test_inputs_stay.py",
    "differencing/stage/test_difference.py",
    "curation/injected/test_no_trace.py",
    "curation/test_admin.py",
    "catalog/test_admin.py",
    "differencing/numerics/test_movers.py",
    "differencing/numerics/test_positions.py",
    "differencing/numerics/test_difference.py",
    "test_architecture.py",
)
_RANKS = {TESTS / name: rank for rank, name in enumerate((_MAKES_THE_NIGHT, _NEEDS_NO_DATABASE, *_LONG))}


def longest_first(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files before all others, which stay as they are."""
    items.sort(key=lambda item: _RANKS.get(item.path, len(_RANKS)))


def import_all_files() -> None:
    """Import all files of tests, beginning with others than the other workers do.

    To make an assertion tell what it compared takes as long as all imports; what one worker has made so is there for
    those who come later, where Python may keep what it compiled.
    """
    files = sorted(TESTS.glob("**/test_*.py"))
    first = len(files) * int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")) // workers()
    for path in files[first:] + files[:first]:
        importlib.import_module(".".join(path.relative_to(TESTS.parent).with_suffix("").parts))
