"""The table of header keywords and what one image's header comes to: `FrameFacts`, checked, or a refusal."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from astropy.io import fits

from observations.numerics.bands import combine_bands, normalise_band
from observations.numerics.fits.cards import Cards
from observations.numerics.fits.detector import with_detector
from observations.numerics.fits.durations import find_exposure
from observations.numerics.fits.facts import FitsRefused, FrameFacts, Notes, Overrides
from observations.numerics.fits.keywords import KEYWORDS, PRODUCT_KEYWORD
from observations.numerics.fits.pointing import doubt_clock, find_site
from observations.numerics.fits.position import Position, SkyClaims, find_position, find_scale
from observations.numerics.fits.times import find_times
from observations.numerics.site import LongitudeEvidence, mjd_of

_KINDS = (
    ("bias", re.compile(r"bias|zero", re.I)),
    ("dark", re.compile(r"dark", re.I)),
    ("flat", re.compile(r"flat|dome|twilight", re.I)),
    ("light", re.compile(r"light|object|expose|exposure|science|^sci$|^sky|target|standard|^std|survey", re.I)),
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


def read_facts(
    header: fits.Header,
    shape: tuple[int, int],
    overrides: Overrides,
    primary: fits.Header | None = None,
    tables: fits.HDUList | None = None,
) -> tuple[FrameFacts, Cards]:
    """Return what a header says about its image, checked, with the cards themselves.

    Raises FitsRefused where an image cannot be used: unsupported_header (neither light nor calibration frame),
    no_time, no_exposure, no_band, no_pointing, no_wcs (no pixel scale); the sentence names all that must be given.
    """
    cards, notes = Cards(header, primary), Notes()
    if cards.get(PRODUCT_KEYWORD) is not None:
        raise FitsRefused("unsupported_header", "This is a processed product, not a frame as delivered.")
    kind = _kind(cards, notes)
    exposure = _exposure(cards, kind, overrides, notes)
    times = find_times(cards, exposure, notes, overrides.utc_offset_hours)
    start, mid = _given_time(times.start, times.mid_mjd_utc, exposure, overrides)
    if start is not None and times.start is None:
        notes.came_from("time", "given")
    evidence = LongitudeEvidence(mid, None, (), times.utc_offset_hours, kind == "light")
    site = find_site(cards, evidence, notes)
    if kind == "light":
        doubt_clock(cards, site, mid, notes)
    position = Position(None, None, find_scale(cards, notes))
    if kind == "light":
        position = find_position(SkyClaims(header, cards, shape, mid, overrides, tables), notes)
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
    )
    facts = with_detector(facts, cards, notes)
    facts = replace(facts, origins=notes.origins, doubts=tuple(notes.doubts))
    _require(facts)
    return facts, cards


def _require(facts: FrameFacts) -> None:
    """Refuse a frame whose header lacks what its kind needs; the first lack gives the code, all are named."""
    lacks: list[tuple[str, str, str]] = []
    is_light = facts.kind == "light"
    if facts.observation_time is None:
        lacks.append(("no_time", "no time of observation", "--time"))
    if (is_light or facts.kind == "dark") and facts.exposure_s is None:
        lacks.append(("no_exposure", "no exposure time", "--exposure"))
    if (is_light or facts.kind == "flat") and facts.filter_band is None:
        lacks.append(("no_band", "no filter", "--band"))
    if is_light and facts.ra_deg is None:
        lacks.append(("no_pointing", "no position", "--ra and --dec"))
    if is_light and facts.pixel_scale_arcsec is None:
        lacks.append(("no_wcs", "no pixel scale", "--pixel-scale"))
    if lacks:
        sentence = f"The header of this {facts.kind} frame gives {_listed([lack[1] for lack in lacks])}: "
        sentence += f"give {_listed([lack[2] for lack in lacks])}."
        about = {fact for lack in lacks for fact in _FACTS_OF_LACKS[lack[0]]}
        why = [doubt.message for doubt in facts.doubts if doubt.fact in about]
        raise FitsRefused(lacks[0][0], " ".join([sentence, *why[:3]]))


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
    if not found and unknown.keys() & {"IMAGETYP", "IMGTYP", "OBSTYPE", "FRAMETYP", "ESO DPR TYPE"}:
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


def _exposure(cards: Cards, kind: str, overrides: Overrides, notes: Notes) -> float | None:
    exposure = find_exposure(cards, notes)
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
    if single is not None and normalise_band(single) is not None:
        pupil = cards.text("PUPIL")
        return combine_bands([single] if pupil is None else [single, pupil])
    for card in cards.starting_with("ESO INS OPTI"):
        if card.keyword.endswith(" TYPE") and str(card.value).strip().upper() == "FILTER":
            wheels.append(cards.text(card.keyword.removesuffix("TYPE") + "NAME") or "")
    return combine_bands(wheels)
