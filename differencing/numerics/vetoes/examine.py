"""Look at every peak of one difference for what speaks against it, and say it with its number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from differencing.numerics.difference import Difference
from differencing.numerics.measure import Measurements
from differencing.numerics.peaks import psf_fwhm_px
from differencing.numerics.vetoes.crowding import crowds
from differencing.numerics.vetoes.displaced import displacement_px
from differencing.numerics.vetoes.shapes import Shape, Shapes
from differencing.numerics.vetoes.trains import find_trains
from differencing.numerics.vetoes.veto import Veto
from observations.numerics.frame import Frame, Mask, MaskBit

Vetoes = tuple[Veto, ...]


@dataclass(frozen=True)
class VetoParameters:
    """Beyond what a number speaks against a peak; measured on sources that were added to real frames.

    sharper_gain, wider_gain : chi² by which something sharper or wider than a star fits better than a point;
    far_wider_gain is enough for what is `far_wider` times as wide, which no error of a PSF makes of a star. chi2,
    chi2_frame : of a point over its degrees of freedom, in the difference and in the frame that shows it: a PSF that is
    wrong by 10 % in its core gives 3 to a bright star. soft_share : of the core's pixels whose values were filled in.
    """

    sharper_gain: float = 8.0
    wider_gain: float = 5.0
    far_wider_gain: float = 4.0
    far_wider: float = 2.0
    chi2: float = 3.0
    chi2_frame: float = 3.5
    soft_share: float = 0.3


def filled_pixels(*frames: Frame) -> Mask:
    """Return which pixels of one grid have been filled in, though they count as good, in any of the frames."""
    out = np.zeros(frames[0].shape, dtype=bool)
    for frame in frames:
        if frame.mask_bits is not None:
            out |= (frame.mask_bits & int(MaskBit.INTERPOLATED)) != 0
    return out


def examine(
    difference: Difference,
    measured: Measurements,
    filled: Mask,
    *,
    refraction_px: NDArray[np.float64] | None = None,
    parameters: VetoParameters | None = None,
) -> list[Vetoes]:
    """Return what speaks against each peak, in the order of the measurements.

    Parameters
    ----------
    filled : (ny, nx) bool, True where a pixel of either frame has been filled in, though it counts as good.
    refraction_px : (2,) the largest shift of a star in x and y that refraction makes of its colour; None where unknown.
    """
    p = parameters or VetoParameters()
    m, fwhm = measured, psf_fwhm_px(difference, is_negative=False)
    shape_of = Shapes(difference, m)
    steps = _steps_of_trains(m, fwhm, difference.score)
    neighbours = crowds(
        m.x, m.y, np.abs(m.significance), m.is_edge, fwhm_px=fwhm, area_px=float((~difference.mask).sum())
    )
    out = []
    for k in range(len(m)):
        found = [
            *_of_shape(shape_of(k), p, _Known.of(m, k, shape_of.fwhm(k))),
            *_of_displacement(displacement_px(difference, m, k, shape_of.fwhm(k), refraction_px)),
            *_of_soft_pixels(_soft_share(filled, float(m.x[k]), float(m.y[k]), fwhm), p),
        ]
        if k in steps:
            members, step = steps[k]
            found.append(
                Veto(
                    "flash_train", float(members),
                    f"{members} peaks of this frame stand in a row at equal steps of {step:.1f} px: the flashes of a "
                    "satellite or the lights of an aircraft.",
                )
            )  # fmt: skip
        if neighbours[k]:
            found.append(
                Veto(
                    "crowded", float(neighbours[k]),
                    f"{neighbours[k]} other peaks stand about this one, or along the same rim, far more than elsewhere "
                    "in the frame.",
                )
            )  # fmt: skip
        out.append(tuple(found))
    return out


class _Known(NamedTuple):
    """What is known of a peak's shape: the width of a coma in FWHM of a star is NaN where there is none."""

    is_negative: bool
    is_trail: bool
    coma: float

    @classmethod
    def of(cls, m: Measurements, k: int, fwhm: float) -> _Known:
        return cls(bool(m.is_negative[k]), bool(np.isfinite(m.trails.x[k])), float(m.comas.fwhm[k]) / fwhm)


def _of_shape(shape: Shape, p: VetoParameters, known: _Known) -> Iterator[Veto]:
    """Yield what the shape of a peak says; a trail has a shape of its own, and so has a coma."""
    is_negative, is_coma = known.is_negative, bool(np.isfinite(known.coma))
    width = round(known.coma, 1) if is_coma else shape.width
    if not is_coma and shape.sharper_gain > max(p.sharper_gain, shape.wider_gain):
        what = "a hot pixel of the reference, smeared by resampling" if is_negative else "a particle hit or a hot pixel"
        code = "hot_pixel" if is_negative else "cosmic_ray"
        message = f"Something sharper than a star fits it better, by {shape.sharper_gain:.1f} in chi²: {what}."
        yield Veto(code, round(shape.sharper_gain, 2), message)
        return
    is_wide = is_coma or shape.wider_gain > (p.far_wider_gain if shape.width >= p.far_wider else p.wider_gain)
    if is_wide and not known.is_trail:
        yield Veto(
            "wider_than_star",
            width,
            f"It is about {width:g} times as wide as a star: a comet, or a patch of light that is no source.",
        )
    chi2 = shape.chi2_wider if is_wide else shape.chi2
    if chi2 > p.chi2:
        yield Veto(
            "psf_difference",
            round(chi2, 2),
            f"Its shape in the difference is that of no star: chi² is {chi2:.1f} for each degree of freedom.",
        )
    if shape.chi2_frame > p.chi2_frame and not is_wide:
        code, frame = ("psf_reference", "reference") if is_negative else ("psf_science", "science frame")
        yield Veto(
            code,
            round(shape.chi2_frame, 2),
            f"Its shape in the {frame} is that of no star: chi² is {shape.chi2_frame:.1f} for each degree of freedom.",
        )


def _of_displacement(px: float) -> Iterator[Veto]:
    if np.isfinite(px):
        yield Veto(
            "displaced_star",
            round(px, 3),
            f"A star of both frames that stands {px:.2f} px elsewhere explains it better than a new source, and the "
            "registration, proper motion or refraction explain as much.",
        )


def _of_soft_pixels(share: float, p: VetoParameters) -> Iterator[Veto]:
    if share > p.soft_share:
        yield Veto(
            "soft_pixels",
            round(share, 3),
            f"{100.0 * share:.0f} % of the pixels in its core were filled in, in the science frame or in the "
            "reference.",
        )


def _soft_share(filled: Mask, x: float, y: float, fwhm: float) -> float:
    """Return the share of filled pixels within one FWHM of a place."""
    reach, (row, column) = max(1, int(np.ceil(fwhm))), (round(y), round(x))
    rows, columns = slice(max(0, row - reach), row + reach + 1), slice(max(0, column - reach), column + reach + 1)
    cut = filled[rows, columns]
    v, u = np.mgrid[rows.start : rows.start + cut.shape[0], columns.start : columns.start + cut.shape[1]]
    core = (u - x) ** 2 + (v - y) ** 2 <= max(fwhm, 1.0) ** 2
    return float(cut[core].mean()) if core.any() else 0.0


def _steps_of_trains(m: Measurements, fwhm: float, score: NDArray[np.floating]) -> dict[int, tuple[int, float]]:
    """Return for each positive peak that stands in a train how many do, and the step in px."""
    positive: NDArray[np.intp] = np.flatnonzero(~m.is_negative)
    trains = find_trains(
        m.x[positive],
        m.y[positive],
        m.position_error[positive],
        fwhm_px=fwhm,
        shape=(score.shape[0], score.shape[1]),
        score=score,
    )
    return {int(positive[j]): (len(train.members), train.step_px) for train in trains for j in train.members}
