"""Keys of calibration and of what a frame must be worth."""

from __future__ import annotations

from catalog.configuration.key import ConfigKey

PREPROCESSING = (
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
