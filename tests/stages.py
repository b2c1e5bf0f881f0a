"""A stage for tests of the jobs: it does what the test tells it."""

from __future__ import annotations

from collections.abc import Callable

from catalog.failures import FailureCode

work: Callable[[str], object] = str
closed: list[tuple[str, str, str]] = []


def run(entity_id: str) -> None:
    work(entity_id)


def abandon(entity_id: str, code: FailureCode, sentence: str) -> None:
    closed.append((entity_id, str(code), sentence))
