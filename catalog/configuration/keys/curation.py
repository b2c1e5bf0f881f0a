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
        "curation.fetched_ahead",
        50,
        "How many objects triage fetches ahead, images and all, so that reviewing goes on while the server cannot be "
        "reached. Each is held as if it was being reviewed; where less is left, everybody gets an equal share of it.",
        4,
        200,
    ),
    ConfigKey(
        "curation.blind", False, "Whether people see other people's reviews of a detection only after giving their own."
    ),
)
