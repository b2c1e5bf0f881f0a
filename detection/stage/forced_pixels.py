"""What one difference holds at known places, as rows that are not saved."""

from __future__ import annotations

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from catalog.files import storage
from detection.models import ForcedPhotometry, ForcedReason
from detection.numerics.forced import Forced, Subtracted, Trouble, force
from detection.sources.unmeasured import Work
from observations.numerics.barycentre import bjd_tdb
from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.mapped import map_images
from observations.numerics.fits.products import decode_psf
from observations.places import place_of

Array = NDArray[np.float64]

_REASONS = {
    Trouble.MASKED: ForcedReason.MASKED,
    Trouble.SATURATED: ForcedReason.SATURATED,
    Trouble.OUTSIDE: ForcedReason.OUTSIDE,
}


def rows_of(work: Work) -> list[ForcedPhotometry]:
    """Measure all targets with one reading of the difference's files; without these, say so."""
    ra, dec = (np.array([getattr(target, name) for target in work.targets]) for name in ("ra", "dec"))
    observation = work.run.observation
    place = place_of(observation.telescope)
    times = bjd_tdb(observation.mjd_utc, ra, dec, place)
    try:
        images, wcs = _open(work)
    except (FileNotFoundError, FitsRefused):
        errors = np.array([target.error_arcsec for target in work.targets])
        rows = [_row(work, k, float(errors[k])) for k in range(len(errors))]
        for row in rows:
            row.reason = ForcedReason.NO_DIFFERENCE
    else:
        scale_arcsec = 3600.0 * float(np.sqrt(wcs.proj_plane_pixel_area().value))
        errors = _errors_arcsec(work, scale_arcsec)
        x, y = wcs.all_world2pix(ra, dec, 0, quiet=True)
        found = force(images, x, y, errors / scale_arcsec)
        rows = [_row(work, k, float(errors[k])) for k in range(len(errors))]
        for k, row in enumerate(rows):
            _fill(row, found, k)
    for row, time in zip(rows, times, strict=True):
        row.bjd_tdb, row.is_geocentric = float(time), place is None
    return rows


def _open(work: Work) -> tuple[Subtracted, WCS]:
    """Map the images; FitsRefused or FileNotFoundError where they are gone, or lack what earlier versions left out."""
    run, gain = work.run, work.run.observation.gain_e_per_adu
    paths = (run.difference_image_path, run.significance_map_path, run.reference_aligned_path)
    difference, score, matched = (map_images(storage.open_stored(path)) for path in paths)
    psf = decode_psf(storage.open_stored(work.preprocessed.processed_fits_path))
    wcs = difference.wcs()
    if psf is None or wcs is None:
        raise FitsRefused("not_fits", "The frame has no PSF or no world coordinates: process it again.")
    known = run.parameters.get("diagnostics", {})
    return Subtracted(
        flux=score.plane("FLUX"),
        score=score.plane(),
        science=matched.plane("SCIENCE"),
        reference=matched.plane(),
        mask=difference.plane("MASK"),
        psf=psf,
        sigma_science=known.get("sigma_science", float("nan")),
        sigma_reference=known.get("sigma_reference", float("nan")),
        gain=gain,
    ), wcs


def _errors_arcsec(work: Work, scale_arcsec: float) -> Array:
    """Return the error of each place on this frame: its own, and that of the frame's WCS."""
    own = np.array([target.error_arcsec for target in work.targets])
    return np.hypot(own, work.preprocessed.wcs_error_px * scale_arcsec)


def _row(work: Work, k: int, error_arcsec: float) -> ForcedPhotometry:
    """Return the row of a target without its values."""
    target, calibrated = work.targets[k], work.preprocessed
    return ForcedPhotometry(
        source_id=None if target.is_moving else target.key,
        tracklet_id=target.key if target.is_moving else None,
        observation=work.run.observation,
        difference_run=work.run,
        reference_id=work.reference,
        ra=target.ra,
        dec=target.dec,
        position_error_arcsec=error_arcsec,
        mjd_utc=work.run.observation.mjd_utc,
        zero_point_mag=calibrated.zero_point_mag,
        zero_point_error=calibrated.zero_point_error,
        zero_point_system=calibrated.zero_point_system,
    )


def _fill(row: ForcedPhotometry, found: Forced, k: int) -> None:
    if found.trouble[k]:
        row.reason = _REASONS[found.trouble[k]]
        return
    row.flux, row.flux_error = float(found.flux[k]), float(found.flux_error[k])
    row.limiting_flux = _known(found.limit[k])
    row.total_flux, row.total_flux_error = _known(found.total_flux[k]), _known(found.total_flux_error[k])


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
