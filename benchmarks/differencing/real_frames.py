"""The real pairs that lie beside the project, from file to two frames on one grid, as the stages make them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.differencing.methods import Configured, aligned, measured
from differencing.numerics.align import align
from differencing.numerics.stack import StackMember, flux_scale, stack
from observations.numerics.fits.facts import Overrides
from observations.numerics.fits.headers import Reading
from observations.numerics.fits.images import RawImage, read_images
from observations.numerics.frame import Frame, PsfModel
from preprocessing.numerics.astrometry.matching import match_stars
from preprocessing.numerics.background import estimate_background
from preprocessing.numerics.calibrate import Masters, calibrate, master_bias, master_dark
from preprocessing.numerics.preprocess import exposure_of, preprocess
from preprocessing.numerics.sky_flat import TooFewLights, sky_flat

# The only light of that night which preprocessing refuses.
SPOILT = "light240_20.fit"
# Where a header has no position, scale or time, any does: nothing here depends on it.
ANYWHERE = Overrides(
    ra_deg=60.0,
    dec_deg=-60.0,
    pixel_scale_arcsec=1.0,
    exposure_s=60.0,
    observation_time=datetime(2020, 1, 1, tzinfo=UTC),
)
FOLDERS = {
    "pair_eso085-030": "*.fit",
    "pair_lt_rise_ucwd": "*.fits",
    "pair_jwst_nircam_a2744": "*.fits",
    "seq_hatp32_microobs": "*.FITS",
    "raw_asteroid2713_20181017": "light/*.fit",
}


@dataclass(frozen=True)
class RealPair:
    """Two preprocessed frames on the science grid, as the difference stage has them: each with its own PSF, the
    reference's brought along with it, and the science frame with its stars."""

    folder: str
    file: str
    science: Frame
    reference: Frame


def folder_of_frames() -> Path:
    """Return the folder of real frames: ASTRID_TEST_DATA, or shared/data beside the clone."""
    return Path(os.environ.get("ASTRID_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")


def real_pairs(name: str, config: Configured) -> Iterator[RealPair]:
    """Yield the pairs of one folder. Of a night, each frame comes against the stack of the others; of two, the later
    against the earlier.

    Raises FileNotFoundError where the folder is not there.
    """
    files, frames = zip(*real_frames(name, config), strict=True)
    for k, file in enumerate(files):
        if len(files) == 2 and k == 0:
            continue
        yield _pair(name, file, frames[k], [f for j, f in enumerate(frames) if j != k], config)


def real_frames(name: str, config: Configured) -> list[tuple[str, Frame]]:
    """Return the preprocessed frames of one folder with their files' names.

    Raises FileNotFoundError where the folder is not there.
    """
    folder = folder_of_frames() / name
    paths = [path for path in sorted(folder.glob(FOLDERS[name])) if path.name != SPOILT]
    if len(paths) < 2:
        raise FileNotFoundError(f"{name} is not among the real frames")
    return list(zip([path.name for path in paths], _preprocessed(folder, paths, config), strict=True))


def _pair(name: str, file: str, science: Frame, others: Sequence[Frame], config: Configured) -> RealPair:
    if len(others) < 3:  # too few to tell what stands in one only: the sharpest
        reference = aligned(min(others, key=lambda other: other.stars.fwhm_px if other.stars else np.inf), science)
    else:
        reference = _stacked(others, science, config)
    return RealPair(name, file, science, reference)


def _stacked(frames: Sequence[Frame], science: Frame, config: Configured) -> Frame:
    """Stack frames on the first one's grid, as references are stacked, and bring the whole onto the science frame's."""
    first = frames[0]
    sky = float(np.median(first.data[~first.mask]))
    found = stack([_member(frame, first) for frame in frames], first.shape, parameters=config.stack)
    whole = replace(
        first, data=found.data + np.float32(sky), mask=found.mask, mask_bits=None, variance=None, gain=found.gain
    )
    return aligned(measured(replace(whole, psf=None, stars=None), config), science)


def _member(frame: Frame, first: Frame) -> StackMember:
    """Bring one frame to grid and counts of the first, without its sky."""
    if frame.stars is None or first.stars is None or not isinstance(frame.psf, PsfModel):
        raise ValueError("frames are stacked by their stars and PSFs; one has none")
    sky = estimate_background(frame.data, frame.mask)
    bare, scale = replace(frame, data=frame.data - sky.level, variance=None), np.ones(first.shape, dtype=np.float32)
    if frame is not first:
        found = match_stars(first.stars.xy, first.stars.flux, frame.stars.xy, frame.stars.flux)
        scale = flux_scale(first.stars, frame.stars, found.indices, first.shape).image()
        bare = align(bare, found.transform, first.shape)
    image, factor = np.where(bare.mask, np.float32(np.nan), bare.data * scale), float(np.median(scale))
    gain = None if frame.gain is None else frame.gain / factor
    return StackMember(lambda low, high: image[low:high], sky.median_noise * factor, gain, frame.psf.middle)


def _preprocessed(folder: Path, paths: list[Path], config: Configured) -> list[Frame]:
    lights = [_read(path) for path in paths]
    masters = _masters(folder, lights)
    frames = []
    for light in lights:
        done = preprocess(light, masters, config.preprocessing)
        if done.frame is None:
            raise ValueError(f"{light.path.name} cannot be preprocessed: {done.failure}")
        frames.append(done.frame if done.frame.psf is not None else measured(done.frame, config))
    return frames


def _read(path: Path) -> RawImage:
    return read_images(path, reading=Reading(ANYWHERE))[0]


def _masters(folder: Path, lights: list[RawImage]) -> Masters | None:
    """Make the night's masters, with a flat of its own sky where three lights have it."""
    bias, darks = ([_read(path) for path in sorted(folder.glob(f"{kind}/*.fit"))] for kind in ("bias", "dark"))
    base = master_bias([image.data for image in bias]) if bias else None
    dark = (
        master_dark([image.data for image in darks], [exposure_of(image.facts) for image in darks], base)
        if darks
        else None
    )
    plain = [
        calibrate(image.data, masters=Masters(base, dark), exposure=exposure_of(image.facts)).data for image in lights
    ]
    try:
        flat = sky_flat(plain, [np.zeros(image.shape, dtype=bool) for image in plain])
    except TooFewLights:
        flat = None
    return None if base is dark is flat is None else Masters(base, dark, flat)
