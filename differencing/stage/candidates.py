"""Keep the peaks of a difference as rows, so that a repeat keeps the identity of what it finds again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from astropy.wcs import WCS
from django.db.models import ProtectedError
from numpy.typing import NDArray

from differencing.models import Candidate, CandidateStatus, DifferenceRun
from differencing.numerics.measure import Measurements
from differencing.numerics.vetoes.veto import Veto
from observations.models import WcsQuality
from observations.numerics.statistics import centroid_error

# What undersampling and neighbours add to the error of a centroid, however bright it is.
_CENTROID_FLOOR_PX = 0.1

_MEASURED = (
    "flux", "flux_error", "significance", "snr", "masked_share", "is_saturated", "is_blended", "is_edge",
    "is_negative", "is_dipole", "is_reference_ghost",
)  # fmt: skip


_PLACED = ("ra", "dec", "pixel_x", "pixel_y", "position_error_px", "fwhm", "ellipticity", "position_angle")
_TRAILED = (
    "trail_length_arcsec", "trail_length_error_arcsec", "trail_angle", "trail_angle_error", "trail_flux",
    "trail_flux_error", "trail_chi2_gain",
)  # fmt: skip


def replace_candidates(
    row: DifferenceRun, found: Measurements, wcs: WCS, vetoes: Sequence[tuple[Veto, ...]] = ()
) -> list[Candidate]:
    """Write the candidates of a run, in the caller's transaction.

    A candidate of the same observation that is found again within one FWHM with the same sign keeps its id. One
    that is not found again is deleted, unless a detection stands on it: then it is marked `duplicate`, and the
    detection's stage decides.
    """
    old = list(Candidate.objects.filter(observation=row.observation))
    kept, again, new = [], [], []
    for candidate in rows_of(row, found, wcs, vetoes or [()] * len(found)):
        same = _same(candidate, old)
        kept.append(same or candidate)
        if same is None:
            new.append(candidate)
            continue
        old.remove(same)
        for name in (*_MEASURED, *_PLACED, *_TRAILED, "vetoes"):
            setattr(same, name, getattr(candidate, name))
        same.difference_run = row
        if same.status == CandidateStatus.DUPLICATE:
            same.status = CandidateStatus.PENDING
        again.append(same)
    Candidate.objects.bulk_create(new)
    if again:
        Candidate.objects.bulk_update(again, [*_MEASURED, *_PLACED, *_TRAILED, "vetoes", "difference_run", "status"])
    for candidate in old:
        _remove(candidate)
    return kept


def _same(new: Candidate, old: list[Candidate]) -> Candidate | None:
    """Return the nearest old candidate of the same sign within one FWHM (3 px where it is unknown)."""
    reach = new.fwhm or 3.0
    near = [
        (distance, candidate)
        for candidate in old
        if candidate.is_negative == new.is_negative
        and (distance := np.hypot(candidate.pixel_x - new.pixel_x, candidate.pixel_y - new.pixel_y)) < reach
    ]
    return min(near, key=lambda pair: pair[0])[1] if near else None


def _remove(candidate: Candidate) -> None:
    try:
        candidate.delete()
    except ProtectedError:
        candidate.status = CandidateStatus.DUPLICATE
        candidate.save(update_fields=["status", "updated_at"])


def rows_of(row: DifferenceRun, found: Measurements, wcs: WCS, vetoes: Sequence[tuple[Veto, ...]]) -> list[Candidate]:
    """Return each measurement as a row that is not saved; what could not be measured is null."""
    ra, dec = wcs.all_pix2world(found.x, found.y, 0) if len(found) else (np.empty(0), np.empty(0))
    angle = _position_angles(found, found.theta_deg, wcs)
    trails = _trails(found, wcs)
    is_nominal = row.observation.wcs_quality == WcsQuality.NOMINAL
    out = []
    for k in range(len(found)):
        coma = found.comas.fwhm[k]
        fwhm, ellipticity = _known(coma if np.isfinite(coma) else found.fwhm[k]), _known(found.ellipticity[k])
        out.append(
            Candidate(
                difference_run=row,
                observation=row.observation,
                ra=float(ra[k]) % 360.0,
                dec=float(dec[k]),
                pixel_x=float(found.x[k]),
                pixel_y=float(found.y[k]),
                position_error_px=_known(found.position_error[k]),
                fwhm=fwhm,
                ellipticity=ellipticity,
                position_angle=None if is_nominal or fwhm is None else _known(angle[k]),
                vetoes=[asdict(veto) for veto in vetoes[k]],
                **({name: getattr(found, name)[k].item() for name in _MEASURED} | _light(found, k)),
                **{name: _known(trails[name][k]) for name in _TRAILED if not (is_nominal and "angle" in name)},
            )
        )
    return out


def _light(found: Measurements, k: int) -> dict[str, float]:
    """Return the flux of a coma, by a profile as wide as it is; nothing of what is no coma."""
    comas = found.comas
    if not np.isfinite(comas.fwhm[k]):
        return {}
    flux, error = float(comas.flux[k]), float(comas.flux_error[k])
    return {"flux": flux, "flux_error": error, "snr": flux / error}


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _trails(found: Measurements, wcs: WCS) -> dict[str, NDArray[np.float64]]:
    """Return the trails on the sky; NaN where there is none."""
    trails = found.trails
    scale = 3600.0 * float(np.sqrt(np.abs(np.linalg.det(wcs.pixel_scale_matrix))))
    values = (
        trails.length_px * scale, trails.length_error_px * scale, _position_angles(found, trails.theta_deg, wcs),
        trails.theta_error_deg, trails.flux, trails.flux_error, trails.chi2_gain,
    )  # fmt: skip
    return dict(zip(_TRAILED, values, strict=True))


def _position_angles(found: Measurements, theta_deg: NDArray[np.float64], wcs: WCS) -> NDArray[np.float64]:
    """Turn an axis from the pixel grid (degrees from +x to +y) to the sky (east of north, 0 to 180)."""
    if len(found) == 0:
        return np.empty(0)
    step_x, step_y = np.cos(np.radians(theta_deg)), np.sin(np.radians(theta_deg))
    finite = np.isfinite(step_x)
    step_x, step_y = np.where(finite, step_x, 0.0), np.where(finite, step_y, 0.0)
    ra0, dec0 = wcs.all_pix2world(found.x, found.y, 0)
    ra1, dec1 = wcs.all_pix2world(found.x + step_x, found.y + step_y, 0)
    east = ((ra1 - ra0 + 180.0) % 360.0 - 180.0) * np.cos(np.radians(dec0))
    return np.where(finite, np.degrees(np.arctan2(east, dec1 - dec0)) % 180.0, np.nan)


def position_error_arcsec(candidate: Candidate) -> float:
    """Return the error of a position in one axis: of its centroid, and of the registration; NaN where unknown.

    The centroid's is that of what was fitted, a point, a trail or a coma, and never less than that of a source as wide
    as this one was measured: what is wide and was too faint to be fitted as such is less well placed than a point.
    """
    scale, registration = candidate.observation.pixel_scale, candidate.difference_run.registration_rms_px
    is_measured = candidate.snr is not None and bool(candidate.fwhm or candidate.position_error_px)
    if not scale or registration is None or not is_measured:
        return float("nan")
    centroid = float(centroid_error(candidate.fwhm or 0.0, candidate.snr or 0.0))
    fitted = candidate.position_error_px or 0.0
    return scale * float(np.sqrt(max(centroid, fitted) ** 2 + registration**2 + _CENTROID_FLOOR_PX**2))
