import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_SECONDS

# Memory that torch takes is only seen from outside. All that is freed goes back at once, so that the peak is what is
# in use; a first pair loads and compiles what is loaded and compiled once.
PROGRAM = """
import ctypes, django, torch
from pathlib import Path
django.setup()
from differencing.numerics import zogy
from differencing.numerics.cutting import grid_of
from differencing.numerics.difference import finish
from differencing.numerics.maps import transform_pair
from differencing.numerics.pair import finite, prepare
from differencing.numerics.responses import Responses
from observations.numerics.simulate.pair import PairParameters, simulate_pair
from tests.differencing.numerics.scenes import ZOGY, pair_of, subtract

def held(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))

def peak_of(step, *arguments):
    before = held("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    result = step(*arguments)
    print((held("VmHWM") - before) / (4 * made.science.data.size))
    return result

for option in (-1, -3):
    ctypes.CDLL(None).mallopt(option, 2**17)
subtract(pair_of(3).science, pair_of(3).reference)
made = simulate_pair(PairParameters(seed=3, shape=(3072, 1024), n_stars=800, n_galaxies=0, n_transients=0))
pair = peak_of(prepare, finite(made.science), finite(made.reference), (None, None), ZOGY)
grid = grid_of(pair, None, ZOGY)
maps = peak_of(transform_pair, pair, grid, zogy.filters_of, torch.device("cpu"))
peak_of(finish, maps, pair, grid, ZOGY, Responses(pair, grid, zogy.filters_of))
"""


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="the peak of memory can be counted on Linux only"
)
def test_a_pair_is_subtracted_in_few_images_more_than_its_own():
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )
    assert run.returncode == 0, run.stderr
    prepared, transformed, finished = (float(line) for line in run.stdout.split())
    # In images of float32: both brought to one scale, two in which the sky is looked for, and masks.
    assert prepared < 5.2
    # Six maps; the tiles, some of which are kept until the colour of the noise is known, are half as much here.
    assert transformed < 9.6
    # Everything is done in the maps' own memory: what is blank, bins of the highest, and rows that are worked on.
    assert finished < 1.8
