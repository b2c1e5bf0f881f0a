"""Measurements of detections and of forced photometry as packets tell them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from curation.alerts.facts import DOUBTFUL_FLAGS
from curation.packets.facts import ForcedFacts, PlaceFacts, SeenFacts
from detection.models import Detection, ForcedPhotometry, nanojanskys
from detection.sources.photometry import magnitude_of
from differencing.models import Candidate
from observations.models import Observation
from observations.numerics.atomic import mjd_tai
from observations.numerics.site import mjd_of, time_of
from preprocessing.models import PreprocessRun

# Counts of the science frame; fluxes that another survey measured have whatever unit it uses.
COUNTS = "adu"
_JD_OF_MJD_0 = 2400000.5


class _Middle(TypedDict):
    midpoint_utc: datetime
    midpoint_mjd_utc: float
    midpoint_mjd_tai: float


class _Light(TypedDict):
    flux: float | None
    flux_err: float | None
    flux_unit: str | None
    snr: float | None
    zero_point_mag: float | None
    zero_point_err: float | None
    zero_point_system: str | None
    zero_point_catalogue: str | None
    psf_flux: float | None
    psf_flux_err: float | None
    mag: float | None
    mag_err: float | None
    mag_system: str | None


def middle_of(mjd_utc: float) -> _Middle:
    """Return the middle of an exposure in the scales of `Moment`."""
    return {
        "midpoint_utc": time_of(mjd_utc),
        "midpoint_mjd_utc": mjd_utc,
        "midpoint_mjd_tai": mjd_tai(mjd_utc),
    }


def runs_of(observations: Collection[UUID], known_until: datetime) -> dict[UUID, PreprocessRun]:
    """Return the newest calibration of each frame that was completed by a time."""
    rows = PreprocessRun.objects.filter(observation__in=observations, completed_at__lte=known_until)
    return {row.observation_id: row for row in rows.newest_of_each().defer("wcs_info", "masters")}


def seen_of(row: Detection, run: PreprocessRun | None) -> SeenFacts:
    """Return what is told of a detection; observation, telescope, survey, candidate, reference and model are loaded."""
    frame, candidate, model = row.observation, row.candidate, row.model_run.model
    scale = frame.pixel_scale
    error_px = candidate.position_error_px if candidate else None
    reference = candidate.difference_run.reference if candidate else None
    return SeenFacts(
        **middle_of(frame.mjd_utc),
        **_light_of(candidate, run),
        detection_uuid=row.pk,
        observation_uuid=frame.pk,
        frame=frame.shown_name or None,
        survey=frame.survey.name,
        telescope=frame.telescope.name if frame.telescope else None,
        camera=frame.camera or None,
        night=frame.night.isoformat(),
        jd=_start_jd(frame),
        exptime=frame.exposure_time,
        band=frame.filter_band or None,
        ra=row.ra,
        dec=row.dec,
        position_err_arcsec=error_px * scale if error_px is not None and scale is not None else None,
        x=row.pixel_x,
        y=row.pixel_y,
        is_positive=not candidate.is_negative if candidate else None,
        significance=candidate.significance if candidate else None,
        score=row.confidence_score,
        model_name=model.name,
        model_version=model.version,
        flags=tuple(flag.name for flag in candidate.flags if flag.name in DOUBTFUL_FLAGS) if candidate else (),
        fwhm_px=candidate.fwhm if candidate else None,
        ellipticity=candidate.ellipticity if candidate else None,
        trail_length_arcsec=candidate.trail_length_arcsec if candidate else None,
        psf_fwhm_px=run.fwhm_px if run else None,
        pixel_scale_arcsec=scale,
        limiting_mag=run.limiting_magnitude if run else None,
        reference_version=reference.version if reference else None,
        origin=row.origin,
    )


def forced_of(row: ForcedPhotometry) -> ForcedFacts:
    """Return what is told of forced photometry; its observation and reference are loaded."""
    mag, error = magnitude_of(row.flux, row.flux_error, row.zero_point_mag, row.zero_point_error)
    light = _Light(
        flux=row.flux,
        flux_err=row.flux_error,
        flux_unit=COUNTS if row.flux is not None else None,
        snr=row.snr,
        zero_point_mag=row.zero_point_mag,
        zero_point_err=row.zero_point_error,
        zero_point_system=row.zero_point_system or None,
        zero_point_catalogue=None,
        psf_flux=row.flux_njy,
        psf_flux_err=row.flux_error_njy,
        # What is below 3 sigma is a limit.
        mag=mag if row.limiting_flux is None else None,
        mag_err=error if row.limiting_flux is None else None,
        mag_system=row.zero_point_system or None if mag is not None and row.limiting_flux is None else None,
    )
    return ForcedFacts(
        **middle_of(row.mjd_utc),
        **light,
        forced_uuid=row.pk,
        observation_uuid=row.observation_id,
        bjd_tdb=row.bjd_tdb,
        band=row.observation.filter_band or None,
        ra=row.ra,
        dec=row.dec,
        limiting_flux=row.limiting_flux,
        limiting_mag=row.limiting_mag,
        reason=row.reason or None,
        reference_version=row.reference.version,
    )


def place_of(member: Candidate) -> PlaceFacts:
    """Return where a member of a tracklet was seen; its observation is loaded."""
    return PlaceFacts(
        **middle_of(member.observation.mjd_utc),
        ra=member.ra,
        dec=member.dec,
        observation_uuid=member.observation_id,
    )


def njy(flux: float | None, run: PreprocessRun | None) -> float | None:
    """Return counts in nJy; None unless the zero point is AB, against a catalogue."""
    if run is None or not run.zero_point_catalogue:
        return None
    return nanojanskys(flux, run.zero_point_mag, run.zero_point_system)


def _light_of(candidate: Candidate | None, run: PreprocessRun | None) -> _Light:
    """Return the light of a detection. Of an imported one the unit of the flux, and with it nJy, are not known."""
    counted = None if candidate is None or candidate.is_imported else candidate
    flux, error = (counted.flux, counted.flux_error) if counted else (None, None)
    zero_point = run.zero_point_mag if run else None
    zero_point_error = run.zero_point_error if run else None
    given = (candidate.flux, candidate.flux_error) if candidate else (None, None)
    mag, mag_error = magnitude_of(*given, zero_point, zero_point_error)
    system = run.zero_point_system or None if run and zero_point is not None else None
    return {
        "flux": flux,
        "flux_err": error,
        "flux_unit": COUNTS if flux is not None else None,
        "snr": candidate.snr if candidate else None,
        "zero_point_mag": zero_point,
        "zero_point_err": zero_point_error,
        "zero_point_system": system,
        "zero_point_catalogue": run.zero_point_catalogue or None if run and zero_point is not None else None,
        "psf_flux": njy(flux, run),
        "psf_flux_err": njy(error, run),
        "mag": mag,
        "mag_err": mag_error,
        "mag_system": system if mag is not None else None,
    }


def _start_jd(frame: Observation) -> float | None:
    """Return the start of an exposure; None where it is not known, and the time that is given is the middle's."""
    if frame.exposure_time is None:
        return None
    return _JD_OF_MJD_0 + mjd_of(frame.observation_time)
