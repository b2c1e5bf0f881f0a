"""No public numeric of this room writes to an array that its tests give it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.inputs import watch_over


@pytest.fixture(scope="module", autouse=True)
def _inputs_stay() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        watch = watch_over(patch, "detection.numerics")
        yield
    assert watch.written == set()
