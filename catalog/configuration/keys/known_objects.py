"""Keys of what is known in the Solar System."""

from __future__ import annotations

from catalog.configuration.key import ConfigKey

KNOWN_OBJECTS = (
    ConfigKey(
        "known_objects.match_radius_arcsec",
        5.0,
        "A detection this close to the predicted place of a known body, or within three sigma of all errors, is "
        "taken for it.",
        0.1,
        60.0,
    ),
    ConfigKey(
        "known_objects.search_radius_arcsec",
        30.0,
        "Known bodies within this of a detection are listed; one whose orbit leaves it more room than this is not "
        "told from others by its place.",
        1.0,
        600.0,
    ),
    ConfigKey(
        "known_objects.max_orbit_age_days",
        60,
        "By older orbits nothing is called unknown: what was discovered since is not among them.",
        1,
        3650,
    ),
    ConfigKey(
        "known_objects.reload_after_days",
        7,
        "Orbits are loaded again after so long from the addresses that ASTRID_ORBITS names; without one, never.",
        1,
        365,
        is_science=False,
    ),
)
