"""A stage for tests of the jobs: it does what the test tells it."""

from __future__ import annotations

from collections.abc import Callable

from astrid_site.night import stages
from catalog.failures import FailureCode
from catalog.work.stages import Stage

work: Callable[[str], object] = str
closed: list[tuple[str, str, str]] = []


def run(entity_id: str) -> None:
    work(entity_id)


def abandon(entity_id: str, code: FailureCode, sentence: str) -> None:
    closed.append((entity_id, str(code), sentence))


STAGES = (
    *stages.STAGES,
    Stage("example", "tests.stages", abandon="tests.stages.abandon"),
    Stage("later", "tests.stages", "light", waits_for=("example",), abandon="tests.stages.abandon"),
)
