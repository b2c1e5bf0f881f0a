"""Stack frames of one field and band on the grid of the best of them."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import replace
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np

from catalog.configuration.values import Snapshot
from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from differencing.numerics.align import align
from differencing.numerics.pair import smoothed_noise
from differencing.numerics.stack import Stacked, StackMember, StackParameters, TooFewStars, flux_scale, stack
from differencing.stage.registration import registered
from observations.models import Observation
from observations.numerics.frame import Frame, Image, PsfModel
from preprocessing.models import PreprocessRun
from preprocessing.numerics.astrometry.matching import MatchFailed
from preprocessing.numerics.background import follow_background
from preprocessing.numerics.quality import noise_pixels
from preprocessing.numerics.sources import measure_sources, with_total_flux
from preprocessing.products import load_frame, stars_of

logger = logging.getLogger(__name__)

DEPTH_SIGMA = 5.0


class Built(NamedTuple):
    """A stack with PSF and stars, the runs that are in it, and its depth where the counts have a zero point."""

    frame: Frame
    runs: list[PreprocessRun]
    depth_mag: float | None


class _Shelf:
    """Aligned images on disk, to be read strip by strip: twenty-five of 61 megapixels are 6 GB."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.count = 0
        # Without a name: nothing stays behind, whatever ends the process.
        self._file = tempfile.TemporaryFile(dir=storage.data_root())  # noqa: SIM115 - closed by the context

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def put(self, image: Image) -> int:
        """Keep an image and return its number."""
        with storage.room_for(storage.data_root() / "stack", image.nbytes):
            self._file.seek(self.count * image.nbytes)
            self._file.write(np.ascontiguousarray(image, dtype=np.float32).data)
            self._file.flush()
        self.count += 1
        return self.count - 1

    def rows(self, number: int, first: int, last: int) -> Image:
        """Read the rows [first, last) of an image."""
        ny, nx = self.shape
        self._file.seek(4 * nx * (number * ny + first))
        return np.fromfile(self._file, dtype=np.float32, count=(last - first) * nx).reshape(last - first, nx)


def stacked(runs: list[PreprocessRun], best: Observation, config: Snapshot) -> Built:
    """Stack frames on the best one's grid, leaving out those whose stars do not match it.

    What preprocessing has measured serves again: stars, fluxes, PSFs; of the pixels only the sky is measured anew.
    Raises StageFailure `too_few_stars` where no PSF of the stack can be measured.
    """
    runs = sorted(runs, key=lambda run: run.observation_id != best.pk)
    first = load_frame(runs[0])
    used, members = [], []
    with _Shelf(first.shape) as shelf:
        for run in runs:
            frame = first if run is runs[0] else load_frame(run)
            try:
                members.append(_member(frame, first, shelf, config))
                used.append(run)
            except (MatchFailed, TooFewStars, StageFailure) as error:
                # Its own run says why it could not be registered.
                logger.warning("%s is left out of the reference: %s", run.observation, error)
        parameters = StackParameters(clip_sigma=config["differencing.stack_rejection_sigma"])
        found = stack(members, first.shape, parameters=parameters)
    times = [run.observation.mjd_utc for run in used]
    # The first's light, extended and all: every member has lost its own, and what is smooth would be new in each frame.
    sky = follow_background(first.data, first.mask).level
    frame = measured(_frame(found, first, sky, float(np.mean(times))), sky, np.sqrt(_sky_variance(found)))
    return Built(frame, used, depth_of(frame, found.sigma))


def _member(frame: Frame, first: Frame, shelf: _Shelf, config: Snapshot) -> StackMember:
    """Bring one frame to grid and counts of the first and put it on the shelf."""
    sky = follow_background(frame.data, frame.mask)
    # Without variance: that of the stack is made of the members' noise.
    bare = replace(frame, data=frame.data - sky.level, variance=None)
    scale: Image | np.float32 = np.float32(1.0)
    if frame is not first:
        match = registered(frame, first, config)
        scale = flux_scale(stars_of(first), stars_of(frame), match.indices, first.shape).image()
        bare = align(bare, match.transform, first.shape)
    image = np.where(bare.mask, np.float32(np.nan), bare.data * scale)
    factor = float(np.median(scale))
    number = shelf.put(image)
    if not isinstance(frame.psf, PsfModel):
        raise StageFailure(FailureCode.FILE_MISSING, "The preprocessed frame holds no PSF: preprocess it again.")
    return StackMember(
        rows=lambda low, high: shelf.rows(number, low, high),
        sigma=sky.median_noise * (smoothed_noise(frame, frame.mask, sky.median_noise) or 1.0) * factor,
        gain=None if frame.gain is None else frame.gain / factor,
        psf=frame.psf.middle,
    )


def _sky_variance(found: Stacked) -> Image:
    """Return the variance without that of the sources' light."""
    if found.gain is None:
        return found.variance
    return np.asarray(found.variance - np.maximum(found.data, 0.0) / np.float32(found.gain))


def _frame(found: Stacked, first: Frame, sky: Image, mjd_utc: float) -> Frame:
    """Return the stack as a frame in the first's counts, with the first's sky."""
    return replace(
        first,
        data=found.data + sky,
        mask=found.mask,
        mask_bits=None,
        variance=found.variance,
        gain=found.gain,
        read_noise=None,
        mjd_utc=mjd_utc,
        psf=None,
        stars=None,
    )


def measured(frame: Frame, sky: Image | float, noise: Image | float) -> Frame:
    """Return a frame of known sky and noise with its PSF and its stars, whose fluxes are total."""
    found = measure_sources(frame.data, frame.mask, background=sky, noise=noise)
    if found.psf is None:
        raise StageFailure(FailureCode.TOO_FEW_STARS, f"The reference's PSF cannot be measured: {found.complaint}.")
    stars = with_total_flux(found, frame.data, frame.mask, background=sky, noise=noise)
    return replace(frame, psf=found.psf, stars=stars)


def depth_of(frame: Frame, sigma: float) -> float | None:
    """Return the magnitude of a point source of 5 sigma, None without a zero point."""
    if frame.zero_point_mag is None or not isinstance(frame.psf, PsfModel):
        return None
    flux = DEPTH_SIGMA * sigma * float(np.sqrt(noise_pixels(frame.psf, float("nan"))))
    return float(frame.zero_point_mag - 2.5 * np.log10(flux))
