"""Keys of how people log in."""

from __future__ import annotations

from catalog.configuration.key import ConfigKey
from catalog.roles import ROLES

PEOPLE = tuple(
    ConfigKey(
        f"people.second_factor_{role}",
        False,
        f"Whether {role}s need a second factor to log in; who has none sets it up at the next log-in.",
        is_science=False,
    )
    for role in ROLES
)
