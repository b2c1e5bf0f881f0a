"""With what headers are read: what was given beside them, and the profiles of instruments; and what came of it."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import datetime

from django.utils import timezone

from catalog.json_classes import as_json, read_as
from observations.models import InstrumentProfile, Observation
from observations.numerics.fits.facts import FrameFacts, Overrides
from observations.numerics.fits.headers import Reading
from observations.numerics.fits.profile import Profile, profile_of

# Raised where headers are read otherwise, so that stored frames can be told that were read before.
READING_VERSION = 3
log = logging.getLogger(__name__)


def packed(overrides: Overrides) -> dict[str, object]:
    """Return what was given beside a file as JSON; only what was given."""
    given = {name: value for name, value in asdict(overrides).items() if value is not None}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in given.items()}


def unpacked(given: object) -> Overrides:
    """Undo `packed`."""
    return read_as(Overrides, given)


def profiles_in_use() -> list[Profile]:
    """Return the profiles by which headers are read, first what counts first."""
    return [profile for row in InstrumentProfile.objects.in_order() if (profile := as_profile(row)) is not None]


def reading_with(given: Overrides) -> Reading:
    """Return with what a header is read now: what is given beside it, the profiles in use, and the time of today."""
    return Reading(given, profiles=profiles_in_use(), read_at=timezone.now())


def as_profile(row: InstrumentProfile) -> Profile | None:
    """Return a profile as the reading of headers takes it; None where a rule of it is no longer known."""
    try:
        return profile_of(row.name, row.matches, row.rules)
    except ValueError as error:
        log.warning("The profile %s is not used: %s", row.name, error)
        return None


def reading_of(row: Observation) -> Reading:
    """Return with what a stored frame is read as it was before: what was given then, and its profile."""
    profile = as_profile(row.profile) if row.profile is not None else None
    return Reading(unpacked(row.given), profiles=[] if profile is None else [profile])


def facts_as_json(facts: FrameFacts) -> dict[str, object]:
    """Return where each fact comes from, by fact."""
    return {fact: as_json(origin) for fact, origin in facts.origins.items()}
