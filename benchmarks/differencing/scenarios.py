"""The pairs that the subtraction is measured on: what is in them, the masks they get, and where they are kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from observations.numerics.frame import Frame, Mask, MaskBit
from observations.numerics.simulate import detector, sources, survey
from observations.numerics.simulate.survey import (
    SurveyPair,
    SurveyParameters,
    SurveySide,
    SurveyTransients,
    simulate_survey_pair,
)
from preprocessing.numerics import masks
from preprocessing.numerics.background import estimate_background
from preprocessing.numerics.interpolate import interpolate_small

SCENARIOS: dict[str, dict[str, float | tuple[float, float]]] = {
    "easy": {},
    "varying": {"variation_science": 0.18, "variation_reference": -0.08},
    "hard": {"saturated_per_mpx": 12, "cosmic_rays": 25, "bad_columns": 3, "bad_pixels": 300},
    "sharper": {"fwhm_science_px": 2.6, "fwhm_reference_px": 3.4},
    "misregistered": {"offset_px": 0.3, "distortion_px": 0.25},
    "crowded": {"stars_per_mpx": 5000},
    # What a larger telescope sees away from the Milky Way: of the bright sources six in seven are galaxies.
    "galaxies": {"star_e": (100.0, 4e5), "galaxy_e": (3e3, 3e5)},
    # Halos as dusty optics have, and stars that are bright enough to show them.
    "wings": {"aureole": 0.05, "saturated_per_mpx": 6},
    # Seeing falls with wavelength to the power 0.2, and no two filters are quite alike.
    "colours": {"colour_fwhm": 0.01, "colour_flux": 0.02},
    "stack": {"reference_frames": 5},
}


@dataclass(frozen=True)
class Case:
    """One pair as preprocessing leaves it.

    unusable_science, unusable_reference : pixels masked, or filled in from their neighbours: an ideal subtraction has
    nothing to look at there.
    """

    scenario: str
    seed: int
    pair: SurveyPair
    unusable_science: Mask
    unusable_reference: Mask

    @property
    def science(self) -> Frame:
        return self.pair.science.frame

    @property
    def reference(self) -> Frame:
        return self.pair.reference.frame

    @property
    def mask(self) -> Mask:
        return self.science.mask | self.reference.mask


def case_of(scenario: str, seed: int, size: int, cache: Path | None) -> Case:
    """Return one pair of a scenario, from the cache where it is kept there."""
    p = SurveyParameters(seed=seed, shape=(size, size), **SCENARIOS[scenario])  # type: ignore[arg-type]
    pair = _kept(p, f"{scenario}-{size}-{seed}", cache)
    sides = [replace(side, frame=masked(side.frame, side.psf.fwhm_px)) for side in (pair.science, pair.reference)]
    unusable = [bits_of(side.frame) != 0 for side in sides]
    return Case(scenario, seed, replace(pair, science=sides[0], reference=sides[1]), unusable[0], unusable[1])


def masked(frame: Frame, fwhm_px: float) -> Frame:
    """Return the frame as preprocessing leaves it that knows the defects: saturation grown, small holes filled."""
    bits = bits_of(frame).copy()
    if frame.saturation is not None:
        grown = masks.saturated_pixels(frame.data, masks.Ceiling(frame.saturation, "header"), fwhm_px)
        bits[grown] |= np.uint16(MaskBit.SATURATED)
    noise = np.full(frame.shape, estimate_background(frame.data, frame.mask).median_noise, dtype=np.float32)
    data, bits, _ = interpolate_small(frame.data, bits, noise)
    return replace(frame, data=data, mask=masks.is_bad(bits), mask_bits=bits)


def bits_of(frame: Frame) -> NDArray[np.uint16]:
    return np.zeros(frame.shape, dtype=np.uint16) if frame.mask_bits is None else frame.mask_bits


# As it is when this begins: what runs stays the same when a file is edited.
_SOURCE = b"".join(Path(module.__file__ or "").read_bytes() for module in (survey, sources, detector))
_IMAGES = ("static", "changes", "noise")


def _kept(p: SurveyParameters, name: str, cache: Path | None) -> SurveyPair:
    """Return the pair, drawn once for each state of the simulator's source."""
    if cache is None:
        return simulate_survey_pair(p)
    digest = hashlib.sha256(_SOURCE + repr(astuple(p)).encode()).hexdigest()[:12]
    path = cache / f"{name}-{digest}.npz"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as file:
            np.savez(file, allow_pickle=False, **_packed(simulate_survey_pair(p)))
        part.replace(path)
    with np.load(path) as arrays:
        return _unpacked(arrays, p)


def _packed(pair: SurveyPair) -> dict[str, NDArray[np.generic]]:
    out: dict[str, NDArray[np.generic]] = {}
    for name, side in (("science", pair.science), ("reference", pair.reference)):
        out |= {f"{name}_{image}": getattr(side, image) for image in _IMAGES}
        out |= {f"{name}_data": side.frame.data, f"{name}_bits": bits_of(side.frame)}
    return out | {f"transients_{f.name}": getattr(pair.transients, f.name) for f in fields(SurveyTransients)}


def _unpacked(arrays: Mapping[str, np.ndarray], p: SurveyParameters) -> SurveyPair:
    sides = []
    dithers = ((), survey.dithers_of(p))
    facts = zip(("science", "reference"), survey.psfs_of(p), survey.skies_of(p), dithers, strict=True)
    for name, psf, sky, moves in facts:
        frame = survey.calibrated(arrays[f"{name}_data"], arrays[f"{name}_bits"], p, frames=max(1, len(moves)))
        static, changes, noise = (arrays[f"{name}_{image}"] for image in _IMAGES)
        light = (sky / p.gain_e_per_adu).astype(np.float32)
        sides.append(SurveySide(frame, psf, light, static, changes, noise, moves))
    transients = SurveyTransients(*(arrays[f"transients_{f.name}"] for f in fields(SurveyTransients)))
    return SurveyPair(sides[0], sides[1], transients, 1 / p.reference_share)
