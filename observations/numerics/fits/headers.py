"""The table of header keywords and what one image's header comes to: `FrameFacts`, checked, or a refusal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from astropy.io import fits

from observations.numerics.bands import combine_bands, normalise_band
from observations.numerics.fits.cards import Cards
from observations.numerics.fits.detector import with_detector
from observations.numerics.fits.durations import find_exposure
from observations.numerics.fits.facts import FitsRefused, FrameFacts, Notes, Overrides
from observations.numerics.fits.keywords import KEYWORDS, PRODUCT_KEYWORD
from observations.numerics.fits.pixel_scale import find_scale
from observations.numerics.fits.position import Position, SkyClaims, find_position
from observations.numerics.fits.profile import Profile, corrected
from observations.numerics.fits.repeated import doubt_repeated
from observations.numerics.fits.sites import Site, doubt_clock, find_site
from observations.numerics.fits.spans import doubt_middle
from observations.numerics.fits.time_claims import Clock
from observations.numerics.fits.times import find_times
from observations.numerics.fits.witnesses import Taken, doubt_by_header, doubt_by_sky, doubt_future
from observations.numerics.fits.zones import doubt_zone
from observations.numerics.site import LongitudeEvidence, mjd_of

_KINDS = (
    # What was taken off a light, by the camera or by a pipeline, makes it nothing else.
    ("light", re.compile(r"^light(?!.*frame.*(?:bias|dark|flat)$)", re.I)),
    ("bias", re.compile(r"bias|zero|^offset", re.I)),
    ("dark", re.compile(r"dark|^noir|^dunkel|^oscuro", re.I)),
    ("flat", re.compile(r"flat|dome|twilight|^plu$", re.I)),
    (
        "light",
        re.compile(
            r"light|^luz$|^licht|^brute|object|expose|exposure|science|^sci$|^sky|target|standard|^std|survey|^ext$|^snapshot",
            re.I,
        ),
    ),
)
# What a header says about these explains why it lacks something.
_FACTS_OF_LACKS = {
    "no_time": ("time",),
    "no_exposure": ("exposure",),
    "no_band": ("band",),
    "no_pointing": ("position",),
    "no_wcs": ("position", "scale", "pixel_scale_arcsec"),
}
_PICTTYPES = {1: "light", 2: "bias", 3: "dark", 4: "flat"}


NOTHING_GIVEN = Overrides()


@dataclass(frozen=True)
class Reading:
    """All that an image's header is read with.

    primary : the file's first header, where the image is another HDU. tables : the file, where distortion tables lie
    in it. profiles : of instruments; the first that fits counts. read_at : aware UTC, after which no frame can have
    been taken; None asks nothing of that.
    """

    overrides: Overrides = NOTHING_GIVEN
    primary: fits.Header | None = None
    tables: fits.HDUList | None = None
    profiles: Sequence[Profile] = ()
    read_at: datetime | None = None


# A header alone.
PLAIN = Reading()


def read_facts(header: fits.Header, shape: tuple[int, int], reading: Reading = PLAIN) -> tuple[FrameFacts, Cards]:
    """Return what a header says about its image, checked, with the cards themselves.

    Raises FitsRefused where an image cannot be used: unsupported_header (neither light nor calibration frame),
    no_time, no_exposure, no_band, no_pointing, no_wcs (no pixel scale); the sentence names all that must be given.
    """
    facts, cards = examine(header, shape, reading)
    lack = lacks(facts)
    if lack is not None:
        raise lack
    return facts, cards


def examine(header: fits.Header, shape: tuple[int, int], reading: Reading) -> tuple[FrameFacts, Cards]:
    """Return what a header says as `read_facts` does, also where that is too little to use the image.

    Raises FitsRefused where it is neither a light nor a calibration frame.
    """
    delivered, notes = Cards(header, reading.primary), Notes()
    profile = next((profile for profile in reading.profiles if profile.fits(delivered)), Profile("", {}))
    cards, overrides = Cards(header, reading.primary, profile.is_ignored), reading.overrides
    if cards.get(PRODUCT_KEYWORD) is not None:
        raise FitsRefused("unsupported_header", "This is a processed product, not a frame as delivered.")
    kind = _kind(cards, notes)
    doubt_repeated(cards, notes)
    exposure = _exposure(cards, kind, overrides, profile, notes)
    clock = _clock_of(profile, overrides)
    times = find_times(cards, exposure, notes, clock)
    start, mid = _given_time(times.start, times.mid_mjd_utc, exposure, overrides)
    if start is not None and times.start is None:
        notes.came_from("time", "given")
    doubt_future(start, reading.read_at, notes)
    evidence = LongitudeEvidence(mid, None, (), times.utc_offset_hours, kind == "light")
    site = find_site(cards, evidence, notes)
    if profile.site_latitude_deg is not None:
        site = Site(profile.site_latitude_deg, profile.site_longitude_deg, profile.site_height_m)
    position = Position(None, None, find_scale(cards, notes))
    if kind == "light":
        doubt_clock(cards, site, mid, notes)
        doubt_middle(cards, times, exposure, notes)
        kept = fits.Header([card for card in header.cards if not profile.is_ignored(card.keyword)])
        claims = SkyClaims(kept, cards, shape, mid, overrides, reading.tables, profile.pixel_scale_arcsec)
        position = find_position(claims, notes)
        if times.start is not None and times.mid_mjd_utc is not None:
            where = (site, position.ra_deg, position.dec_deg)
            _doubt_time(cards, Taken(times.start, times.mid_mjd_utc, exposure or 0.0, *where), clock, notes)
    facts = FrameFacts(
        kind=kind,
        width=shape[1],
        height=shape[0],
        ra_deg=position.ra_deg,
        dec_deg=position.dec_deg,
        observation_time=start,
        mjd_utc=mid,
        exposure_s=exposure,
        filter_band=_band(cards, kind, overrides, notes),
        pixel_scale_arcsec=position.scale_arcsec,
        site_latitude_deg=site.latitude_deg,
        site_longitude_deg=site.longitude_deg,
        site_height_m=site.height_m,
        wcs_quality=position.quality,
        wcs=position.wcs,
        profile=profile.name,
    )
    facts = corrected(with_detector(facts, cards, notes), profile, cards, notes)
    doubts = tuple(doubt for doubt in notes.doubts if doubt.code not in profile.settles)
    return replace(facts, origins=notes.origins, doubts=doubts), delivered


def _doubt_time(cards: Cards, taken: Taken, clock: Clock, notes: Notes) -> None:
    """Doubt the time of a light by what else is known; what a profile says of its clock is believed."""
    doubt_by_sky(cards, taken, notes)
    if clock.keyword is not None:
        return
    if any(doubt.code == "longitude_turned" and doubt.blocks_publication for doubt in notes.doubts):
        # The time itself said where the telescope stands, and cannot be confirmed by that.
        taken = replace(taken, site=Site())
    doubt_by_header(cards, taken, notes)
    if clock.offset_hours is None:
        doubt_zone(cards, mjd_of(taken.start), taken.exposure_s, taken.site, notes)


def _clock_of(profile: Profile, overrides: Overrides) -> Clock:
    offset = overrides.utc_offset_hours
    return Clock(
        profile.utc_offset_hours if offset is None else offset,
        profile.time_keyword,
        profile.time_moment,
        profile.time_shift_s or 0.0,
        profile.source if profile.time_keyword else "",
    )


def lacks(facts: FrameFacts) -> FitsRefused | None:
    """Return why a header is too little for a frame of its kind; its first lack gives the code, all are named."""
    missing: list[tuple[str, str, str]] = []
    is_light = facts.kind == "light"
    if facts.observation_time is None:
        missing.append(("no_time", "no time of observation", "--time"))
    if (is_light or facts.kind == "dark") and facts.exposure_s is None:
        missing.append(("no_exposure", "no exposure time", "--exposure"))
    if (is_light or facts.kind == "flat") and facts.filter_band is None:
        missing.append(("no_band", "no filter", "--band"))
    if is_light and facts.ra_deg is None:
        missing.append(("no_pointing", "no position", "--ra and --dec"))
    if is_light and facts.pixel_scale_arcsec is None:
        missing.append(("no_wcs", "no pixel scale", "--pixel-scale"))
    if not missing:
        return None
    sentence = f"The header of this {facts.kind} frame gives {_listed([lack[1] for lack in missing])}: "
    sentence += f"give {_listed([lack[2] for lack in missing])}."
    about = {fact for lack in missing for fact in _FACTS_OF_LACKS[lack[0]]}
    why = [doubt.message for doubt in facts.doubts if doubt.fact in about]
    return FitsRefused(missing[0][0], " ".join([sentence, *why[:3]]))


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _kind(cards: Cards, notes: Notes) -> str:
    found: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for keyword in KEYWORDS["kind"]:
        text = cards.text(keyword)
        if text is None:
            continue
        kind = next((kind for kind, pattern in _KINDS if pattern.search(text)), None)
        if kind is None:
            unknown[keyword] = text
        else:
            found[keyword] = kind
    picture = cards.number("PICTTYPE")
    if picture in _PICTTYPES:
        found["PICTTYPE"] = _PICTTYPES[int(picture)]
    if not found and unknown.keys() & {"IMAGETYP", "IMGTYP", "OBSTYPE", "FRAMETYP", "DATA-TYP", "ESO DPR TYPE"}:
        keyword, text = next(iter(unknown.items()))
        raise FitsRefused(
            "unsupported_header", f"{keyword} = '{text}' is neither a light nor a bias, dark or flat frame."
        )
    # Without any such keyword a frame is a light: calibration frames that do not say so cannot be told.
    chosen = next(iter(found.values()), "light")
    if len(set(found.values())) > 1:
        others = ", ".join(f"{keyword} says {kind}" for keyword, kind in found.items())
        notes.doubt("kind_contradicted", "kind", next(iter(found)), chosen, f"{others}: {chosen} was used.")
    return chosen


def _exposure(cards: Cards, kind: str, overrides: Overrides, profile: Profile, notes: Notes) -> float | None:
    exposure = find_exposure(cards, notes, profile.exposure_unit_s)
    if profile.exposure_unit_s is not None and "exposure" in notes.origins:
        origin = notes.origins["exposure"]
        notes.came_from("exposure", origin.source, origin.written, f"in the unit of {profile.source}")
    if exposure == 0 and kind != "bias":
        sentence = "The header gives an exposure of 0 s, which only a bias frame has."
        notes.doubt("unset_value", "exposure", "EXPTIME", 0.0, sentence)
        exposure = None
    if exposure is None and overrides.exposure_s is not None:
        notes.came_from("exposure", "given")
        return overrides.exposure_s
    return exposure


def _given_time(
    start: datetime | None, mid: float | None, exposure_s: float | None, overrides: Overrides
) -> tuple[datetime | None, float | None]:
    if start is not None or overrides.observation_time is None:
        return start, mid
    given = overrides.observation_time
    return given, mjd_of(given) + (exposure_s or 0.0) / 2 / 86400.0


def _band(cards: Cards, kind: str, overrides: Overrides, notes: Notes) -> str | None:
    band = _header_band(cards)
    if band is not None:
        notes.came_from("band", "FILTER", band)
    given = None if overrides.band is None else normalise_band(overrides.band)
    if kind in ("bias", "dark") or given is None:
        return band
    if band is None:
        notes.came_from("band", "given")
        return given
    if band != given and kind == "light":
        sentence = f"The header says the filter is {band}; {given}, which was given, was used."
        notes.doubt("given_band_differs", "band", "FILTER", band, sentence)
        return given
    return band


def _header_band(cards: Cards) -> str | None:
    single = cards.first_text(KEYWORDS["filter"])
    wheels = [text for text in map(cards.text, KEYWORDS["filter_wheels"]) if text is not None]
    band = None if single is None else normalise_band(single)
    if single is not None and band == "Clear":
        # It may be one wheel of several.
        return combine_bands([single, *wheels])
    if single is not None and band is not None:
        pupil = cards.text("PUPIL")
        return combine_bands([single] if pupil is None else [single, pupil])
    for card in cards.starting_with("ESO INS OPTI"):
        if card.keyword.endswith(" TYPE") and str(card.value).strip().upper() == "FILTER":
            wheels.append(cards.text(card.keyword.removesuffix("TYPE") + "NAME") or "")
    return combine_bands(wheels)
