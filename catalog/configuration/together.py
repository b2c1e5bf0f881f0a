"""What values must be together: each alone may be within its bounds, and both make no sense."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.configuration.keys import ConfigValue

# Of each pair the first must not be above the second.
_NOT_ABOVE = (
    ("differencing.tracklet_min_rate_arcsec_per_min", "differencing.tracklet_max_rate_arcsec_per_min"),
    ("differencing.reference_min_stack", "differencing.reference_max_stack"),
    ("known_objects.match_radius_arcsec", "known_objects.search_radius_arcsec"),
    ("preprocessing.sky_flat_min_frames", "preprocessing.master_max_frames"),
)


def contradictions(values: Mapping[str, ConfigValue]) -> dict[str, str]:
    """Return what contradicts what, as a sentence by the first key of each pair."""
    found = {}
    for low, high in _NOT_ABOVE:
        if low in values and high in values and float(values[low]) > float(values[high]):
            found[low] = f"{low} ({values[low]:g}) must not be above {high} ({values[high]:g})."
    return found
