"""Keys of references, subtraction and what moves."""

from __future__ import annotations

from catalog.configuration.key import ConfigKey

DIFFERENCING = (
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
