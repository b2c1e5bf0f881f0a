"""What columns of tables mean to programs: unit and UCD of every field that clients read, by its name.

Fields of one name mean the same in every list. Units are those of VOUnits 1.0, UCDs those of UCD1+ 1.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from catalog.web.rest.column_words import DESCRIPTIONS

# The names of fields, by their UCD.
_UCDS: Mapping[str, str] = {
    "arith.factor": "noise_rescale novelty trail_ratio",
    "arith.factor;instr.det": "gain gain_e_per_adu",
    "arith.factor;obs.airMass": "airmass best_airmass",
    "arith.zp;phot.mag": "zero_point_mag",
    "instr.background;stat.median": "level",
    "instr.det.noise": "noise read_noise_e",
    "instr.det.psf;stat.fwhm": "fwhm fwhm_px",
    "instr.obsty.seeing;stat.fwhm": "seeing",
    "instr.saturation": "saturation_level",
    "instr.scale": "pixel_scale",
    "instr.setup;instr.det": "gain_setting offset_setting readout_mode",
    "instr.setup;instr.pixel": "binning window",
    "instr.skyLevel": "background_level",
    "meta.checksum": "answers_sha256 config_hash inputs_hash parameters_hash sha256 weights_sha256",
    "meta.code": (
        "action asked_by choices code default destination fact is_automatic is_golden is_imported is_negative "
        "is_secret last_code origin priority purpose route scopes service shown urgency value"
    ),
    "meta.code.class": "alert_type entity_type job_type kind model_type",
    "meta.code.error": "failure_code reason",
    "meta.code.qual": (
        "confidence_level delivered_wcs_quality detection_quality image_quality is_blended is_dipole is_doubtful "
        "is_edge is_geocentric is_reference_ghost is_saturated is_valid uncertainty_parameter"
    ),
    "meta.code.qual;pos": "wcs_quality",
    "meta.code.status": (
        "blocks_publication is_active is_complete is_more is_on is_published is_shadow is_validated outcome "
        "settles state status "
        "wcs_aligned"
    ),
    "meta.code;instr.calib": "calibration_applied",
    "meta.code;instr.det": "bayer_pattern detector",
    "meta.code;phot.calib": "zero_point_system",
    "meta.coverage;instr.fov": "footprint",
    "meta.id": (
        "credential designation host internal_name ip_address ivorn map_name name number ordered_by owner person "
        "prefix sent_to settled_by submitted_by survey_name user user_id username validator"
    ),
    "meta.id.assoc": (
        "alert anchor archive calibration data_set detection entity_id field group groups incoming masters "
        "mlflow_run_id model profile "
        "publication reference reference_observation run subscription supersedes survey task_id workflow_id"
    ),
    "meta.id.parent": "candidate difference_run model_run mover observation source tracklet",
    "meta.id.part": "best_member light_members members",
    "meta.id;instr.det": "camera camera_serial",
    "meta.id;instr.filter": "delivered_band filter_band zero_point_band",
    "meta.id;instr": "tns_instrument_id",
    "meta.id;instr.obsty": "mpc_code station",
    "meta.id;instr.tel": "telescope",
    "meta.id;meta.dataset": "training_dataset",
    "meta.id;meta.file": (
        "confidence_map_path cutouts_path difference_image_path file_name file_path fits_file_path "
        "input_image_path model_path original_name output_mask_path path processed_fits_path "
        "reference_aligned_path significance_map_path thumbnail_path"
    ),
    "meta.id;meta.fits": "keyword",
    "meta.id;meta.main": "id key",
    "meta.id;meta.software": "algorithm architecture user_agent",
    "meta.id;meta.table": "zero_point_catalogue",
    "meta.id;obs": "observation_id",
    "meta.id;phot.color": "zero_point_colour",
    "meta.id;src": "object_name",
    "meta.id;time.scale": "time_zone",
    "meta.note": (
        "alert_metadata body change_summary criteria description doubts error_details error_message facts "
        "first_refusal given head hyperparameters last_reason manifest matches message names neo_score_lack "
        "new_values no_colour_term notes old_values overrides parameters payload prediction_metadata question "
        "refusals report rules said sent_rows settled_note stopped_reason tags training_metrics vetoes why words"
    ),
    "meta.note;instr.calib": "calibrated",
    "meta.note;meta.fits": "header",
    "meta.number": (
        "attempt attempts automatic_false automatic_nights automatic_objects bogus_count candidates_found "
        "delivery_attempts detection_count drawn_count entries_read example_count failures frame_count "
        "found_count high_confidence_predictions known_count matched_stars max_retries most_attempts "
        "most_per_night new_count night_count nights orbit_count place "
        "position precedence question_count real_count refused_count retry_count sends stands_for star_count "
        "total_predictions tries "
        "unsized_count vague_count zero_point_stars"
    ),
    "meta.number;instr.pixel": "image_height image_width",
    "meta.number;meta.file": "estimated_bytes received_bytes size_bytes",
    "meta.number;meta.fits": "hdu_index",
    "meta.number;meta.software": "memory_usage_mb",
    "meta.number;stat.max": "maximum",
    "meta.number;stat.min": "minimum",
    "meta.record": "sequence",
    "meta.code.mime": "access_format",
    "meta.ref.url": "access_url address api_endpoint base_url entity_url fits_url jobs results",
    "meta.title": "title",
    "meta.unit": "pixel_unit saturation_unit",
    "meta.version": "reference_version rules_revision schema_version version",
    "meta.version;meta.software": "code_version model_version read_by_version",
    "phot.calib;phot.color": "colour_term",
    "phot.color": "zero_point_colour_mag",
    "phot.flux": "flux total_flux trail_flux",
    "phot.flux.density": "flux_njy",
    "phot.flux;stat.max": "limiting_flux",
    "phot.mag": "deeper_by_mag mag",
    "phot.mag;em.opt.V": "predicted_mag",
    "phot.mag;stat.max": "depth_mag limiting_mag limiting_magnitude",
    "phys.temperature;instr.det": "ccd_temperature_c",
    "phys.transmission;obs.atmos": "transparency",
    "pos.angDistance": "moon_distance_deg radius_deg trail_length_arcsec",
    "pos.az.alt": "altitude_deg best_altitude_deg",
    "pos.cartesian.x;instr.pixel": "pixel_x",
    "pos.cartesian.y;instr.pixel": "pixel_y",
    "pos.distance": "distance_au sun_distance_au",
    "pos.earth.altitude": "height_m",
    "pos.earth.lat": "latitude_deg",
    "pos.earth.lon": "longitude_deg",
    "pos.eq": "positions",
    "pos.eq.dec;meta.main": "dec",
    "pos.eq.ha": "hour_angle_h",
    "pos.eq.ra;meta.main": "ra",
    "pos.pm": "rate_arcsec_per_min",
    "pos.pm;pos.eq.dec": "rate_dec_arcsec_per_min",
    "pos.pm;pos.eq.ra": "rate_ra_arcsec_per_min",
    "pos.posAng": "position_angle position_angle_deg trail_angle",
    "pos.posAng;pos.errorEllipse": "error_angle_deg",
    "pos.wcs": "wcs_info",
    "phys.size.diameter;instr.tel": "aperture_m",
    "instr.tel": "design",
    "src.class": "detection_type human_label is_comet label predicted_type",
    "src.ellipticity": "ellipticity",
    "stat.confidenceLevel": "validation_confidence",
    "stat.error;arith.zp": "zero_point_error",
    "stat.error;phot.calib": "colour_term_error",
    "stat.error;phot.flux": "flux_error total_flux_error trail_flux_error",
    "stat.error;phot.flux.density": "flux_error_njy",
    "stat.error;pos.angDistance": "trail_length_error_arcsec",
    "stat.error;pos.cartesian": "position_error_px",
    "stat.error;pos.eq": "position_error_arcsec",
    "stat.error;pos.errorEllipse": "across_error_arcsec along_error_arcsec error_major_arcsec error_minor_arcsec",
    "stat.error;pos.posAng": "trail_angle_error",
    "stat.error;stat.probability": "calibration_error calibration_error_raw",
    "stat.falsePositive": "chance_rate",
    "stat.filling": "masked_share",
    "stat.fit.chi2": "trail_chi2_gain",
    "stat.fit.goodness": "registration_quality",
    "stat.fit.residual": "registration_rms_px rms_arcsec",
    "stat.fit.residual;instr.det.psf": "psf_core_residual",
    "stat.likelihood": "confidence_score neo_score score",
    "stat.likelihood;stat.min": "automatic_score threshold",
    "stat.param": "curve map_points",
    "stat.percentile": "anomaly",
    "stat.probability": (
        "accuracy asked_rate f1_score inclusion_probability p_supernova p_transient p_variable precision recall "
        "withheld_rate"
    ),
    "stat.probability;stat.max": "automatic_false_high withheld_rate_high",
    "stat.probability;stat.min": "withheld_rate_low",
    "stat.snr": "significance snr stack_score",
    "stat.snr;stat.min": "automatic_snr detection_threshold",
    "stat.stdev;arith.zp": "zero_point_scatter",
    "stat.stdev;instr.skyLevel": "background_noise",
    "stat.stdev;phot.flux": "noise_level",
    "stat.weight": "weight",
    "time.creation": "created_at made_at",
    "time.duration": "every_minutes kept_days overlap_hours seconds_taken",
    "time.duration;obs.exposure": "exposure_time longest_exposure_s",
    "time.duration;time.processing": "inference_time_ms processing_time_seconds",
    "time.end": (
        "ended_at expires_at last_night last_sent_at last_try_at removed_at resting_until revoked_at settled_at until"
    ),
    "time.end;obs": "last_detected_at last_seen seen_until window_to",
    "time.end;obs.exposure": "last_mjd_utc sets_at",
    "time.end;time.processing": "completed_at",
    "time.epoch": "best_at bjd_tdb epoch_mjd excluded_night last_login last_used_at night orbits_at updated_at",
    "time.epoch;obs.exposure": "mjd_utc",
    "time.epoch;time.processing": "heartbeat_at",
    "time.processing": "searched_at",
    "time.release": "delivered_at published_at released_at sent_at",
    "time.start": "deployment_date first_night",
    "time.start;obs": "begins_at first_detected_at goes_on_at rises_at window_from",
    "time.start;obs.exposure": "first_mjd_utc observation_time",
    "time.start;time.processing": (
        "first_try_at free_at next_at next_try_at nightly_at ordered_at scheduled_at started_at"
    ),
}
# Those that have a unit, by it; others are pure numbers, words, or in a unit that another field names.
_UNITS: Mapping[str, str] = {
    "'degC'": "ccd_temperature_c",
    "'electron'": "read_noise_e",
    "'electron'/adu": "gain gain_e_per_adu",
    "AU": "distance_au sun_distance_au",
    "Mbyte": "memory_usage_mb",
    "adu": "flux flux_error limiting_flux noise_level total_flux total_flux_error trail_flux trail_flux_error",
    "arcsec": (
        "across_error_arcsec along_error_arcsec error_major_arcsec error_minor_arcsec position_error_arcsec "
        "rms_arcsec seeing trail_length_arcsec trail_length_error_arcsec"
    ),
    "arcsec/min": "rate_arcsec_per_min rate_dec_arcsec_per_min rate_ra_arcsec_per_min",
    "arcsec/pix": "pixel_scale",
    "byte": "estimated_bytes received_bytes size_bytes",
    "d": "bjd_tdb epoch_mjd first_mjd_utc kept_days last_mjd_utc mjd_utc",
    "deg": (
        "altitude_deg best_altitude_deg dec error_angle_deg latitude_deg longitude_deg moon_distance_deg "
        "position_angle position_angle_deg ra radius_deg trail_angle trail_angle_error"
    ),
    "h": "hour_angle_h overlap_hours",
    "m": "aperture_m height_m",
    "mag": (
        "deeper_by_mag depth_mag limiting_mag limiting_magnitude mag predicted_mag zero_point_colour_mag "
        "zero_point_error zero_point_mag zero_point_scatter"
    ),
    "min": "every_minutes",
    "ms": "inference_time_ms",
    "nJy": "flux_error_njy flux_njy",
    "pix": "fwhm fwhm_px image_height image_width pixel_x pixel_y position_error_px registration_rms_px",
    "s": "exposure_time longest_exposure_s processing_time_seconds seconds_taken",
}
# What positions and times are counted in; of times that are written as dates, their type tells it.
_SYSTEMS: Mapping[str, str] = {
    "icrs": "ra dec positions",
    "mjd_utc": "mjd_utc first_mjd_utc last_mjd_utc",
    "mjd_tt": "epoch_mjd",
    "bjd_tdb": "bjd_tdb",
}


@dataclass(frozen=True)
class Column:
    """What is said of a field beside its values.

    unit : "" where it has none. system : of COOSYS or TIMESYS in a VOTable, by its ID.
    """

    ucd: str
    unit: str = ""
    description: str = ""
    system: str = ""


def _each(names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each of the names with what they stand under."""
    for said, together in names.items():
        for name in together.split():
            yield name, said


def _columns() -> dict[str, Column]:
    units, systems = dict(_each(_UNITS)), dict(_each(_SYSTEMS))
    return {
        name: Column(ucd, units.get(name, ""), DESCRIPTIONS.get(name, ""), systems.get(name, ""))
        for name, ucd in _each(_UCDS)
    }


COLUMNS: Mapping[str, Column] = MappingProxyType(_columns())
