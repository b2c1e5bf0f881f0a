import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from observations.numerics import compiled

WRITTEN = """
import numpy as np
from observations.numerics.compiled import compiled

@compiled
def total(values):
    found = 0.0
    for value in values:
        found += value
    return found
"""


def _started(folder, code, **environment):
    """Run a program beside a module `loops` of the folder; return what it printed."""
    command = [sys.executable, "-c", f"import loops, numpy as np\n{code}"]
    paths = os.pathsep.join([str(folder), str(Path.cwd())])
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": paths, **environment}, check=True, capture_output=True, text=True
    )
    return done.stdout.split()


def test_a_second_process_finds_the_compiled_loop_where_it_was_told_to_be_kept(tmp_path):
    (tmp_path / "loops.py").write_text(WRITTEN)
    kept = tmp_path / "kept"
    code = "print(loops.total(np.arange(4.0)), len(loops.total.stats.cache_hits), len(loops.total.stats.cache_misses))"
    assert _started(tmp_path, code, NUMBA_CACHE_DIR=str(kept)) == ["6.0", "0", "1"]
    assert _started(tmp_path, code, NUMBA_CACHE_DIR=str(kept)) == ["6.0", "1", "0"]
    assert list(kept.rglob("*.nbc"))


def test_nan_and_infinity_keep_their_meaning_in_a_compiled_loop():
    @compiled.compiled
    def finite(values):
        count = 0
        for value in values:
            count += np.isfinite(value)
        return count

    assert finite(np.array([1.0, np.nan, np.inf, -np.inf])) == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_strips_cover_every_row_once_with_any_number_of_threads(monkeypatch, threads):
    monkeypatch.setattr(compiled, "thread_count", lambda: threads)
    seen, used = np.zeros(101, dtype=int), set()

    def work(start, stop):
        used.add(threading.get_ident())
        seen[start:stop] += 1

    compiled.by_strips(work, 101, 7)
    assert (seen == 1).all()
    assert len(used) <= threads


def test_a_fault_in_a_strip_is_raised(monkeypatch):
    monkeypatch.setattr(compiled, "thread_count", lambda: 2)

    def work(start, stop):
        if start == 20:
            raise ValueError("row 20")

    with pytest.raises(ValueError, match="row 20"):
        compiled.by_strips(work, 50, 10)
