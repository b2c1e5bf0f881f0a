"""The pairs that the subtraction is measured on: what is in them, the masks they get, and where they are kept."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from observations.numerics.frame import Frame, Image, Mask, MaskBit
from observations.numerics.simulate import detector, sources, survey
from observations.numerics.simulate.survey import (
    SurveyPair,
    SurveyParameters,
    SurveyTransients,
    simulate_survey_pair,
)
from preprocessing.numerics import masks
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
}


@dataclass(frozen=True)
class Case:
    """One pair with its masks, and the pixels in which an ideal subtraction has nothing to look at.

    unusable_science, unusable_reference : masked or filled in from the neighbours.
    """

    name: str
    seed: int
    pair: SurveyPair
    unusable_science: Mask
    unusable_reference: Mask

    @property
    def mask(self) -> Mask:
        return self.pair.science.mask | self.pair.reference.mask


def case_of(scenario: str, seed: int, size: int, cache: Path | None) -> Case:
    """Return one pair of a scenario, from the cache where it is kept there."""
    parameters = SurveyParameters(seed=seed, shape=(size, size), **SCENARIOS[scenario])  # type: ignore[arg-type]
    pair = _kept(parameters, f"{scenario}-{size}-{seed}", cache)
    science, reference = masked(pair.science), masked(pair.reference)
    unusable = [f.mask | (f.mask_bits != 0) if f.mask_bits is not None else f.mask for f in (science, reference)]
    return Case(scenario, seed, replace(pair, science=science, reference=reference), unusable[0], unusable[1])


def masked(frame: Frame) -> Frame:
    """Return the frame as preprocessing leaves it, which knows the defects: saturation grown, small holes filled."""
    bits = np.zeros(frame.shape, dtype=np.uint16) if frame.mask_bits is None else frame.mask_bits.copy()
    if frame.saturation is not None:
        ceiling = masks.Ceiling(frame.saturation, "header")
        grown = masks.saturated_pixels(frame.data, ceiling, fwhm_px=3.0)
        bits[grown] |= np.uint16(MaskBit.SATURATED)
    noise = np.full(frame.shape, np.std(frame.data - np.roll(frame.data, 1, axis=0)) / np.sqrt(2), dtype=np.float32)
    data, bits, _ = interpolate_small(frame.data, bits, noise)
    return replace(frame, data=data, mask=masks.is_bad(bits), mask_bits=bits)


_FRAMES = ("science", "reference")
_IMAGES = (
    "static_science", "static_reference", "changes_science", "changes_reference", "noise_science", "noise_reference",
)  # fmt: skip


def _kept(parameters: SurveyParameters, name: str, cache: Path | None) -> SurveyPair:
    """Return the pair, drawn once for each state of the simulator's source."""
    if cache is None:
        return simulate_survey_pair(parameters)
    source = b"".join(Path(module.__file__ or "").read_bytes() for module in (survey, sources, detector))
    digest = hashlib.sha256(source + repr(astuple(parameters)).encode()).hexdigest()[:12]
    path = cache / f"{name}-{digest}.npz"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{id(parameters)}.part")
        with part.open("wb") as file:
            np.savez(file, **_packed(simulate_survey_pair(parameters)))  # type: ignore[arg-type]
        part.replace(path)
    with np.load(path) as arrays:
        return _unpacked(dict(arrays), parameters)


def _packed(pair: SurveyPair) -> dict[str, NDArray[np.generic]]:
    out: dict[str, NDArray[np.generic]] = {name: getattr(pair, name) for name in _IMAGES}
    for name in _FRAMES:
        frame = getattr(pair, name)
        out |= {f"{name}_data": frame.data, f"{name}_bits": frame.mask_bits}
    return out | {f"transients_{f.name}": getattr(pair.transients, f.name) for f in fields(SurveyTransients)}


def _unpacked(arrays: dict[str, NDArray[np.generic]], p: SurveyParameters) -> SurveyPair:
    frames = [survey.calibrated(arrays[f"{name}_data"], arrays[f"{name}_bits"], p) for name in _FRAMES]  # type: ignore[arg-type]
    transients = SurveyTransients(*(arrays[f"transients_{f.name}"] for f in fields(SurveyTransients)))  # type: ignore[arg-type]
    psfs = survey.psfs_of(p)
    skies = [(sky / p.gain_e_per_adu).astype(np.float32) for sky in survey.skies_of(p)]
    images: list[Image] = [arrays[name] for name in _IMAGES]  # type: ignore[misc]
    return SurveyPair(frames[0], frames[1], transients, *psfs, *skies, *images, 1 / p.reference_share)
