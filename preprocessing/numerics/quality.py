"""Is a frame worth subtracting? Numbers, and sentences with numbers where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from observations.numerics.frame import Image, Mask, PsfModel, Stars
from observations.numerics.statistics import FWHM_PER_SIGMA, MAD_TO_SIGMA
from preprocessing.numerics.background import Background
from preprocessing.numerics.psf_shape import core_of
from preprocessing.numerics.trailed_stars import are_trailed

DEPTH_SIGMA = 5.0
# Others of the night that it takes to call one frame the odd one out: with one other, either may be.
FEWEST_OTHERS = 2
# Less than a tenth of a frame has no common ground with another that was turned or shifted as well.
FEWEST_COVERED = 0.1


@dataclass(frozen=True)
class Quality:
    """What one frame is worth; None where it could not be measured.

    sky_level, noise : data units (medians). fwhm_px, ellipticity (1 - b/a) : of the PSF at the centre.
    masked_share : of the pixels that see the sky. covered_share : these, of all; the rest is vignetted, or a rim that
    other software left. structure : noise about the background mesh over the noise between neighbouring
    pixels; 1 for sky and photons, more where stray light has structure.
    sky_range : 95th less 5th percentile of the sky over its median, lit pixels only.
    depth_flux : 5 sigma flux of a point source, data units. exposure_s : seconds.
    psf_core_residual : of stars held out of the PSF, see `HeldOut`; None with too few to spare any.
    transparency : stars' flux relative to the field's others (1 = as they are); None until matched.
    limiting_magnitude : 5 sigma, where there is a zero point.
    """

    sky_level: float | None
    noise: float | None
    masked_share: float
    fwhm_px: float | None = None
    ellipticity: float | None = None
    psf_core_residual: float | None = None
    star_count: int = 0
    structure: float | None = None
    sky_range: float | None = None
    depth_flux: float | None = None
    exposure_s: float | None = None
    saturation: float | None = None
    transparency: float | None = None
    limiting_magnitude: float | None = None
    covered_share: float = 1.0


@dataclass(frozen=True)
class Limits:
    """Where a frame fails; each says where its number comes from.

    masked_share : PIPELINE's 15 %. ellipticity : 0.5 is an image twice as long as wide, where it stands among
    others that are not (see `gate_trailed`); the worst good frame here has 0.2. fewest_stars : matching needs 7
    against chance. sky_ratio : moonrise doubles a sky; the flashlight of the 2713 night made it sixfold; a bright
    sky is no failure, but the reason of one by depth. depth_loss_mag : haze at 0.45x light with 1.5x seeing costs
    1.6 and still shows the asteroid at 35 sigma. transparency : a twentieth of the light is 3.3 mag. structure :
    real skies here are 0.8 to 1.2, the flashlight's is 1.4 to 1.7. sky_share_of_saturation : beyond it stars have
    no range left.
    """

    masked_share: float
    ellipticity: float
    fewest_stars: int
    sky_ratio: float
    depth_loss_mag: float
    transparency: float
    sky_share_of_saturation: float
    structure: float = 1.3


@dataclass(frozen=True)
class Failure:
    """Why a frame is not used: a code of the project's list and a sentence with numbers."""

    code: str
    sentence: str


def noise_pixels(psf: PsfModel | None, fwhm_px: float) -> float:
    """Return the number of pixels whose noise a PSF-weighted flux holds: 1 / sum(psf²)."""
    if psf is None:
        return float(4 * np.pi * (fwhm_px / FWHM_PER_SIGMA) ** 2)
    return float(1 / (psf.middle * psf.middle).sum())


def measure_quality(
    data: Image, mask: Mask, sky: Background, stars: Stars, psf: PsfModel | None, *, lit: Mask | None = None
) -> Quality:
    """Collect the numbers of one frame.

    Parameters
    ----------
    data : (ny, nx), background included. mask : True = bad. sky, stars, psf : measured on it.
    lit : True where the sky is seen at all; sky statistics use only these pixels. Everywhere when None.
    """
    everywhere = np.ones(data.shape, dtype=bool) if lit is None else lit
    covered, seen = float(everywhere.mean()), everywhere[::4, ::4]
    level, noise = sky.level[::4, ::4], sky.noise[::4, ::4]
    if not seen.any():
        return Quality(None, None, 1.0, covered_share=covered)
    middle, rms = float(np.median(level[seen])), float(np.median(noise[seen]))
    spread = np.percentile(level[seen], (5.0, 95.0))
    # The core of a line says nothing of its length; the lines themselves do.
    core = None if are_trailed(stars) else psf
    width, ellipticity = _core_of_stars(stars) if core is None else core_of(core.middle)
    known = bool(np.isfinite(width))
    return Quality(
        sky_level=middle,
        noise=rms,
        masked_share=float(mask[everywhere].mean()),
        covered_share=covered,
        fwhm_px=float(width) if known else None,
        ellipticity=ellipticity,
        psf_core_residual=psf.held_out.core_residual if psf is not None and psf.held_out is not None else None,
        star_count=len(stars),
        structure=structure_of(data, mask, rms),
        sky_range=float((spread[1] - spread[0]) / abs(middle)) if middle else None,
        depth_flux=DEPTH_SIGMA * rms * float(np.sqrt(noise_pixels(psf, width))) if known else None,
    )


def _core_of_stars(stars: Stars) -> tuple[float, float | None]:
    """Return width and ellipticity of the clean stars, where no PSF could be fitted, or they are lines."""
    clean = stars.ellipticity[stars.is_clean] if np.isfinite(stars.fwhm_px) else np.zeros(0)
    return stars.fwhm_px, float(np.median(clean)) if clean.size else None


def structure_of(data: Image, mask: Mask, noise: float) -> float | None:
    """Return the noise about the mesh over that between horizontal neighbours, in good pairs, clipped at 3 sigma."""
    rows = np.s_[:: max(1, data.size // 400_000)]
    data, mask = data[rows], mask[rows]
    good = ~mask[:, 1:] & ~mask[:, :-1]
    step = (data[:, 1:] - data[:, :-1])[good]
    step = step[np.isfinite(step)]
    if step.size < 100:
        return None
    middle, spread = float(np.median(step)), np.inf
    for _ in range(5):
        step = step[np.abs(step - middle) < 3 * spread]
        spread = float(step.std()) / 0.9866  # of a unit Gaussian cut at 3 sigma
    return noise / (spread / float(np.sqrt(2))) if spread > 0 else None


def depth_mag(quality: Quality) -> float | None:
    """Return the predicted depth as a magnitude of unknown zero point: comparable within one field and exposure time.

    Fainter is larger. The flux that 5 sigma of noise hides counts at the frame's transparency and exposure time.
    """
    if quality.depth_flux is None or quality.depth_flux <= 0:
        return None
    light = (quality.exposure_s or 1.0) * (1.0 if quality.transparency is None else quality.transparency)
    return float(-2.5 * np.log10(quality.depth_flux / light)) if light > 0 else None


def relative_transparency(flux: NDArray[np.float64], other_flux: NDArray[np.float64]) -> tuple[float, float] | None:
    """Return the median ratio flux / other_flux of matched stars and its error; None with fewer than 3 usable pairs.

    Both fluxes per second, or of one exposure time.
    """
    usable = np.isfinite(flux) & np.isfinite(other_flux) & (flux > 0) & (other_flux > 0)
    if np.count_nonzero(usable) < 3:
        return None
    ratio = np.log(flux[usable] / other_flux[usable])
    middle = float(np.median(ratio))
    spread = MAD_TO_SIGMA * float(np.median(np.abs(ratio - middle)))
    error = 1.2533 * spread / float(np.sqrt(ratio.size))  # of a median
    return float(np.exp(middle)), float(np.exp(middle) * error)


def gate_pixels(data: Image) -> Failure | None:
    """Say whether there is anything in the pixels at all."""
    finite = np.isfinite(data)
    count = int(np.count_nonzero(finite))
    if count == 0:
        return Failure("all_nan", f"All {data.size} pixels are NaN or infinite: deliver the frame again.")
    sample = data[finite]
    low, high = float(sample.min()), float(sample.max())
    if low == high:
        return Failure("empty_frame", f"All {count} finite pixels have the value {low:g}: the frame has no signal.")
    return None


def gate(quality: Quality, others: Sequence[Quality], limits: Limits) -> Failure | None:
    """Say why a frame should not be subtracted, or None.

    Absolute gates first, then those against the others of the same field, band and night. Haze alone is no reason:
    what counts is the predicted depth.

    Parameters
    ----------
    quality : of this frame. others : of the night's other frames of the field; without at least two nothing is
        compared. limits : see `Limits`.
    """
    return _gate_alone(quality, limits) or _gate_against(quality, others, limits)


def _gate_alone(q: Quality, limits: Limits) -> Failure | None:
    if q.noise is None or q.sky_level is None or q.noise <= 0:
        return Failure("empty_frame", "The frame's pixels have no noise: it holds no exposure of the sky.")
    if q.structure is not None and q.structure > limits.structure:
        uneven = f" and varies by {100 * q.sky_range:.0f} %" if q.sky_range is not None else ""
        return Failure(
            "spoilt",
            f"Stray light spoilt the sky: it is {q.sky_level:.0f} counts{uneven}, and its noise of {q.noise:.1f} is "
            f"{q.structure:.2f} times that between neighbouring pixels (limit {limits.structure:g}).",
        )
    if q.saturation is not None and q.sky_level > limits.sky_share_of_saturation * q.saturation:
        return Failure(
            "sky_too_bright",
            f"The sky is {q.sky_level:.0f} counts, {100 * q.sky_level / q.saturation:.0f} % of saturation "
            f"(limit {100 * limits.sky_share_of_saturation:.0f} %).",
        )
    if q.covered_share < FEWEST_COVERED:
        return Failure(
            "masked",
            f"Only {100 * q.covered_share:.1f} % of the frame show the sky: the rest is a rim without data, or gets no "
            f"light ({100 * FEWEST_COVERED:.0f} % are needed).",
        )
    if q.masked_share > limits.masked_share:
        return Failure(
            "masked",
            f"{100 * q.masked_share:.1f} % of the pixels that see the sky are masked "
            f"(limit {100 * limits.masked_share:.0f} %).",
        )
    if q.star_count == 0:
        return Failure("empty_frame", f"No star stands out from the noise of {q.noise:.3g} counts.")
    if q.star_count < limits.fewest_stars or q.fwhm_px is None:
        return Failure("too_few_stars", f"{q.star_count} stars were found; {limits.fewest_stars} are needed.")
    return None


def gate_trailed(quality: Quality, others: Sequence[Quality], limits: Limits) -> Failure | None:
    """Say whether a frame's stars are lines while those of most others are none, or None.

    Lines in most frames are a way to observe, as the telescope followed a comet: then they are the PSF. In one frame
    among good ones they are a fault of the tracking.
    """
    q, known = quality, [other.ellipticity for other in others if other.ellipticity is not None]
    round_ones = sum(ellipticity <= limits.ellipticity for ellipticity in known)
    if q.ellipticity is None or q.ellipticity <= limits.ellipticity or 2 * round_ones <= len(known):
        return None
    return Failure(
        "trailed",
        f"The stars are trailed: ellipticity {q.ellipticity:.2f} (limit {limits.ellipticity:g}), width "
        f"{q.fwhm_px:.1f} px, while those of {round_ones} of {len(known)} other frames are not.",
    )


def _gate_against(q: Quality, others: Sequence[Quality], limits: Limits) -> Failure | None:
    loss = depth_loss_mag(q, others)
    told = "" if loss is None else f"; the predicted depth is {loss:.1f} mag below the others' median"
    if q.transparency is not None and q.transparency < limits.transparency:
        return Failure(
            "clouded",
            f"Only {100 * q.transparency:.1f} % of the stars' light arrived "
            f"(limit {100 * limits.transparency:.0f} %){told}.",
        )
    if loss is None or loss <= limits.depth_loss_mag:
        return None
    shallow = f"The predicted depth is {loss:.1f} mag below the others' median (limit {limits.depth_loss_mag:g}): "
    ratio = _sky_ratio(q, others)
    if ratio is not None and ratio > limits.sky_ratio:
        return Failure(
            "spoilt",
            f"{shallow}the sky is {q.sky_level:.0f} counts, {ratio:.1f} times that of the night's other frames.",
        )
    light = "unknown" if q.transparency is None else f"{q.transparency:.2f}"
    return Failure(
        "clouded" if q.transparency is not None and q.transparency < 0.5 else "too_shallow",
        f"{shallow}transparency {light}, noise {q.noise:.1f} counts, width {q.fwhm_px:.1f} px.",
    )


def _sky_ratio(q: Quality, others: Sequence[Quality]) -> float | None:
    """Return how many times brighter a frame's sky is than the median of the others'; None with fewer than two."""
    rates = [rate for rate in map(_sky_rate, others) if rate is not None and rate > 0]
    mine = _sky_rate(q)
    return None if mine is None or len(rates) < FEWEST_OTHERS else mine / float(np.median(rates))


def _sky_rate(q: Quality) -> float | None:
    if q.sky_level is None:
        return None
    return q.sky_level / q.exposure_s if q.exposure_s else q.sky_level


def depth_loss_mag(quality: Quality, others: Sequence[Quality]) -> float | None:
    """Return how much shallower a frame is than the median of the others, mag; None where that cannot be said."""
    mine = depth_mag(quality)
    depths = [d for d in (depth_mag(o) for o in others) if d is not None]
    if mine is None or len(depths) < FEWEST_OTHERS:
        return None
    return float(np.median(depths)) - mine
