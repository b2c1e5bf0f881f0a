"""What is known of an instrument better than its headers say: which frames it holds for, and what it gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from observations.numerics.bands import normalise_band
from observations.numerics.doubts import Doubt
from observations.numerics.fits.cards import Cards
from observations.numerics.fits.detector import parse_section
from observations.numerics.fits.facts import FrameFacts, Notes
from observations.numerics.fits.keywords import BOUNDS

MOMENTS = ("start", "mid", "end")
PIXEL_UNITS = ("adu", "electron", "adu/s", "electron/s", "normalised")
STEPS = ("bias", "dark", "flat")

# Every rule and what it does, as the person who writes a profile reads it.
RULES: Mapping[str, str] = {
    "time_keyword": "Read the time from this keyword, and from no other.",
    "time_moment": f"The moment of the exposure that it means: {', '.join(MOMENTS)}.",
    "time_shift_s": "Seconds to add to the clock; negative for the readout that a time at its end holds.",
    "utc_offset_hours": "Local time minus UTC, for clocks that are not said to be UTC; -3 in Argentina.",
    "exposure_unit_s": "Seconds in the unit of the exposure time: 60 where it is in minutes.",
    "pixel_scale_arcsec": "Arcseconds per unbinned pixel; multiplied by the binning. No effect where there is a WCS.",
    "bands": "Filters by what the header calls them: {\"Lum\": \"L\"}.",
    "gain_e_per_adu": "Electrons per ADU.",
    "read_noise_e": "Electrons.",
    "saturation": "Level from which pixels are saturated, in the pixels' own unit.",
    "pixel_unit": f"What the pixels count: {', '.join(PIXEL_UNITS)}.",
    "trimsec": "Part of the image that is the sky, [x1:x2,y1:y2]; \"\" for all of it.",
    "biassec": "Part of the image that is overscan; \"\" for none.",
    "site_latitude_deg": "North positive.",
    "site_longitude_deg": "East positive.",
    "site_height_m": "Metres above the sea.",
    "bayer_pattern": "Colours of the first 2 x 2 pixels, RGGB; \"\" where the camera has one colour.",
    "calibrated": f"What was taken off before delivery, a list of {', '.join(STEPS)}.",
    "ignored": "Keywords that are not believed, * for any letters: [\"C*1_*\", \"CR*\"].",
    "settles": "Codes of doubts that are known to be of no consequence for this instrument.",
}  # fmt: skip
_NUMBERS: Mapping[str, tuple[float, float]] = {
    "time_shift_s": (-86400.0, 86400.0), "utc_offset_hours": (-14.0, 14.0), "exposure_unit_s": (1e-9, 86400.0),
    "pixel_scale_arcsec": BOUNDS["pixel_scale_arcsec"], "gain_e_per_adu": BOUNDS["gain_e_per_adu"],
    "read_noise_e": BOUNDS["read_noise_e"], "saturation": BOUNDS["saturation"], "site_latitude_deg": (-90.0, 90.0),
    "site_longitude_deg": (-180.0, 180.0), "site_height_m": (-430.0, 6000.0),
}  # fmt: skip


@dataclass(frozen=True)
class Profile:
    """Rules for the frames of one instrument; None leaves a fact to the header. Meanings: see `RULES`.

    matches : keyword -> pattern, * for any letters, of which all must fit.
    """

    name: str
    matches: Mapping[str, str]
    time_keyword: str | None = None
    time_moment: str | None = None
    time_shift_s: float | None = None
    utc_offset_hours: float | None = None
    exposure_unit_s: float | None = None
    pixel_scale_arcsec: float | None = None
    bands: Mapping[str, str] = field(default_factory=dict)
    gain_e_per_adu: float | None = None
    read_noise_e: float | None = None
    saturation: float | None = None
    pixel_unit: str | None = None
    trimsec: str | None = None
    biassec: str | None = None
    site_latitude_deg: float | None = None
    site_longitude_deg: float | None = None
    site_height_m: float | None = None
    bayer_pattern: str | None = None
    calibrated: tuple[str, ...] | None = None
    ignored: tuple[str, ...] = ()
    settles: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """What facts say that come from it."""
        return f"profile {self.name}"

    def fits(self, cards: Cards) -> bool:
        """Tell whether a header is one of this instrument's."""
        return bool(self.matches) and all(
            fnmatchcase((cards.text(keyword) or "").upper(), pattern.upper())
            for keyword, pattern in self.matches.items()
        )

    def is_ignored(self, keyword: str) -> bool:
        """Tell whether a keyword is not believed."""
        return any(fnmatchcase(keyword.upper(), pattern.upper()) for pattern in self.ignored)


def profile_of(name: str, matches: object, rules: object) -> Profile:
    """Return the profile that was written as JSON.

    Raises ValueError with a sentence for every rule that is unknown, of another kind, or impossible.
    """
    if not isinstance(matches, Mapping) or not isinstance(rules, Mapping):
        raise ValueError('The patterns and the rules are objects: {"KEYWORD": "pattern"}.')
    faults = [f"The pattern of {key} is no text." for key, text in matches.items() if not isinstance(text, str)]
    if not matches:
        faults.append('Give at least one pattern, such as {"INSTRUME": "ZWO*"}: without any it holds for no frame.')
    known: dict[str, object] = {}
    for key, value in rules.items():
        fault = f"There is no rule {key}." if key not in RULES else _fault(key, value)
        if fault:
            faults.append(fault)
        else:
            known[key] = tuple(value) if isinstance(value, list) else value
    if ("time_moment" in known or "time_shift_s" in known) and "time_keyword" not in known:
        faults.append("time_moment and time_shift_s need the time_keyword that they are about.")
    if ("site_latitude_deg" in known) != ("site_longitude_deg" in known):
        faults.append("A site needs both latitude and longitude.")
    if faults:
        raise ValueError(" ".join(faults))
    upper = {str(key).upper(): text for key, text in matches.items()}
    return replace(Profile(name, upper), **known)  # type: ignore[arg-type]


def _fault(key: str, value: object) -> str:
    """Why a rule cannot be followed; "" where it can."""
    if key in _NUMBERS:
        low, high = _NUMBERS[key]
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
        return "" if is_number else f"{key} must be a number from {low:g} to {high:g}."
    if key in ("ignored", "settles", "calibrated"):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return f"{key} must be a list of texts."
        unknown = [item for item in value if item not in STEPS] if key == "calibrated" else []
        return f"{key} knows {', '.join(STEPS)}, not {', '.join(unknown)}." if unknown else ""
    if key == "bands":
        texts = [*value, *value.values()] if isinstance(value, Mapping) else [None]
        return "" if all(isinstance(text, str) for text in texts) else "bands must be an object of texts."
    if not isinstance(value, str):
        return f"{key} must be a text."
    allowed = {"time_moment": MOMENTS, "pixel_unit": PIXEL_UNITS}.get(key)
    if allowed is not None and value not in allowed:
        return f"{key} must be one of {', '.join(allowed)}."
    if key in ("trimsec", "biassec") and value and parse_section(value) is None:
        return f"{key} must have the form [x1:x2,y1:y2]."
    if key == "bayer_pattern" and value and sorted(value.upper()) != ["B", "G", "G", "R"]:
        return "bayer_pattern must be the colours of 2 x 2 pixels, such as RGGB."
    return ""


# Doubt -> the rules that answer it; numbers are for a person to fill in.
_ANSWERS: Mapping[str, Mapping[str, object]] = {
    "local_clock": {"utc_offset_hours": 0},
    "sun_is_up": {"utc_offset_hours": 0},
    "zone_beside_time": {"utc_offset_hours": 0},
    "below_horizon": {"settles": ["below_horizon"]},
    "altitude_differs": {"settles": ["altitude_differs"]},
    "days_unconfirmed": {"settles": ["days_unconfirmed"]},
    "time_after_readout": {"time_keyword": "DATE-OBS", "time_moment": "end", "time_shift_s": 0},
    "time_contradicted": {"time_keyword": "DATE-OBS", "time_moment": "start"},
    "exposure_took_longer": {"settles": ["exposure_took_longer"]},
    "span_of_stack_unknown": {"settles": ["span_of_stack_unknown"]},
    "several_integrations": {"settles": ["several_integrations"]},
    "exposure_of_stack": {"settles": ["exposure_of_stack"]},
    "count_unexplained": {"settles": ["count_unexplained"]},
    "barycentric_time": {"settles": ["barycentric_time"]},
    "drift_scan": {"settles": ["drift_scan"]},
    "gain_unit_unsaid": {"gain_e_per_adu": 1.0},
    "gain_is_a_setting": {"gain_e_per_adu": 1.0},
    "section_of_another_grid": {"trimsec": "", "biassec": ""},
    "scale_contradicted": {"pixel_scale_arcsec": 1.0},
    "scale_not_binned": {"pixel_scale_arcsec": 1.0},
    "pointing_off_wcs": {"ignored": ["CTYPE*", "CRVAL*"]},
    "wcs_not_used": {"ignored": ["CTYPE*", "CRVAL*"]},
    "exposure_contradicted": {"ignored": ["EXPOSURE"]},
    "unreadable_exposure": {"exposure_unit_s": 1.0},
    "exposure_is_long": {"exposure_unit_s": 1.0},
    "scale_of_unknown_binning": {"pixel_scale_arcsec": 1.0},
    "sections_overlap": {"trimsec": "", "biassec": ""},
    "sections_of_amplifiers": {"trimsec": ""},
    "date_of_night": {"settles": ["date_of_night"]},
    "midnight": {"settles": ["midnight"]},
    "clock_unit_assumed": {"settles": ["clock_unit_assumed"]},
    "hours_assumed": {"settles": ["hours_assumed"]},
    "degrees_assumed": {"settles": ["degrees_assumed"]},
    "keyword_repeated": {"settles": ["keyword_repeated"]},
}
_IDENTITY = ("INSTRUME", "TELESCOP", "SWCREATE", "CREATOR", "PROGRAM")


def suggested(doubts: Iterable[Doubt], header: Mapping[str, object]) -> dict[str, object]:
    """Return the profile that would answer what is in doubt, as it is written; without rules where none would."""
    matches = {keyword: text for keyword in _IDENTITY if isinstance(text := header.get(keyword), str) and text.strip()}
    rules: dict[str, object] = {}
    for doubt in doubts:
        for key, value in _ANSWERS.get(doubt.code, {}).items():
            known = rules.get(key)
            if isinstance(known, list) and isinstance(value, list):
                rules[key] = [*known, *(one for one in value if one not in known)]
            else:
                rules.setdefault(key, doubt.keyword if key == "time_keyword" and doubt.keyword else value)
    name = next(iter(matches.values()), "Instrument")
    return {"name": name, "matches": dict(matches), "rules": rules}


def corrected(facts: FrameFacts, profile: Profile, cards: Cards, notes: Notes) -> FrameFacts:
    """Return the facts as a profile has them, other than time, exposure and scale, which its reading takes part in."""
    changes: dict[str, object] = {}
    for name in ("gain_e_per_adu", "read_noise_e", "pixel_unit", "calibrated"):
        value = getattr(profile, name)
        if value is not None:
            changes[name] = value
    for name in ("trimsec", "biassec", "bayer_pattern"):
        value = getattr(profile, name)
        if value is not None:
            changes[name] = value or None
    if profile.saturation is not None:
        changes |= {"saturation": profile.saturation, "saturation_unit": "data"}
    if profile.site_latitude_deg is not None:
        changes |= {name: getattr(profile, name) for name in _SITE if getattr(profile, name) is not None}
    band = profile.bands.get(cards.text("FILTER") or "", profile.bands.get(facts.filter_band or ""))
    if band is not None and facts.kind in ("light", "flat"):
        changes["filter_band"] = normalise_band(band)
    for name in changes:
        fact = _FACT_OF.get(name, name)
        notes.came_from(fact, profile.source, getattr(profile, name, ""))
        notes.answered(fact)
    return replace(facts, **changes)  # type: ignore[arg-type]


_SITE = ("site_latitude_deg", "site_longitude_deg", "site_height_m")
_FACT_OF = {
    "gain_e_per_adu": "gain", "filter_band": "band", "site_latitude_deg": "site", "site_longitude_deg": "site",
    "site_height_m": "site",
}  # fmt: skip
