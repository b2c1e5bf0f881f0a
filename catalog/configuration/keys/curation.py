"""Keys of review."""

from __future__ import annotations

from catalog.configuration.key import ConfigKey

CURATION = (
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
