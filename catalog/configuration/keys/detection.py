"""Keys of what becomes a detection, and of what speaks against one."""

from __future__ import annotations

from catalog.configuration.key import ConfigKey

DETECTION = (
    ConfigKey(
        "detection.confidence_threshold",
        0.5,
        "A candidate with a score at or above this becomes a detection; lower ones remain candidates. It holds where "
        "the threshold is not chosen by a rate, and until a rate is known.",
        0.0,
        1.0,
    ),
    ConfigKey(
        "detection.threshold_by",
        "score",
        "By what the threshold is chosen: a fixed score, or a rate that is kept by what people answer.",
        choices=("score", "false_positive_rate", "missed_rate"),
    ),
    ConfigKey(
        "detection.asked_rate",
        0.01,
        "The rate to keep: of the false candidates the share that is shown (false_positive_rate), or of the real ones "
        "the share that is not (missed_rate).",
        0.0005,
        0.5,
    ),
    ConfigKey(
        "detection.calibration_days",
        90,
        "Answers about so many days before the latest night that a model has scored calibrate it.",
        1,
        3650,
    ),
    ConfigKey(
        "detection.bright_snr", 20.0, "With this S/N what nothing speaks against is a detection at any score.", 7.5, 1e6
    ),
    ConfigKey(
        "detection.hidden_share",
        0.0,
        "So large a share of the candidates that the model or a veto has rejected is drawn at random and reviewed, "
        "without a mark, among the detections, so that what the model misses is measured. Whoever reviews is then "
        "shown no scores before their answer.",
        0.0,
        1.0,
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
        is_science=False,
    ),
    ConfigKey(
        "detection.segmentation",
        False,
        "Whether a network draws trails and other artefacts in each difference, as a mask beside it.",
    ),
    ConfigKey(
        "detection.veto_trail",
        False,
        "Whether a peak in what the segmentation calls a trail is rejected; if not, it is only flagged.",
    ),
)

# What a candidate is rejected for, unless the site wants it flagged only: see docs/frames.md.
VETOES = tuple(
    ConfigKey(f"detection.veto_{code}", True, f"Whether {what} is rejected; if not, it is only flagged.")
    for code, what in (
        ("flash_train", "a peak in a row at equal steps within its frame, as of a satellite's flashes,"),
        ("cosmic_ray", "a peak of the science frame that is sharper than a star"),
        ("hot_pixel", "a peak of the reference that is sharper than a star"),
        ("fixed_pixel", "what stays on its pixel of the detector while the sky moves"),
        ("reflection", "what moves against the sky as light does that a star throws back through the optics"),
        ("seen_once", "what one frame alone shows, where others of the night would have shown it, and that moves not,"),
        ("displaced_star", "what a small displacement of a static star explains better than a new source"),
        ("soft_pixels", "a peak whose core was filled in to a large part"),
        ("crowded", "a peak among far more others than elsewhere in the frame"),
        ("wider_than_star", "a peak that is wider than a star, and is no member of a tracklet,"),
        ("psf_difference", "a peak that has no star's shape in the difference"),
        ("psf_science", "a peak that has no star's shape in the science frame"),
        ("psf_reference", "a source that faded, but had no star's shape in the reference,"),
    )
)
