"""Runs run_ZOGY or sfft in an interpreter of its own: `python -m benchmarks.differencing.peer_worker KIND IN OUT`.

Nothing of the project is imported but `costs`; the second of two runs counts, for plans of transforms and compiled
code are made in the first.
"""

from __future__ import annotations

import ast
import importlib
import logging
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.differencing.costs import costing

Arrays = Mapping[str, np.ndarray]


def main() -> None:
    kind, given, made = sys.argv[1:]
    with np.load(given) as arrays:
        work = {"zogy": zogy, "sfft": sfft}[kind]
        loaded = {name: arrays[name] for name in arrays.files}
    out, cost = costing(lambda: work(loaded), repeats=2)
    np.savez(made, allow_pickle=False, cost=np.array([cost.seconds, cost.wall_s, cost.extra_mb]), **out)


def zogy(given: Arrays) -> dict[str, np.ndarray]:
    """Call run_ZOGY on every tile, PSFs with their centre at pixel (0, 0)."""
    run = _run_zogy()
    tile, border = (int(n) for n in given["tile_px"])
    side = tile + 2 * border
    ny, nx = given["new"].shape
    wide = {name: np.pad(given[name], ((border, side), (border, side))) for name in ("new", "ref")}
    noise = {
        name: np.pad(given[f"{name}_std"], ((border, side), (border, side)), mode="edge") for name in ("new", "ref")
    }
    out = {name: np.zeros((ny, nx), dtype=np.float32) for name in ("score", "flux", "flux_error")}
    places = [(y, x) for y in range(0, ny, tile) for x in range(0, nx, tile)]
    for number, (y, x) in enumerate(places):
        cut = np.s_[y : y + side, x : x + side]
        psfs = [_corner(given[f"{name}_psf"][number], side) for name in ("ref", "new")]
        images = [wide["ref"][cut], wide["new"][cut], *psfs, noise["ref"][cut], noise["new"][cut]]
        ratio, (dx, dy) = float(given["fratio"]), given["offsets_px"]
        _, score, flux, error = run(number, *images, ratio, 0.0, float(dx), float(dy))
        height, width = min(tile, ny - y), min(tile, nx - x)
        for name, image in (("score", score), ("flux", flux), ("flux_error", error)):
            out[name][y : y + height, x : x + width] = image[border : border + height, border : border + width]
    return out


def _corner(stamp: np.ndarray, side: int) -> np.ndarray:
    half = stamp.shape[0] // 2
    index = np.arange(-half, half + 1) % side
    image = np.zeros((side, side), dtype=np.float32)
    image[np.ix_(index, index)] = stamp
    return image


def _run_zogy():  # type: ignore[no-untyped-def]
    """Return the function alone: the rest of its module wants much that no subtraction needs."""
    source = Path(os.environ["ASTRID_BENCH_ZOGY"]).read_text()
    module = ast.parse(source)
    module.body = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "run_ZOGY"]
    around = {
        "np": np,
        "time": time,
        "pyfftw": importlib.import_module("pyfftw"),
        "fft": importlib.import_module("pyfftw.interfaces.numpy_fft"),
        "log": logging.getLogger("zogy"),
        "tel": "",
        "base_newref": "",
        "set_zogy": _Quiet(),
        "get_par": lambda _value, _tel: False,
        "save_npy_fits": lambda image, _name: image,
    }
    importlib.import_module("pyfftw.interfaces").cache.enable()
    exec(compile(module, "zogy.py", "exec"), around)
    return around["run_ZOGY"]


class _Quiet:
    """Settings that switch timing, words and pictures off."""

    timing = verbose = display = False


def sfft(given: Arrays) -> dict[str, np.ndarray]:
    """Convolve the reference and subtract it; degree 2 for kernel and background, a constant flux scale."""
    configure = importlib.import_module("sfft.sfftcore.SFFTConfigure").SingleSFFTConfigure
    subtract = importlib.import_module("sfft.sfftcore.SFFTSubtract").GeneralSFFTSubtract
    half = int(given["half"])
    ref, new = (np.ascontiguousarray(given[name].T.astype(np.float64)) for name in ("ref", "new"))
    keep = given["keep"].T
    options = {"KerPolyOrder": 2, "BGPolyOrder": 2, "ConstPhotRatio": True, "VERBOSE_LEVEL": 0}
    nx, ny = new.shape
    config = configure.SSC(
        nx, ny, half, **options, BACKEND_4SUBTRACT="Numpy", NUM_CPU_THREADS_4SUBTRACT=1, NUMBA_CACHE=True
    )
    _, difference, _ = subtract.GSS(
        ref, new, np.where(keep, ref, 0.0), np.where(keep, new, 0.0), config,
        ContamMask_I=None, BACKEND_4SUBTRACT="Numpy", NUM_CPU_THREADS_4SUBTRACT=1, VERBOSE_LEVEL=0,
    )  # fmt: skip
    return {"difference": difference.T.astype(np.float32)}


if __name__ == "__main__":
    main()
