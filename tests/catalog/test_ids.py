from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122

import pytest

from catalog.ids import uuid7


def test_a_key_says_version_variant_and_its_millisecond() -> None:
    before = time.time_ns() // 1_000_000
    key = uuid7()
    after = time.time_ns() // 1_000_000
    assert (key.version, key.variant) == (7, RFC_4122)
    # A burst of keys may run ahead of the clock by one tick a key: far below a second here.
    assert before <= key.int >> 80 <= after + 1000


def test_keys_of_one_process_are_unique_and_rise_over_all_threads() -> None:
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda _: [uuid7() for _ in range(2000)], range(4)))
    assert all(batch == sorted(batch) for batch in batches)
    assert len({key for batch in batches for key in batch}) == 8000


def test_keys_rise_even_where_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = uuid7()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert uuid7() > first
