"""Which algorithm subtracts a pair: by configuration, by what can be measured, or by how deep each will go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from differencing.numerics import matched, zogy
from differencing.numerics.depth import Depth, Sample
from differencing.numerics.difference import Difference
from differencing.numerics.matching import Width, fit_matching
from differencing.numerics.pair import Pair, PsfInput, finite, prepare, with_kernel
from differencing.numerics.parameters import ZogyParameters
from differencing.numerics.tie import TooFewStars
from observations.numerics.frame import Frame
from observations.numerics.statistics import FWHM_PER_SIGMA

ZOGY, MATCHED, AUTO = "zogy", "matched", "auto"
# Below this gain in S/N both algorithms are as good, and below so many of its errors it is none.
LEAST_GAIN, SURE_SIGMA = 0.05, 2.0


@dataclass(frozen=True)
class Choice:
    """The algorithm that ran, why, and the depths that were predicted: None where no prediction was needed."""

    algorithm: str
    reason: str
    zogy: Depth | None = None
    matched: Depth | None = None

    @property
    def depths(self) -> dict[str, Depth]:
        """Return what was predicted, by algorithm."""
        return {name: depth for name, depth in ((ZOGY, self.zogy), (MATCHED, self.matched)) if depth is not None}


class Chosen(NamedTuple):
    """A difference, and how its algorithm was chosen."""

    difference: Difference
    choice: Choice


def subtract(  # noqa: PLR0913 - the contract of the algorithms, and which of them
    science: Frame,
    reference: Frame,
    *,
    algorithm: str,
    parameters: ZogyParameters,
    psf_science: PsfInput = None,
    psf_reference: PsfInput = None,
    device: str = "cpu",
) -> Chosen:
    """Subtract by proper subtraction (`zogy`), by a fitted kernel (`matched`), or by what suits the pair (`auto`).

    `auto` is `zogy` unless a PSF cannot be measured, too few point sources are there to tie the fluxes, or static
    sources will cancel so much better under a fitted kernel that transients upon them gain 5 % in S/N. That is
    predicted at some hundred sources of the pair (`depth.Sample`); where `zogy` is as good as noise allows, no kernel
    is fitted. Other arguments, and errors, as in `zogy.subtract` and `matched.subtract`.

    Returns
    -------
    Chosen.
    """
    psfs = (psf_science, psf_reference)
    pair = prepare_for(finite(science), finite(reference), psfs, algorithm=algorithm, parameters=parameters)
    return subtract_prepared(pair, algorithm=algorithm, parameters=parameters, device=device)


def prepare_for(
    science: Frame,
    reference: Frame,
    psfs: tuple[PsfInput, PsfInput] = (None, None),
    *,
    algorithm: str,
    parameters: ZogyParameters,
) -> Pair:
    """Do the first half of `subtract` with frames without holes (`finite`), which are not needed after this."""
    return prepare(science, reference, psfs, parameters, is_rough=algorithm != ZOGY)


def subtract_prepared(pair: Pair, *, algorithm: str, parameters: ZogyParameters, device: str = "cpu") -> Chosen:
    """Do the second half of `subtract`."""
    p = parameters
    if algorithm == ZOGY:
        return Chosen(zogy.subtract_pair(with_kernel(pair), p, device), Choice(ZOGY, "set by configuration"))
    why = "set by configuration" if algorithm == MATCHED else _obstacle(pair)
    if why is not None:
        kernel = fit_matching(pair, fewest=p.min_stars)
        return Chosen(matched.subtract_pair(pair, kernel, p, device), Choice(MATCHED, why))
    return _by_depth(with_kernel(pair), p, device)


def _obstacle(pair: Pair) -> str | None:
    """Return why proper subtraction is impossible or would be wrong, None where nothing is in its way."""
    missing = [
        name for name, known in zip(("science frame", "reference"), pair.psfs_measured, strict=True) if not known
    ]
    if missing:
        return f"no PSF can be measured for the {' nor for the '.join(missing)}"
    if not pair.tied_on_points:
        return "too few point sources tell the flux scale"
    return None


def _by_depth(pair: Pair, p: ZogyParameters, device: str) -> Chosen:
    sample = Sample.of(pair, FWHM_PER_SIGMA * Width.of(pair).wider)
    proper = sample.predict(pair, zogy.filters_of)
    if not proper.depth.snr_at_best > (1.0 + LEAST_GAIN) * proper.depth.snr:
        choice = Choice(ZOGY, "static sources will cancel as well as noise allows", proper.depth)
        return Chosen(zogy.subtract_pair(pair, p, device), choice)
    try:
        kernel = fit_matching(pair, fewest=p.min_stars)
    except TooFewStars:
        choice = Choice(ZOGY, "too few static sources for a kernel", proper.depth)
        return Chosen(zogy.subtract_pair(pair, p, device), choice)
    fitted = sample.predict(pair._replace(kernel=None), matched.filters_of(pair, kernel))
    gain, error = fitted.gain_over(proper)
    if gain > max(LEAST_GAIN, SURE_SIGMA * error):
        reason = f"transients on sources gain {gain:.0%} in S/N"
        choice = Choice(MATCHED, reason, proper.depth, fitted.depth)
        return Chosen(matched.subtract_pair(pair, kernel, p, device), choice)
    choice = Choice(ZOGY, "a fitted kernel gains nothing on it", proper.depth, fitted.depth)
    return Chosen(zogy.subtract_pair(pair, p, device), choice)
