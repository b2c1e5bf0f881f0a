"""The magnitude of one count, from catalogue stars; never guessed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from observations.numerics.doubts import TRUSTED_FLUX_SHARE, Doubt
from observations.numerics.statistics import MAD_TO_SIGMA
from preprocessing.numerics.colour_slope import FEWEST_STARS as FEWEST_OF_COLOUR
from preprocessing.numerics.colour_slope import LEAST_SPREAD_MAG, colour_slope

Column = NDArray[np.float64]

FEWEST_STARS = 5
CLIP_SIGMA = 3.0
CLIP_ROUNDS = 5
# Fainter stars are the lucky ones of their kind: at S/N 10 those that were found are 1 % too bright, at 7 already 3 %.
FAINTEST_SNR = 10.0
# Catalogue magnitudes of variables and of other colours scatter by this even where photon noise is nil.
SCATTER_FLOOR_MAG = 0.01
# One of 370 fields without a colour term shows one of three errors.
SIGNIFICANT_SIGMA = 3.0
MAG_OF_A_SHARE = 1.0857


@dataclass(frozen=True)
class ZeroPointColour:
    """What a star's colour adds to the zero point: term x (colour - at_mag).

    name : of the colour, "BP-RP". term, error : mag per mag. at_mag : the colour for which the zero point holds, the
    median of its stars. spread_mag : of these, robust sigma.
    """

    name: str
    term: float
    error: float
    at_mag: float
    spread_mag: float


@dataclass(frozen=True)
class ZeroPoint:
    """magnitude = mag - 2.5 log10(counts), with what it rests on.

    error_mag : for a source of unknown colour, so what the colours of the stars make of the term is in it. scatter_mag
    : robust, of single stars. excess_mag : what of it their errors do not explain. colour : None without a term that
    is known; then `no_colour` says why.
    """

    mag: float
    error_mag: float
    catalogue: str
    band: str
    system: str
    scatter_mag: float = 0.0
    excess_mag: float = 0.0
    star_count: int = 0
    colour: ZeroPointColour | None = None
    no_colour: str = ""


@dataclass(frozen=True)
class Photometry:
    """A catalogue's magnitudes for matched stars (NaN = none), and its names for them; their colour and its name."""

    magnitude: Column
    catalogue: str
    band: str
    system: str
    colour: Column | None = None
    colour_name: str = ""


def zero_point(flux: Column, flux_error: Column, photometry: Photometry) -> ZeroPoint | None:
    """Return the zero point from matched stars, or None with fewer than 5 that agree.

    Parameters
    ----------
    flux, flux_error : (n,) counts of the frame's stars, total (PSF) fluxes. NaN and less than 10 sigma take no part.
    photometry : catalogue magnitudes of the same stars, and their colours where there are any.

    Returns
    -------
    ZeroPoint or None
        weighted mean of magnitude + 2.5 log10(flux) - term x (colour - median colour), clipped at 3 sigma of the robust
        scatter. Weights and error hold the photon noise of each star and what the stars scatter beyond it
        (DerSimonian & Laird 1986, Controlled Clinical Trials 7, 177, eq. 8). The term is there where ten stars
        with colours that spread by .1 mag show one of three errors; then stars of unknown colour take no part.
    """
    magnitude = np.asarray(photometry.magnitude, dtype=float)
    usable = np.isfinite(magnitude) & (flux > 0) & (flux > FAINTEST_SNR * np.abs(flux_error))
    if np.count_nonzero(usable) < FEWEST_STARS:
        return None
    value = magnitude[usable] + 2.5 * np.log10(flux[usable])
    error = np.hypot(MAG_OF_A_SHARE * flux_error[usable] / flux[usable], SCATTER_FLOOR_MAG)
    names = ZeroPoint(0.0, 0.0, photometry.catalogue, photometry.band, photometry.system)
    if photometry.colour is None:
        return _mean(value, error, replace(names, no_colour="the catalogue has no colours"))
    colour = np.asarray(photometry.colour, dtype=float)[usable]
    found = _colour(value, error, colour, photometry.colour_name)
    if isinstance(found, str):
        return _mean(value, error, replace(names, no_colour=found))
    known = np.isfinite(colour)
    level = value[known] - found.term * (colour[known] - found.at_mag)
    zero = _mean(level, error[known], replace(names, colour=found))
    if zero is None:
        return None
    return replace(zero, error_mag=float(np.hypot(zero.error_mag, found.term * found.spread_mag)))


def _colour(value: Column, error: Column, colour: Column, name: str) -> ZeroPointColour | str:
    """Fit the colour term; return the reason where there is none."""
    known = np.isfinite(colour)
    if np.count_nonzero(known) < FEWEST_OF_COLOUR:
        return f"{np.count_nonzero(known)} stars of known {name} are too few, {FEWEST_OF_COLOUR} are needed"
    # A straight line holds for usual colours; few odd ones, or wrong ones, would be all that decides about it.
    usual = CLIP_SIGMA * max(_scatter(colour[known]), LEAST_SPREAD_MAG)
    known[known] = np.abs(colour[known] - np.median(colour[known])) < usual
    value, error, colour = value[known], error[known], colour[known]
    found = colour_slope(value, error, colour - np.median(colour))
    if found is None:
        return f"the stars' {name} spreads by less than {LEAST_SPREAD_MAG:g} mag, or too few of them agree"
    if abs(found.slope) < SIGNIFICANT_SIGMA * found.error:
        return f"the term in {name}, {found.slope:.3f} ± {found.error:.3f}, is not significant"
    middle = float(np.median(colour[found.keep]))
    spread = MAD_TO_SIGMA * float(np.median(np.abs(colour[found.keep] - middle)))
    return ZeroPointColour(name, found.slope, found.error, middle, spread)


def _mean(value: Column, error: Column, zero: ZeroPoint) -> ZeroPoint | None:
    """Return the zero point by the stars' own ones; None where fewer than 5 agree."""
    keep = np.ones(value.size, dtype=bool)
    for _ in range(CLIP_ROUNDS):
        if np.count_nonzero(keep) < FEWEST_STARS:
            return None
        middle = float(np.median(value[keep]))
        spread = max(_scatter(value[keep]), SCATTER_FLOOR_MAG)
        keep = np.abs(value - middle) < CLIP_SIGMA * np.maximum(spread, error)
    if np.count_nonzero(keep) < FEWEST_STARS:
        return None
    value, error = value[keep], error[keep]
    excess = _excess_variance(value, error)
    weight = 1 / (error**2 + excess)
    return replace(
        zero,
        mag=float((weight * value).sum() / weight.sum()),
        error_mag=float(weight.sum() ** -0.5),
        scatter_mag=_scatter(value),
        excess_mag=excess**0.5,
        star_count=value.size,
    )


def _scatter(value: Column) -> float:
    return MAD_TO_SIGMA * float(np.median(np.abs(value - np.median(value))))


def _excess_variance(value: Column, error: Column) -> float:
    """Return the variance beyond the errors: (chi2 - (n - 1)) / (sum w - sum w2 / sum w) with w = 1 / error2, or 0."""
    weight = 1 / error**2
    middle = (weight * value).sum() / weight.sum()
    excess = (weight * (value - middle) ** 2).sum() - (value.size - 1)
    return max(0.0, float(excess / (weight.sum() - (weight**2).sum() / weight.sum())))


def doubts_of_zero_point(zero: ZeroPoint | None, frame_band: str) -> tuple[Doubt, ...]:
    """Doubt magnitudes that are by another band's stars, where their colours show and no colour term says how much."""
    if zero is None or zero.colour is not None or zero.band == frame_band:
        return ()
    share = zero.excess_mag / MAG_OF_A_SHARE
    if share <= TRUSTED_FLUX_SHARE:
        return ()
    band = f"the band {zero.band}" if zero.band else "a band that it does not name"
    return (
        Doubt(
            "zero_point_of_another_band", "flux", "", round(share, 3),
            f"The frame was taken in {frame_band}, and its zero point is by magnitudes of {zero.catalogue} in {band}: "
            f"from star to star they disagree by {share:.0%}, and there is no colour term that would explain it "
            f"({zero.no_colour}). Magnitudes of single sources may be off by as much, those of odd colours by more.",
            blocks_publication=True,
        ),
    )  # fmt: skip


def limiting_magnitude(depth_flux: float, zero_point_mag: float) -> float:
    """Return the magnitude of a flux in counts."""
    return float(zero_point_mag - 2.5 * np.log10(depth_flux))
