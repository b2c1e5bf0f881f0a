from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import RFC_4122, UUID

import pytest

from catalog.ids import uuid7

REPOSITORY = Path(__file__).resolve().parent.parent.parent
# What the C library says the time is, an hour earlier once it is told to.
CLOCK = """
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static int hours_back = 0;
void go_back(void) { hours_back = 1; }
int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec -= 3600 * hours_back;
    return result;
}
"""
OVER_A_STEP_BACK = """
import ctypes, sys, time
from catalog.ids import uuid7
first, before = uuid7(), time.time()
ctypes.CDLL(sys.argv[1]).go_back()
assert time.time() < before - 3000, "the clock does not obey"
later = [uuid7() for _ in range(1000)]
assert [first, *later] == sorted([first, *later])
"""

# A process of its own, since this one may have threads.
FAMILY = """
import os
from catalog.ids import uuid7
os.write(1, f"{uuid7()} ".encode())
children = []
for _ in range(8):
    child = os.fork()
    if child == 0:
        os.write(1, "".join(f"{uuid7()} " for _ in range(50)).encode())
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
"""


def test_a_key_says_version_variant_and_its_millisecond() -> None:
    before = time.time_ns() // 1_000_000
    key = uuid7()
    after = time.time_ns() // 1_000_000
    assert (key.version, key.variant) == (7, RFC_4122)
    assert type(key) is UUID
    # The keys of one millisecond are counted, so that a burst may run ahead of the clock, far below a second here.
    assert before <= key.int >> 80 <= after + 1000


def test_keys_of_one_process_are_unique_and_rise_over_all_threads() -> None:
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda _: [uuid7() for _ in range(2000)], range(4)))
    assert all(batch == sorted(batch) for batch in batches)
    assert len({key for batch in batches for key in batch}) == 8000


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler to make a clock that can be set")
def test_keys_rise_even_where_the_clock_goes_back(tmp_path: Path) -> None:
    source, clock = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text(CLOCK)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", clock, source], check=True)
    program = [sys.executable, "-c", OVER_A_STEP_BACK, str(clock)]
    subprocess.run(program, check=True, cwd=REPOSITORY, env={**os.environ, "LD_PRELOAD": str(clock)})


def test_children_of_one_process_make_keys_of_their_own_later_than_its_last() -> None:
    family = subprocess.run([sys.executable, "-c", FAMILY], check=True, cwd=REPOSITORY, capture_output=True, text=True)
    last, *keys = family.stdout.split()
    assert len(set(keys)) == len(keys) == 8 * 50
    assert min(keys) > last
