"""Profiles of instruments: tried on a frame before they are kept, kept with their history, applied to stored frames."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from catalog.files import storage
from catalog.people import audit
from catalog.work import jobs
from observations.claims.doubts import EXAMINE
from observations.claims.reading import as_profile, unpacked
from observations.models import InstrumentProfile, Observation
from observations.numerics.fits.facts import FitsRefused, Origin
from observations.numerics.fits.headers import Reading
from observations.numerics.fits.images import Examined, examine_images
from observations.numerics.fits.profile import RULES, Profile, profile_of

__all__ = [
    "RULES", "Change", "FitsRefused", "Profile", "Trial", "check", "facts_for_people", "forget_profile", "frames_of",
    "save_profile", "tried_on_file", "tried_on_row",
]  # fmt: skip
_HISTORY = ("name", "description", "is_active", "precedence", "matches", "rules", "rules_revision")


@dataclass(frozen=True)
class Change:
    """One fact or doubt of a frame, read without a profile and with it."""

    fact: str
    before: str
    after: str


@dataclass(frozen=True)
class Trial:
    """What a profile makes of one frame. fits : it is meant for it at all."""

    fits: bool
    changes: tuple[Change, ...]


def check(name: str, matches: object, rules: object) -> Profile:
    """Return a profile that can be used; raises ValueError with sentences."""
    return profile_of(name, matches, rules)


def tried_on_row(profile: Profile, row: Observation) -> Trial:
    """Return what a profile makes of a stored frame. Raises FitsRefused, FileNotFoundError."""
    reading = Reading(unpacked(row.given), read_at=timezone.now())
    return _trial(profile, storage.open_stored(row.fits_file_path), reading, row.hdu_index)


def tried_on_file(profile: Profile, path: Path) -> Trial:
    """Return what a profile makes of the first image of a file. Raises FitsRefused, FileNotFoundError."""
    return _trial(profile, path, Reading(read_at=timezone.now()), None)


def _trial(profile: Profile, path: Path, reading: Reading, hdu_index: int | None) -> Trial:
    before, after = (_one(path, replace(reading, profiles=each), hdu_index) for each in ([], [profile]))
    shown = [_shown(one) for one in (before, after)]
    changes = [
        Change(fact, shown[0].get(fact, ""), shown[1].get(fact, ""))
        for fact in sorted(shown[0].keys() | shown[1].keys())
        if shown[0].get(fact, "") != shown[1].get(fact, "")
    ]
    return Trial(after.facts is not None and after.facts.profile == profile.name, tuple(changes))


def _one(path: Path, reading: Reading, hdu_index: int | None) -> Examined:
    found = examine_images(path, reading=reading)
    for one in found:
        if hdu_index in (None, one.hdu_index):
            return one
    raise FitsRefused("no_image", f"The file holds no image in HDU {hdu_index}.")


def _shown(one: Examined) -> dict[str, str]:
    if one.facts is None:
        return {"refused": one.refusal}
    shown = {fact: f"{value}" for fact, value, _ in facts_for_people(one)}
    return shown | {f"doubt {doubt.code} ({doubt.keyword})": doubt.message for doubt in one.facts.doubts}


# Fact -> the fields of `FrameFacts` that are it.
_SHOWN: Mapping[str, tuple[str, ...]] = {
    "kind": ("kind",), "time": ("observation_time", "mjd_utc"), "exposure": ("exposure_s",),
    "position": ("ra_deg", "dec_deg"), "wcs": ("wcs_quality",), "scale": ("pixel_scale_arcsec",),
    "band": ("filter_band",), "gain": ("gain_e_per_adu",), "read_noise_e": ("read_noise_e",),
    "saturation": ("saturation", "saturation_unit"), "pixel_unit": ("pixel_unit",), "binning": ("binning",),
    "trimsec": ("trimsec",), "biassec": ("biassec",), "bayer_pattern": ("bayer_pattern",),
    "calibrated": ("calibrated",), "camera": ("camera", "camera_serial"),
    "setting": ("gain_setting", "offset_setting", "readout_mode", "window"), "ccd_temperature": ("ccd_temperature_c",),
    "telescope": ("telescope_name",), "site": ("site_latitude_deg", "site_longitude_deg", "site_height_m"),
    "object": ("object_name",),
}  # fmt: skip
_NEEDED = ("time", "exposure", "position", "scale", "band")


def facts_for_people(one: Examined) -> list[tuple[str, str, Origin]]:
    """Return each fact that an image's header gives, as text, and where it comes from; what is missing is said."""
    facts, lines = one.facts, []
    if facts is None:
        return []
    for fact, names in _SHOWN.items():
        values = {name: getattr(facts, name) for name in names}
        known = [_text(name, value) for name, value in values.items() if value not in (None, "", ())]
        if known or fact in _NEEDED:
            text = "  ".join(known) if known else "not given"
            lines.append((fact, text, facts.origins.get(fact, Origin(""))))
    return lines


# How a number is written for people.
_WORDED: Mapping[str, str] = {
    "mjd_utc": "middle MJD {}", "exposure_s": "{} s", "ra_deg": "RA {}°", "dec_deg": "Dec {}°",
    "pixel_scale_arcsec": "{} arcsec/px", "gain_e_per_adu": "{} e-/ADU", "read_noise_e": "{} e-",
    "ccd_temperature_c": "{} °C", "site_latitude_deg": "latitude {}°", "site_longitude_deg": "east longitude {}°",
    "site_height_m": "{} m", "gain_setting": "gain {}", "offset_setting": "offset {}", "window": "window {}",
}  # fmt: skip


def _text(name: str, value: object) -> str:
    if isinstance(value, datetime):
        return f"start {value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}".rstrip("0").rstrip(".") + " UTC"
    plain = f"{value:.12g}" if isinstance(value, float) else value
    text = ", ".join(map(str, plain)) if isinstance(plain, tuple) else str(plain)
    return _WORDED.get(name, "{}").format(text)


def frames_of(profile: Profile) -> QuerySet[Observation]:
    """Return the stored frames that a profile is meant for."""
    rows = Observation.objects.live()
    for keyword, pattern in profile.matches.items():
        rows = rows.filter(**{f"header__{keyword}__iregex": _as_regex(pattern)})
    return rows


def _as_regex(pattern: str) -> str:
    """Return a pattern with * and ? for PostgreSQL."""
    parts = {"*": ".*", "?": "."}
    return "^ *" + "".join(parts.get(letter) or re.escape(letter) for letter in pattern) + " *$"


@transaction.atomic
def save_profile(row: InstrumentProfile, actor: audit.Actor) -> int:
    """Keep a profile, and have all frames read again that it holds or held for; return how many.

    Raises ValueError where its rules cannot be followed.
    """
    check(row.name, row.matches, row.rules)
    before = InstrumentProfile.objects.select_for_update().filter(pk=row.pk).first()
    old = {} if before is None else {name: getattr(before, name) for name in _HISTORY}
    if before is not None and (before.matches, before.rules) != (row.matches, row.rules):
        row.rules_revision = before.rules_revision + 1
    row.save()
    new = {name: getattr(row, name) for name in _HISTORY}
    audit.record(row, "add" if before is None else "change", actor=actor, old=old, new=new, summary=str(row))
    affected = {pk for one in (before, row) for pk in _affected(one)}
    for pk in affected:
        jobs.enqueue(EXAMINE, "observation", pk)
    return len(affected)


@transaction.atomic
def forget_profile(row: InstrumentProfile, actor: audit.Actor) -> None:
    """Delete a profile; its frames are read again without it."""
    affected = list(row.observation_set.values_list("pk", flat=True))
    audit.record(row, "delete", actor=actor, old={name: getattr(row, name) for name in _HISTORY}, summary=str(row))
    row.delete()
    for pk in affected:
        jobs.enqueue(EXAMINE, "observation", pk)


def _affected(row: InstrumentProfile | None) -> list[UUID]:
    """The frames that a profile was used for, or would be."""
    if row is None:
        return []
    used = list(row.observation_set.values_list("pk", flat=True))
    profile = as_profile(row) if row.is_active else None
    return used + ([] if profile is None else list(frames_of(profile).values_list("pk", flat=True)))
