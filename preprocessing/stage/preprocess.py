"""Calibrate, mask and measure one observation."""

from __future__ import annotations

import time
from dataclasses import asdict
from uuid import UUID

from catalog.configuration.values import Snapshot, snapshot
from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.work import jobs
from catalog.work.inputs import hash_of
from observations.claims.doubts import store_doubts
from observations.models import DoubtOrigin, Observation, ObservationStatus
from observations.numerics.fits.images import encode_frame
from preprocessing.models import PreprocessRun
from preprocessing.numerics import VERSION
from preprocessing.numerics.calibrate import CalibrationError
from preprocessing.numerics.clean import Parameters
from preprocessing.numerics.preprocess import Preprocessed, preprocess
from preprocessing.numerics.quality import Limits
from preprocessing.stage.masters import Chosen, masters_for
from preprocessing.stage.raw import read_raw

# The keys that decide about the frame, by this stage and by the choice of its masters.
READS = (
    "preprocessing.background_mesh_px",
    "preprocessing.bias_validity_days",
    "preprocessing.clip_cosmic_rays",
    "preprocessing.cosmic_ray_sigma",
    "preprocessing.dark_temperature_tolerance_c",
    "preprocessing.dark_validity_days",
    "preprocessing.flat_validity_days",
    "preprocessing.max_depth_loss_mag",
    "preprocessing.max_ellipticity",
    "preprocessing.max_masked_share",
    "preprocessing.max_sky_ratio",
    "preprocessing.max_sky_share_of_saturation",
    "preprocessing.min_stars",
    "preprocessing.min_transparency",
    "preprocessing.sky_flat_validity_days",
    "preprocessing.star_threshold_sigma",
    "preprocessing.vignette_falloff",
)


# What a profile, or a better reading of the header, may change of the pixels' meaning.
_FACTS = (
    "mjd_utc", "exposure_time", "gain_e_per_adu", "read_noise_e", "saturation_level", "saturation_unit", "pixel_unit",
    "calibrated", "bayer_pattern",
)  # fmt: skip


def run(observation_id: UUID | str) -> None:
    """Make the preprocessed frame of one observation; the same raw file, masters and parameters leave it as it is.

    Raises StageFailure with the reason where the file is gone or changed, or the frame fails its own gates; those
    against the night's other frames are the next stage's.
    """
    config = snapshot().only(READS)
    observation = Observation.objects.get(pk=observation_id)
    chosen, parameters = masters_for(observation, config), parameters_of(config)
    inputs_hash = _inputs_hash(observation, chosen, parameters)
    if _is_done(observation, inputs_hash):
        with jobs.writing(last=True):
            _mark(observation, only_if=ObservationStatus.FAILED)
        return
    clock = time.perf_counter()
    row = _open(observation, inputs_hash, config)
    image = read_raw(observation)
    try:
        result = preprocess(image, chosen.masters, parameters)
    except CalibrationError as error:
        raise StageFailure(FailureCode.BAD_VALUE, f"The frame cannot be calibrated: {error}.") from error
    _record_quality(row, result, chosen)
    if result.failure is not None or result.frame is None:
        with jobs.writing():
            row.save()
            store_doubts(observation, DoubtOrigin.PIXELS, result.doubts)
        raise _as_stage_failure(result)
    path = f"processed/{observation.pk}/{row.pk}-{inputs_hash[:12]}.fits"
    row.processed_fits_path = storage.write_atomically(path, encode_frame(result.frame))
    with jobs.writing(last=True):
        store_doubts(observation, DoubtOrigin.PIXELS, result.doubts)
        row.complete()
        row.processing_time_seconds = time.perf_counter() - clock
        row.save()
        _mark(observation, seeing=_seeing_arcsec(row, observation))


def abandon(observation_id: str, code: FailureCode, sentence: str) -> None:
    """Close the run that was at work and the observation, in the caller's transaction."""
    PreprocessRun.objects.filter(observation=UUID(str(observation_id))).give_up(code, sentence)
    Observation.objects.filter(pk=observation_id).update(
        status=ObservationStatus.FAILED, failure_code=code, error_message=sentence
    )


def parameters_of(config: Snapshot) -> Parameters:
    """Return what preprocessing is told by the configuration."""
    return Parameters(
        mesh_px=config["preprocessing.background_mesh_px"],
        star_threshold_sigma=config["preprocessing.star_threshold_sigma"],
        clip_cosmic_rays=config["preprocessing.clip_cosmic_rays"],
        cosmic_ray_sigma=config["preprocessing.cosmic_ray_sigma"],
        vignette_falloff=config["preprocessing.vignette_falloff"],
        limits=limits(config),
    )


def limits(config: Snapshot) -> Limits:
    """Return the quality gates as configured."""
    return Limits(
        masked_share=config["preprocessing.max_masked_share"],
        ellipticity=config["preprocessing.max_ellipticity"],
        fewest_stars=config["preprocessing.min_stars"],
        sky_ratio=config["preprocessing.max_sky_ratio"],
        depth_loss_mag=config["preprocessing.max_depth_loss_mag"],
        transparency=config["preprocessing.min_transparency"],
        sky_share_of_saturation=config["preprocessing.max_sky_share_of_saturation"],
    )


def _inputs_hash(observation: Observation, chosen: Chosen, parameters: Parameters) -> str:
    place = [observation.given, observation.profile.rules if observation.profile else {}, observation.filter_band]
    facts = [getattr(observation, name) for name in _FACTS]
    masters = sorted(str(entry["inputs_hash"]) for entry in chosen.record)
    return hash_of([VERSION, observation.sha256, place, facts, masters, asdict(parameters)])


def _is_done(observation: Observation, inputs_hash: str) -> bool:
    """Tell whether the run that later stages work with had the same inputs and its file is there."""
    newest = PreprocessRun.objects.newest_for(observation)
    return newest is not None and newest.inputs_hash == inputs_hash and storage.exists(newest.processed_fits_path)


def _mark(observation: Observation, *, only_if: str = "", **values: object) -> None:
    rows = Observation.objects.filter(pk=observation.pk)
    rows = rows.filter(status=only_if) if only_if else rows
    rows.update(status=ObservationStatus.PREPROCESSED, failure_code="", error_message="", **values)


@jobs.writing()
def _open(observation: Observation, inputs_hash: str, config: Snapshot) -> PreprocessRun:
    """Take up the run of the same inputs, or make one, and say that it is at work."""
    known = PreprocessRun.objects.filter(observation=observation, inputs_hash=inputs_hash).first()
    row = known or PreprocessRun(observation=observation, inputs_hash=inputs_hash, config_hash=config.hash)
    row.wcs_aligned, row.wcs_info = False, {}
    row.begin()
    row.save()
    Observation.objects.filter(pk=observation.pk).update(status=ObservationStatus.PREPROCESSING)
    return row


def _record_quality(row: PreprocessRun, result: Preprocessed, chosen: Chosen) -> None:
    """Put down what was measured, also of a frame that fails: its numbers say why."""
    row.masters = [*chosen.record, {"missing": [*result.missing, *chosen.unfit]}]
    row.calibration_applied = bool({"bias", "dark", "flat", "sky_flat", "overscan"} & set(result.applied))
    quality = result.quality
    if quality is None:
        return
    row.background_level, row.background_noise = quality.sky_level, quality.noise
    row.fwhm_px, row.ellipticity = quality.fwhm_px, quality.ellipticity
    row.psf_core_residual = quality.psf_core_residual
    row.masked_share, row.star_count = quality.masked_share, quality.star_count


def _as_stage_failure(result: Preprocessed) -> StageFailure:
    failure = result.failure
    if failure is None:
        return StageFailure(FailureCode.EMPTY_FRAME, "Nothing could be measured on this frame.")
    return StageFailure(FailureCode(failure.code), failure.sentence)


def _seeing_arcsec(row: PreprocessRun, observation: Observation) -> float | None:
    if row.fwhm_px is None or observation.pixel_scale is None:
        return observation.seeing
    return row.fwhm_px * observation.pixel_scale
