"""Every configuration key of the system: type, bounds, default, and the sentence that explains it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from catalog.configuration.key import ConfigKey, ConfigRefused, ConfigValue

__all__ = ["DECLARED", "ConfigKey", "ConfigRefused", "ConfigValue", "check_value"]

_INGEST = (
    ConfigKey(
        "ingest.max_unpacked_mb",
        1024,
        "A file is refused as soon as more than this many megabytes of it would be unpacked; a 61-megapixel "
        "frame has 244.",
        1,
        65536,
    ),
    ConfigKey("ingest.max_axis_px", 32768, "Images with an axis longer than this are refused.", 64, 1_000_000),
    ConfigKey(
        "ingest.max_file_mb", 4096, "Largest file in megabytes that may be uploaded or downloaded.", 1, 1_000_000
    ),
    ConfigKey(
        "ingest.settle_seconds",
        5,
        "A file in the watched folder is ingested once it has not changed for this long; before that it may "
        "be incomplete.",
        1,
        3600,
    ),
    ConfigKey(
        "ingest.field_overlap_share",
        0.5,
        "Frames belong to the same field if their centres are closer than this fraction of the frame's width.",
        0.05,
        1.0,
    ),
)

_PREPROCESSING = (
    ConfigKey("preprocessing.bias_validity_days", 30, "A master bias older than this is not used.", 0, 3650),
    ConfigKey("preprocessing.dark_validity_days", 30, "A master dark older than this is not used.", 0, 3650),
    ConfigKey("preprocessing.flat_validity_days", 14, "A master flat older than this is not used.", 0, 3650),
    ConfigKey(
        "preprocessing.sky_flat_validity_days",
        1,
        "A flat made from the night's own sky may be used for this many days: dust and scattered light change.",
        0,
        365,
    ),
    ConfigKey(
        "preprocessing.dark_temperature_tolerance_c",
        2.0,
        "A dark is used for lights taken within this many degrees of it: dark current doubles in about 6.",
        0.0,
        30.0,
    ),
    ConfigKey(
        "preprocessing.sky_flat_min_frames",
        3,
        "Fewest dithered lights for a sky flat: with two, stars remain in the median.",
        3,
        1000,
    ),
    ConfigKey(
        "preprocessing.master_max_frames",
        64,
        "Most frames combined into one master: more do not reduce the noise that matters, and cost memory.",
        1,
        1000,
    ),
    ConfigKey("preprocessing.clip_cosmic_rays", True, "Whether cosmic rays are found and masked."),
    ConfigKey(
        "preprocessing.cosmic_ray_sigma",
        6.0,
        "A pixel this far above the sharpest possible star at its place is taken for a cosmic ray.",
        3.0,
        50.0,
    ),
    ConfigKey(
        "preprocessing.vignette_falloff",
        0.4,
        "Pixels that receive less light than the centre by this fraction count as unilluminated.",
        0.05,
        0.95,
    ),
    ConfigKey("preprocessing.background_mesh_px", 64, "Width of the background mesh's cells.", 8, 1024),
    ConfigKey("preprocessing.star_threshold_sigma", 5.0, "Stars are detected above this threshold.", 2.0, 100.0),
    ConfigKey("preprocessing.min_stars", 10, "Frames with fewer stars fail as too_few_stars.", 3, 10000),
    ConfigKey(
        "preprocessing.max_masked_share", 0.15, "A frame fails if a larger fraction of its pixels is bad.", 0.0, 1.0
    ),
    ConfigKey(
        "preprocessing.max_sky_share_of_saturation",
        0.6,
        "A frame fails if its sky takes up a larger fraction of the range up to saturation.",
        0.01,
        1.0,
    ),
    ConfigKey(
        "preprocessing.max_sky_ratio",
        3.0,
        "A frame that is too shallow fails for its sky if that is this many times the median of its field and night.",
        1.1,
        1000.0,
    ),
    ConfigKey(
        "preprocessing.max_depth_loss_mag",
        2.5,
        "A frame fails if its predicted depth is this much worse than the best of its field and band; haze "
        "that passes 0.45 of the light costs about 1 and must not fail.",
        0.1,
        10.0,
    ),
    ConfigKey(
        "preprocessing.min_transparency",
        0.05,
        "A frame that receives less than this fraction of the light of the field's clearest frame is clouded out.",
        0.0,
        1.0,
    ),
    ConfigKey("preprocessing.max_ellipticity", 0.5, "Stars more elongated are trailed, unless all are.", 0.05, 1.0),
    ConfigKey(
        "preprocessing.max_anchor_rms_px",
        1.0,
        "Registration to the field's anchor fails if the matched stars scatter by more than this.",
        0.05,
        10.0,
    ),
)

_DIFFERENCING = (
    ConfigKey(
        "differencing.threshold_sigma",
        5.0,
        "Peaks of the score image at or above this become candidates; at 5, about one per megapixel is noise.",
        3.0,
        100.0,
    ),
    ConfigKey(
        "differencing.max_candidates",
        2000,
        "A run with more candidates fails: no good subtraction has that many.",
        1,
        100_000,
    ),
    ConfigKey(
        "differencing.algorithm",
        "auto",
        "How frames are subtracted: zogy needs the PSFs of both, matched fits a kernel to all static sources; auto "
        "takes matched where a PSF cannot be measured or where it is predicted to go deeper.",
        choices=("auto", "zogy", "matched"),
    ),
    ConfigKey(
        "differencing.tile_px",
        128,
        "Width of the tiles within which the PSF is taken as constant; where nothing varies they are twice as wide.",
        128,
        4096,
    ),
    ConfigKey("differencing.tile_overlap_px", 32, "Overlap of neighbouring tiles.", 8, 64),
    ConfigKey(
        "differencing.model_error",
        0.005,
        "Fraction of the fainter image's signal that counts as model error near bright stars; 0.02 loses "
        "transients on their hosts.",
        0.0,
        0.1,
    ),
    ConfigKey(
        "differencing.noise_rescale_tolerance",
        0.1,
        "A subtraction is doubtful if the noise of its score image was off by more than this fraction.",
        0.01,
        1.0,
    ),
    ConfigKey("differencing.min_matched_stars", 6, "Registration fails with fewer matched stars.", 3, 1000),
    ConfigKey("differencing.max_registration_rms_px", 1.0, "Registration fails above this scatter.", 0.05, 10.0),
    ConfigKey(
        "differencing.min_overlap_share",
        0.1,
        "A run fails if the reference covers a smaller fraction of the science frame.",
        0.01,
        1.0,
    ),
    ConfigKey(
        "differencing.reference_min_gap_minutes",
        15.0,
        "Within a single night, a reference frame should be at least this far away in time; among those that "
        "are, seeing decides.",
        0.0,
        1440.0,
    ),
    ConfigKey(
        "differencing.reference_exclude_days",
        30,
        "A reference contains no frame from the science night nor, where the field has older ones, from this many days "
        "before or after it: a transient would be in the reference too.",
        0,
        3650,
    ),
    ConfigKey(
        "differencing.reference_min_stack",
        3,
        "Fewest frames in a stack: with fewer, outliers cannot be recognised.",
        3,
        1000,
    ),
    ConfigKey("differencing.reference_max_stack", 25, "Most frames in a stack; the best are chosen.", 3, 1000),
    ConfigKey(
        "differencing.reference_min_weight",
        0.1,
        "A frame does not enter a stack if it has a smaller fraction of the best one's weight (the square of a faint "
        "star's S/N): it would add less than its share of artefacts.",
        0.0,
        1.0,
    ),
    ConfigKey(
        "differencing.stack_rejection_sigma",
        4.0,
        "Pixels that deviate from the other frames of the stack by more than this are rejected.",
        2.0,
        20.0,
    ),
    ConfigKey(
        "differencing.tracklet_min_members", 3, "Fewest candidates in a tracklet: any two lie on a line.", 3, 100
    ),
    ConfigKey(
        "differencing.tracklet_max_rms_arcsec",
        3.0,
        "Largest distance of a candidate from its tracklet's line, however uncertain its position is.",
        0.05,
        30.0,
    ),
    ConfigKey(
        "differencing.tracklet_min_rate_arcsec_per_min",
        0.01,
        "Slowest motion searched for; a trans-Neptunian object moves at about 0.05.",
        0.0,
        1000.0,
    ),
    ConfigKey(
        "differencing.tracklet_max_rate_arcsec_per_min",
        30.0,
        "Fastest motion searched for; a main-belt asteroid moves at about 0.5, what passes near the Earth at 1 to 30.",
        0.05,
        1000.0,
    ),
    ConfigKey(
        "differencing.tracklet_min_motion_arcsec",
        3.0,
        "What moves by less than this in a night is taken for a star.",
        0.01,
        60.0,
    ),
    ConfigKey(
        "differencing.mover_max_days",
        14,
        "Moving objects of different nights, so many days apart at most, are joined where one orbit explains them; "
        "0 joins none.",
        0,
        60,
    ),
    ConfigKey(
        "differencing.shift_and_stack",
        False,
        "Whether the frames of a night, six at least, are shifted along many motions and added, to find what moves "
        "and no single frame shows; it takes minutes for each field and night.",
    ),
    ConfigKey(
        "differencing.shift_and_stack_max_rate_arcsec_per_min",
        1.0,
        "Fastest motion along which frames are shifted and added; the time that it takes grows with its square.",
        0.01,
        60.0,
    ),
    ConfigKey(
        "differencing.tracklet_max_chance_rate",
        0.05,
        "A tracklet is doubtful, and does not count as a moving object, if chance alone makes more than this many of "
        "its quality in such a night.",
        0.0001,
        10.0,
    ),
)

_DETECTION = (
    ConfigKey(
        "detection.confidence_threshold",
        0.5,
        "A candidate with a score at or above this becomes a detection; lower ones remain candidates.",
        0.0,
        1.0,
    ),
    ConfigKey(
        "detection.bright_snr", 20.0, "With this S/N what nothing speaks against is a detection at any score.", 7.5, 1e6
    ),
    ConfigKey(
        "detection.association_floor_arcsec",
        1.0,
        "Detections closer than this are one source, even if the formal errors are smaller.",
        0.05,
        60.0,
    ),
    ConfigKey(
        "detection.association_sigma",
        3.0,
        "Detections within this many combined position errors are one source.",
        1.0,
        10.0,
    ),
    ConfigKey(
        "detection.forced_differences_at_once",
        200,
        "Sources found in a night are measured in so many differences of other nights before anything else goes on, "
        "the latest first; in the others after that, as many at a time.",
        1,
        100_000,
    ),
)

# What a candidate is rejected for, unless the site wants it flagged only: see docs/frames.md.
_VETOES = tuple(
    ConfigKey(f"detection.veto_{code}", True, f"Whether {what} is rejected; if not, it is only flagged.")
    for code, what in (
        ("flash_train", "a peak in a row at equal steps within its frame, as of a satellite's flashes,"),
        ("cosmic_ray", "a peak of the science frame that is sharper than a star"),
        ("hot_pixel", "a peak of the reference that is sharper than a star"),
        ("fixed_pixel", "what stays on its pixel of the detector while the sky moves"),
        ("displaced_star", "what a small displacement of a static star explains better than a new source"),
        ("soft_pixels", "a peak whose core was filled in to a large part"),
        ("crowded", "a peak among far more others than elsewhere in the frame"),
        ("wider_than_star", "a peak that is wider than a star, and is no member of a tracklet,"),
        ("psf_difference", "a peak that has no star's shape in the difference"),
        ("psf_science", "a peak that has no star's shape in the science frame"),
        ("psf_reference", "a source that faded, but had no star's shape in the reference,"),
    )
)

_CURATION = (
    ConfigKey(
        "curation.lease_minutes",
        15,
        "A detection that somebody is reviewing is not offered to anybody else until this long after they "
        "were last active.",
        1,
        1440,
    ),
    ConfigKey(
        "curation.blind", False, "Whether people see other people's reviews of a detection only after giving their own."
    ),
)

_ALERTS = (
    ConfigKey("alerts.automatic", True, "Whether a high score alone raises an alert, without any review."),
    ConfigKey(
        "alerts.automatic_threshold",
        0.99,
        "A detection with a score at or above this raises an alert automatically, unless somebody has rejected it.",
        0.0,
        1.0,
    ),
    ConfigKey(
        "alerts.automatic_min_snr",
        10.0,
        "A detection with a lower signal-to-noise ratio waits for a person, whatever its score.",
        0.0,
        1000.0,
    ),
    ConfigKey(
        "alerts.min_human_confidence",
        "medium",
        "A verdict raises an alert if at least one of those who agree was this confident.",
        choices=("low", "medium", "high", "expert"),
    ),
    ConfigKey(
        "alerts.update_mag",
        0.3,
        "A new alert is issued for an alerted source when its flux has changed by this many magnitudes.",
        0.01,
        10.0,
    ),
    ConfigKey("alerts.high_snr", 30.0, "A new source with at least this S/N gets high priority.", 5.0, 10000.0),
    ConfigKey("alerts.critical_mag", 12.0, "A source at or above this brightness is critical.", -30.0, 30.0),
)

DECLARED: Mapping[str, ConfigKey] = MappingProxyType(
    {key.name: key for key in (*_INGEST, *_PREPROCESSING, *_DIFFERENCING, *_DETECTION, *_VETOES, *_CURATION, *_ALERTS)}
)


def check_value(name: str, value: object) -> ConfigValue:
    """Return the value in the declared type, or refuse key or value with a reason."""
    key = DECLARED.get(name)
    if key is None:
        raise ConfigRefused(f"There is no configuration key {name!r}.")
    return key.checked(value)
