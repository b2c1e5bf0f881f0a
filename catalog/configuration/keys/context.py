"""Keys of what catalogues hold about a detection."""

from __future__ import annotations

from catalog.configuration.key import ConfigKey

CONTEXT = (
    ConfigKey(
        "context.search_radius_arcsec",
        30.0,
        "Known stars and variables within this of a detection are named; beyond it they are no neighbours.",
        1.0,
        300.0,
        is_science=False,
    ),
    ConfigKey(
        "context.host_radius_arcsec",
        60.0,
        "Galaxies within this of a detection may be its host; one whose shape is known is, within four times the "
        "radius that holds half its light in the detection’s direction.",
        1.0,
        600.0,
        is_science=False,
    ),
    ConfigKey(
        "context.max_age_days",
        180,
        "What a service gave of a field is asked for again after so long.",
        1,
        3650,
        is_science=False,
    ),
)
