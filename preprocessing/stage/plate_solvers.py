"""Plate solvers that may be installed beside this program: astrometry.net's solve-field, and ASTAP."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.wcs import WCS

from observations.numerics.fits.solutions import read_solution, write_image, write_star_list
from observations.numerics.frame import Frame, Stars
from preprocessing.numerics.astrometry.solution import Pointing, SolvedWcs, WcsInvalid, check_wcs

# Blind solvers find a field near its claim within seconds or not at all; a pipeline should not wait for longer.
TIMEOUT_S = 60.0
# They stop by themselves somewhat earlier, so that they can still clean up.
CPU_LIMIT_S = 50
SOLVE_FIELD = "solve-field"
# ASTAP's version without windows comes first: the other one needs a display.
ASTAP = ("astap_cli", "astap")
ARCSEC_PER_DEGREE = 3600.0
LAST_WORDS = 200


class SolverFailed(Exception):
    """A plate solver gave no solution; the sentence says which and why."""


@dataclass(frozen=True)
class Problem:
    """A frame with its stars, and what is claimed about its place on the sky."""

    frame: Frame
    stars: Stars
    pointing: Pointing


def installed() -> list[str]:
    """Return the plate solvers on PATH, the preferred one first."""
    astap = next((name for name in ASTAP if shutil.which(name)), None)
    return [name for name in (SOLVE_FIELD, astap) if name and shutil.which(name)]


def solve_with_program(name: str, problem: Problem) -> SolvedWcs:
    """Let a plate solver find a frame's WCS; `rms_px` is NaN, since the programs do not say it in one way.

    Raises SolverFailed where it fails, is too slow, or answers what cannot be true of the claimed pointing.
    """
    with tempfile.TemporaryDirectory(prefix="astrid-solve-") as folder:
        place = Path(folder)
        command = _solve_field(place, problem) if name == SOLVE_FIELD else _astap(name, place, problem)
        said = _run(command, place)
        wcs = _read_wcs(place / "field.wcs", name, said)
    _check(wcs, name, problem)
    return SolvedWcs(wcs, float("nan"), len(problem.stars))


def _solve_field(folder: Path, problem: Problem) -> list[str]:
    """Write the list of stars and return the command that solves it."""
    stars, pointing = problem.stars, problem.pointing
    write_star_list(folder / "stars.xyls", stars.x, stars.y, stars.flux)
    height, width = problem.frame.shape
    low, high = (pointing.pixel_scale_arcsec * (1 + sign * pointing.scale_tolerance) for sign in (-1, 1))
    options = {
        "dir": folder, "wcs": folder / "field.wcs", "width": width, "height": height, "x-column": "X",
        "y-column": "Y", "sort-column": "FLUX", "scale-units": "arcsecperpix", "scale-low": f"{low:.6f}",
        "scale-high": f"{high:.6f}", "ra": f"{pointing.ra_deg:.6f}", "dec": f"{pointing.dec_deg:.6f}",
        "radius": f"{pointing.radius_deg + _half_diagonal_deg(problem):.4f}", "cpulimit": CPU_LIMIT_S, "uniformize": 0,
    }  # fmt: skip
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return [SOLVE_FIELD, *flags, "--no-plots", "--overwrite", "--no-remove-lines", str(folder / "stars.xyls")]


def _astap(name: str, folder: Path, problem: Problem) -> list[str]:
    """Write the image and return the command that solves it: hours, and degrees from the south pole."""
    pointing, data = problem.pointing, np.nan_to_num(problem.frame.data)
    write_image(folder / "image.fits", data)
    options = {
        "f": folder / "image.fits", "o": folder / "field", "ra": f"{pointing.ra_deg / 15:.7f}",
        "spd": f"{pointing.dec_deg + 90:.6f}", "r": f"{pointing.radius_deg + _half_diagonal_deg(problem):.4f}",
        "fov": f"{data.shape[0] * pointing.pixel_scale_arcsec / ARCSEC_PER_DEGREE:.5f}",
    }  # fmt: skip
    return [name, *(part for key, value in options.items() for part in (f"-{key}", str(value))), "-wcs"]


def _half_diagonal_deg(problem: Problem) -> float:
    return float(np.hypot(*problem.frame.shape)) / 2 * problem.pointing.pixel_scale_arcsec / ARCSEC_PER_DEGREE


def _run(command: list[str], folder: Path) -> str:
    """Run a program in a folder and return its last words; end it with all that it started when it is too slow."""
    try:
        process = subprocess.Popen(
            command, cwd=folder, start_new_session=True, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except OSError as error:
        raise SolverFailed(f"{command[0]} cannot be started: {error.strerror}") from error
    try:
        said, _ = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise SolverFailed(f"{command[0]} found nothing within {TIMEOUT_S:g} s") from error
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    words = " ".join(said.split())[-LAST_WORDS:]
    if process.returncode:
        raise SolverFailed(f"{command[0]} ended with code {process.returncode}: {words}")
    return words


def _read_wcs(path: Path, name: str, said: str) -> WCS:
    """Return the solution that a solver wrote, or say in its own words why there is none."""
    if not path.is_file():
        raise SolverFailed(f"{name} found no solution: {said}")
    try:
        return read_solution(path)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SolverFailed(f"the solution of {name} cannot be read: {error}") from error


def _check(wcs: WCS, name: str, problem: Problem) -> None:
    """Hold an answer against the claim that it was asked about."""
    pointing, shape = problem.pointing, problem.frame.shape
    try:
        scale = check_wcs(wcs, shape)
    except WcsInvalid as error:
        raise SolverFailed(f"the solution of {name} cannot be true: {error}") from error
    # A solver may go a little beyond the tolerance that it was given, not far.
    if abs(np.log(scale / pointing.pixel_scale_arcsec)) > 2 * np.log1p(pointing.scale_tolerance):
        raise SolverFailed(
            f"the solution of {name} has {scale:.3f} arcsec a pixel where {pointing.pixel_scale_arcsec:.3f} is claimed"
        )
