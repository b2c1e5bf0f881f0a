"""What astronomers would take instead, on the same pairs: hotpants, run_ZOGY and sfft, where they are at hand.

hotpants is looked for on PATH. sfft and run_ZOGY run in the interpreter that ASTRID_BENCH_PEERS_PYTHON names (it has
numpy, pyfftw, and sfft); ASTRID_BENCH_ZOGY names the file zogy.py. They get the masks, the true PSFs where
they want any, skies and noise as this project measures them, and run_ZOGY the flux scale of clean stars, measured with
the true PSFs. The two that give no score get a matched filter with the true PSF of their difference, each pixel weighed
by the noise that they state (hotpants) or that is measured on the difference, with the photons of sources added (sfft).
"""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.spatial import cKDTree

from benchmarks.differencing.costs import Cost, peak_mb
from benchmarks.differencing.judging import Found, noise_of
from benchmarks.differencing.scenarios import Case
from observations.numerics.fits.blocks import walk
from observations.numerics.fits.facts import ReadLimits
from observations.numerics.fits.pixels import read_pixels
from observations.numerics.fits.products import encode_image
from observations.numerics.frame import Frame, Image, Stars
from observations.numerics.simulate.sources import MoffatPsf
from observations.numerics.statistics import FWHM_PER_SIGMA
from preprocessing.numerics.background import Background, estimate_background
from preprocessing.numerics.stars import find_stars

REPOSITORY = Path(__file__).parents[2]
# Tiles of run_ZOGY: those that were best on pairs of these sizes.
ZOGY_TILE_PX, ZOGY_BORDER_PX = 256, 32
# The matched filter's PSF is constant within such a square.
FILTER_TILE_PX = 128
# Of another program's memory.
POLL_S = 0.005
Method = Callable[[Case], tuple[Found, Cost]]


def available() -> tuple[dict[str, Method], dict[str, str]]:
    """Return the peers that are at hand, and why the others are not."""
    found: dict[str, Method] = {}
    absent: dict[str, str] = {}
    if shutil.which("hotpants"):
        found["hotpants"] = hotpants
    else:
        absent["hotpants"] = "hotpants is not on PATH"
    python, script = os.environ.get("ASTRID_BENCH_PEERS_PYTHON"), os.environ.get("ASTRID_BENCH_ZOGY")
    if python and script:
        found["run_ZOGY"] = run_zogy
    else:
        absent["run_ZOGY"] = "ASTRID_BENCH_PEERS_PYTHON and ASTRID_BENCH_ZOGY do not name an interpreter and zogy.py"
    if python and subprocess.run([python, "-c", "import sfft"], capture_output=True, check=False).returncode == 0:
        found["sfft"] = sfft
    else:
        absent["sfft"] = "no interpreter that ASTRID_BENCH_PEERS_PYTHON names can import sfft"
    return found, absent


def hotpants(case: Case) -> tuple[Found, Cost]:
    """Run hotpants with Gaussians that fit the two PSFs, both noises known to it; everything it does is its cost."""
    science, reference = case.pair.science, case.pair.reference
    wide, narrow = sorted((science.psf.fwhm_px, reference.psf.fwhm_px), reverse=True)
    # As its manual advises: the kernel that is missing between the PSFs, half of it, and twice.
    width = max(math.sqrt(wide**2 - narrow**2), 0.7) / FWHM_PER_SIGMA
    with tempfile.TemporaryDirectory(prefix="astrid-bench-") as name:
        folder = Path(name)
        options = [
            "-outim", "d.fits", "-oni", "noise.fits", "-omi", "mask.fits", "-n", "i", "-nsx", "10", "-nsy", "10",
            "-r", str(math.ceil(2.5 * wide)), "-rss", str(math.ceil(3.0 * wide)),
            "-ko", "2", "-bgo", "2", "-nrx", "1", "-nry", "1", "-fi", "0", "-fin", "0", "-mous", "0.5",
            "-ng", "3", "6", f"{0.5 * width:.3f}", "4", f"{width:.3f}", "2", f"{2 * width:.3f}",
        ]  # fmt: skip
        for letter, long, frame in (("i", "inim", science.frame), ("t", "tmplim", reference.frame)):
            (folder / f"{long}.fits").write_bytes(encode_image(frame.data))
            (folder / f"{long}_mask.fits").write_bytes(encode_image(frame.mask.astype(np.int16)))
            top = f"{(frame.saturation or 1e6):.0f}"
            options += [f"-{long}", f"{long}.fits", f"-{letter}mi", f"{long}_mask.fits", f"-{letter}u", top]
            options += [f"-{letter}uk", top, f"-{letter}l", f"{np.percentile(frame.data, 0.01) - 200:.0f}"]
            options += [f"-{letter}g", f"{frame.gain or 1:.4f}", f"-{letter}r", f"{frame.read_noise or 0:.3f}"]
        cost, log = _child(["hotpants", *options], folder)
        difference, noise = (_first_image(folder / name) for name in ("d.fits", "noise.fits"))
    unusable = case.mask | (noise <= 0)
    convolved_science = re.search(r"Best match is.*convolving image", log, re.IGNORECASE | re.DOTALL) is not None
    psf = reference.psf if convolved_science else science.psf
    return filtered(difference, noise**2, unusable, psf), cost


def _child(command: list[str], folder: Path) -> tuple[Cost, str]:
    """Run a program; its memory is that of the whole process."""
    start = time.perf_counter()
    with (folder / "log").open("w") as log:
        child = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        # What the system states at its end holds the memory of this program, of which it was a copy at first.
        peak, (pid, status, used) = math.nan, os.wait4(child.pid, os.WNOHANG)
        while pid == 0:
            peak = np.fmax(peak, peak_mb(str(child.pid)))
            time.sleep(POLL_S)
            pid, status, used = os.wait4(child.pid, os.WNOHANG)
    child.returncode = os.waitstatus_to_exitcode(status)
    text = (folder / "log").read_text(errors="replace")
    if child.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {child.returncode}: {text[-400:]}")
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - start, float(peak)), text


def _first_image(path: Path) -> Image:
    return read_pixels(path, next(iter(walk(path, ReadLimits()))))


def run_zogy(case: Case) -> tuple[Found, Cost]:
    """Run run_ZOGY tile by tile, in electrons, with true PSFs; masked pixels are zero in both frames."""
    pair, mask = case.pair, case.mask
    arrays: dict[str, NDArray[np.generic]] = {}
    skies = []
    for name, side in (("new", pair.science), ("ref", pair.reference)):
        sky, gain = _sky(side.frame), side.frame.gain or 1.0
        skies.append(sky.level)
        arrays[name] = np.where(mask, np.float32(0), (side.frame.data - sky.level) * np.float32(gain))
        arrays[f"{name}_std"] = sky.noise * np.float32(gain)
        arrays[f"{name}_psf"] = np.stack([side.psf(*at) for at in _centres(mask.shape)]).astype(np.float32)
    gains = case.science.gain or 1.0, case.reference.gain or 1.0
    stars, there = _matched_stars(case)
    arrays["fratio"] = np.array(_flux_scale(case, stars, there, skies) * gains[0] / gains[1])
    # What is common to all is not taken off: run_ZOGY corrects none of it.
    arrays["offsets_px"] = np.sqrt(np.mean(np.clip(there - stars.xy, -1, 1) ** 2, axis=0))
    arrays["tile_px"] = np.array([ZOGY_TILE_PX, ZOGY_BORDER_PX])
    out, cost = _in_peers_python("zogy", arrays)
    flux, error = out["flux"] / gains[0], out["flux_error"] / gains[0]
    return Found(_blanked(out["score"], mask), flux, error), cost


def _centres(shape: tuple[int, int]) -> list[tuple[float, float]]:
    step = ZOGY_TILE_PX
    return [(x + step / 2, y + step / 2) for y in range(0, shape[0], step) for x in range(0, shape[1], step)]


def sfft(case: Case) -> tuple[Found, Cost]:
    """Run sfft on the processor: the reference convolved, fitted on matched stars, all else of the frames empty."""
    pair, mask = case.pair, case.mask
    science, reference = (
        np.where(mask, np.float32(0), frame.data - _sky(frame).level) for frame in (case.science, case.reference)
    )
    keep = _around(_matched_stars(case)[0], mask, 3.0 * pair.science.psf.fwhm_px) & ~ndimage.binary_dilation(mask)
    half = np.array(math.ceil(2.0 * max(pair.science.psf.fwhm_px, pair.reference.psf.fwhm_px)))
    arrays = {"new": science, "ref": reference, "keep": keep, "half": half}
    out, cost = _in_peers_python("sfft", arrays)
    difference, gains = out["difference"], (case.science.gain or 1.0, case.reference.gain or 1.0)
    variance = estimate_background(difference, mask).noise ** 2
    variance = variance + np.maximum(ndimage.gaussian_filter(science, 1.0), 0) / gains[0]
    variance = variance + pair.flux_scale**2 * np.maximum(ndimage.gaussian_filter(reference, 1.5), 0) / gains[1]
    return filtered(difference, variance, mask, pair.science.psf), cost


def _in_peers_python(kind: str, arrays: Mapping[str, NDArray[np.generic]]) -> tuple[dict[str, Image], Cost]:
    with tempfile.TemporaryDirectory(prefix="astrid-bench-") as name:
        given, made = Path(name) / "given.npz", Path(name) / "made.npz"
        np.savez(given, allow_pickle=False, **arrays)
        command = [os.environ["ASTRID_BENCH_PEERS_PYTHON"], "-m", "benchmarks.differencing.peer_worker"]
        done = subprocess.run(
            [*command, kind, str(given), str(made)], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{kind} ended with {done.returncode}: {done.stderr[-800:]}")
        with np.load(made) as out:
            return {key: out[key] for key in out.files if key != "cost"}, Cost(*map(float, out["cost"]))


def filtered(difference: Image, variance: Image, unusable: NDArray[np.bool_], psf: MoffatPsf) -> Found:
    """Look for the PSF in a difference that comes without a score: (D V⁻¹ ∗ P) / sqrt(V⁻¹ ∗ P²), tile by tile.

    The weight of every pixel is its own; what the kernel has correlated is left to the last rescaling, by the robust
    scatter of all the pixels that are good.
    """
    weight = np.where(unusable | ~np.isfinite(difference), 0.0, 1 / np.maximum(variance, 1e-12))
    weighted = weight * np.nan_to_num(difference)
    score, flux, error = (np.full(difference.shape, np.nan, dtype=np.float32) for _ in range(3))
    ny, nx = difference.shape
    for y0 in range(0, ny, FILTER_TILE_PX):
        for x0 in range(0, nx, FILTER_TILE_PX):
            core = np.s_[y0 : y0 + FILTER_TILE_PX, x0 : x0 + FILTER_TILE_PX]
            stamp = psf(x0 + FILTER_TILE_PX / 2, y0 + FILTER_TILE_PX / 2)
            half = stamp.shape[0] // 2
            ya, xa = max(0, y0 - half), max(0, x0 - half)
            cut = np.s_[ya : y0 + FILTER_TILE_PX + half, xa : x0 + FILTER_TILE_PX + half]
            # Where the mask holds most of the PSF nothing can be measured.
            norm = np.maximum(_convolved(weight[cut], stamp**2), 1e-3 * weight.max() * np.sum(stamp**2))
            total = _convolved(weighted[cut], stamp)
            inner = np.s_[y0 - ya : y0 - ya + FILTER_TILE_PX, x0 - xa : x0 - xa + FILTER_TILE_PX]
            score[core] = (total / np.sqrt(norm))[inner]
            flux[core], error[core] = (total / norm)[inner], (norm**-0.5)[inner]
    score[unusable] = np.nan
    rescale, _ = noise_of(score)
    return Found(score / np.float32(rescale), flux, error * np.float32(rescale), rescale)


def _convolved(image: NDArray[np.floating], stamp: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the correlation of an image with a stamp, nothing beyond its edges."""
    half = stamp.shape[0] // 2
    shape = tuple(fft.next_fast_len(n + 2 * half, real=True) for n in image.shape)
    product = fft.rfft2(image, shape) * fft.rfft2(stamp[::-1, ::-1], shape)
    return fft.irfft2(product, shape)[half : half + image.shape[0], half : half + image.shape[1]]


def _blanked(score: Image, mask: NDArray[np.bool_]) -> Image:
    return np.where(mask, np.float32(np.nan), score.astype(np.float32))


def _sky(frame: Frame) -> Background:
    return estimate_background(frame.data, frame.mask)


def _matched_stars(case: Case) -> tuple[Stars, NDArray[np.float64]]:
    """Return the clean stars that both frames show, and where they are in the reference (n, 2)."""
    lists = []
    for frame in (case.science, case.reference):
        sky = _sky(frame)
        found = find_stars(frame.data, frame.mask, background=sky.level, noise=sky.noise)
        lists.append(found[found.is_clean & (found.flux > 30 * found.flux_error)])
    distance, nearest = cKDTree(lists[1].xy).query(lists[0].xy, distance_upper_bound=2.0)
    common = np.isfinite(distance)
    ratio = lists[0].flux[common] / lists[1].flux[nearest[common]]
    steady = np.abs(ratio / np.median(ratio) - 1) < 0.2
    stars = lists[0][common][steady]
    return stars, lists[1].xy[nearest[common][steady]]


def _flux_scale(case: Case, stars: Stars, there: NDArray[np.float64], skies: list[Image]) -> float:
    """Return the median ratio of the stars' fluxes, each fitted with the true PSF where it stands."""
    sides = ((case.pair.science, stars.xy, skies[0]), (case.pair.reference, there, skies[1]))
    fluxes = []
    for side, places, sky in sides:
        image, half = side.frame.data - sky, round(2 * side.psf.fwhm_px)
        found = np.full(len(places), np.nan)
        for k, (x, y) in enumerate(places):
            cut = np.s_[round(y) - half : round(y) + half + 1, round(x) - half : round(x) + half + 1]
            stamp = side.psf.stamp(x, y, half)
            if image[cut].shape == stamp.shape:
                found[k] = np.sum(image[cut] * stamp) / np.sum(stamp**2)
        fluxes.append(found)
    return float(np.nanmedian(fluxes[0] / fluxes[1]))


def _around(stars: Stars, mask: NDArray[np.bool_], radius_px: float) -> NDArray[np.bool_]:
    centres = np.ones(mask.shape, dtype=bool)
    row = np.clip(np.rint(stars.y).astype(int), 0, mask.shape[0] - 1)
    column = np.clip(np.rint(stars.x).astype(int), 0, mask.shape[1] - 1)
    centres[row, column] = False
    return np.asarray(ndimage.distance_transform_edt(centres) <= radius_px)
