"""What a reference holds of a source, by the fluxes of epochs in which the source itself was not there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Baseline:
    """Flux that a source shows when it is not there, its error, and the epochs that it rests on."""

    flux: float
    flux_error: float
    epochs: int


@dataclass(frozen=True)
class BaselineParameters:
    """Which epochs count, and when a baseline is told from nothing.

    rise_days : from the first light to the first detection; supernovae take 20 to their peak. fade_days : after the
    last detection, until nothing is left of it; the tails of supernovae halve in 80.
    fewest_epochs : fewer cannot show that they agree. clip_sigma : an epoch further from the median takes no part.
    least_sigma : significance of a baseline; at three, one of 370 references without the source would be given one.
    """

    rise_days: float = 30.0
    fade_days: float = 365.0
    fewest_epochs: int = 5
    clip_sigma: float = 4.0
    least_sigma: float = 3.0


def fit_baseline(
    mjd: Array,
    flux: Array,
    flux_error: Array,
    event: tuple[float, float],
    *,
    parameters: BaselineParameters | None = None,
) -> Baseline | None:
    """Fit the flux beyond one reference outside an event.

    A reference made while the source shone leaves less than nothing once it is gone, in all epochs alike: their
    weighted mean. Its error grows with the square root of chi² per degree of freedom where the epochs disagree.

    Parameters
    ----------
    mjd : (n,) days. flux, flux_error : (n,) in one unit, against one reference. event : first and last detection, MJD.

    Returns
    -------
    Baseline, or None where there are too few epochs, or what they show may be nothing.
    """
    p = parameters or BaselineParameters()
    outside = (mjd < event[0] - p.rise_days) | (mjd > event[1] + p.fade_days)
    value, error = flux[outside], flux_error[outside]
    if value.size < p.fewest_epochs:
        return None
    agree = np.abs(value - np.median(value)) <= p.clip_sigma * error
    if np.count_nonzero(agree) < p.fewest_epochs:
        return None
    value, error = value[agree], error[agree]
    weight = 1.0 / error**2
    mean = float(np.average(value, weights=weight))
    chi_squared = float((weight * (value - mean) ** 2).sum()) / (value.size - 1)
    mean_error = float(np.sqrt(max(chi_squared, 1.0) / weight.sum()))
    if abs(mean) < p.least_sigma * mean_error:
        return None
    return Baseline(mean, mean_error, value.size)
