"""What a header says of camera and conditions: values that are possible, in the units of `FrameFacts`."""

from __future__ import annotations

import re
from dataclasses import replace

from observations.numerics.fits import camera
from observations.numerics.fits.bounds import bounded, value_in_bounds
from observations.numerics.fits.cards import Cards
from observations.numerics.fits.facts import FrameFacts, Notes
from observations.numerics.fits.gains import IN_ELECTRONS, find_gain, find_read_noise
from observations.numerics.fits.keywords import BINNING_KEYWORDS, BOUNDS, KEYWORDS
from observations.numerics.fits.temperatures import find_temperature

_SECTION = re.compile(
    r"[\[(]?\s*(\d+)(?:\.0*)?\s*:\s*(\d+)(?:\.0*)?\s*,\s*(\d+)(?:\.0*)?\s*:\s*(\d+)(?:\.0*)?\s*[\])]?$"
)
_OF_AMPLIFIERS = re.compile(r"(?:DATASEC|TRIMSEC|BIASSEC)[A-D1-9]$|[TBD]SEC[1-4]{1,2}$")
# A flag or a share that has the name of a level.
_NO_LEVEL = re.compile(r"\bnumber\b|\bfraction\b|\bpercent|%|\bpixels\b|\bflag\b|\bbits?\b", re.I)
# Full wells are written in thousands.
_THOUSANDS = re.compile(r"\bk(?:adu|dn|e-?|electrons?)(?![a-z])|\bkilo", re.I)
# A section divided by the binning is this image's where it ends in its last quarter.
_ENDS_WITHIN_SHARE = 0.75


def with_detector(facts: FrameFacts, cards: Cards, notes: Notes) -> FrameFacts:
    """Return the facts with what the header says of camera and conditions."""
    gain = find_gain(cards, notes)
    saturation, unit = _saturation(cards, gain, notes)
    biassec, trimsec = _sections(cards, facts, notes)
    return replace(
        facts,
        object_name=cards.first_text(KEYWORDS["object_name"]),
        airmass=bounded(cards, "airmass", "airmass", notes),
        seeing_arcsec=_seeing(cards, facts.pixel_scale_arcsec, notes),
        gain_e_per_adu=gain,
        read_noise_e=find_read_noise(cards, gain, notes),
        saturation=saturation,
        saturation_unit=unit,
        ccd_temperature_c=find_temperature(cards, notes),
        binning=binning(cards),
        camera=cards.first_text(KEYWORDS["camera"]),
        telescope_name=cards.first_text(KEYWORDS["telescope_name"]),
        readout_mode=cards.first_text(KEYWORDS["readout_mode"]),
        camera_serial=camera.serial(cards),
        gain_setting=camera.gain_setting(cards),
        offset_setting=camera.offset_setting(cards),
        window=camera.window(cards),
        calibrated=camera.calibrated(cards, notes, is_light=facts.kind == "light"),
        bayer_pattern=camera.bayer_pattern(cards),
        pixel_unit=camera.pixel_unit(cards),
        bzero=cards.number("BZERO") or 0.0,
        bscale=cards.number("BSCALE") or 1.0,
        pedestal_adu=value_in_bounds(cards, "PEDESTAL", "pedestal_adu", notes),
        biassec=biassec,
        trimsec=trimsec,
    )


def binning(cards: Cards) -> str | None:
    for x_keyword, y_keyword in BINNING_KEYWORDS:
        x, y = cards.number(x_keyword), cards.number(y_keyword)
        if x is not None and 1 <= x <= 64:
            return f"{int(x)}x{int(y if y is not None and 1 <= y <= 64 else x)}"
    for keyword in ("CCDSUM", "BINNING", "BIN"):
        match = re.match(r"[\[(]?(\d{1,2})(?:\s*[x*,\s]\s*(\d{1,2}))?[\])]?$", cards.text(keyword) or "", re.I)
        if match and int(match[1]) > 0:
            return f"{int(match[1])}x{int(match[2] or match[1])}"
    return None


def _seeing(cards: Cards, scale_arcsec: float | None, notes: Notes) -> float | None:
    """FWHM in arcsec; a value in pixels (its comment says so) is multiplied by the scale."""
    low, high = BOUNDS["seeing_arcsec"]
    for keyword in KEYWORDS["seeing"]:
        value = cards.number(keyword)
        if value is None:
            continue
        if "pix" in cards.comment(keyword).lower():
            if scale_arcsec is None:
                continue
            value *= scale_arcsec
        if low <= value <= high:
            return value
        notes.impossible("seeing", keyword, cards.text(keyword))
    return None


def _saturation(cards: Cards, gain: float | None, notes: Notes) -> tuple[float | None, str | None]:
    """Saturation and its unit: raw ADU where the file rescales its integers, else the data's own.

    What its comment puts into electrons is divided by the gain where the pixels are counts.
    """
    names = [name for name in KEYWORDS["saturation"] if not _NO_LEVEL.search(cards.comment(name))]
    names += ["DATAMAX"] if "satur" in cards.comment("DATAMAX").lower() else []
    found = ((name, value_in_bounds(cards, name, "saturation", notes)) for name in names)
    keyword, value = next(((name, value) for name, value in found if value is not None), ("", None))
    if value is None:
        return None, None
    value *= 1000.0 if _THOUSANDS.search(cards.comment(keyword)) else 1.0
    notes.came_from("saturation", keyword, cards.text(keyword), "by its comment" if keyword == "DATAMAX" else "")
    is_in_electrons = bool(IN_ELECTRONS.search(cards.comment(keyword).replace("ke-", "e-")))
    if is_in_electrons and camera.pixel_unit(cards) not in ("electron", "electron/s"):
        notes.came_from("saturation", keyword, cards.text(keyword), "in electrons, divided by the gain")
        return (None, None) if gain is None else (value / gain, "data")
    bscale = cards.number("BSCALE")
    return value, "raw_adu" if bscale is not None and bscale != 1.0 else "data"


def _sections(cards: Cards, facts: FrameFacts, notes: Notes) -> tuple[str | None, str | None]:
    """Overscan and the part that is sky; an overscan that the sky covers is none, those of amplifiers are not used."""
    biassec, trimsec = (_section(cards, fact, facts, notes) for fact in ("biassec", "trimsec"))
    bias, trim = (None if text is None else parse_section(text) for text in (biassec, trimsec))
    if bias is not None and trim is not None and _overlap(bias, trim):
        notes.doubt(
            "sections_overlap", "biassec", "BIASSEC", biassec,
            f"The overscan {biassec} lies in the part {trimsec} that is sky, by the header: it was not used as "
            "overscan.",
        )  # fmt: skip
        biassec = None
    amplifiers = [card.keyword for card in cards.starting_with("") if _OF_AMPLIFIERS.match(card.keyword)]
    if amplifiers and trimsec is None:
        notes.doubt(
            "sections_of_amplifiers", "trimsec", amplifiers[0], cards.text(amplifiers[0]),
            f"{', '.join(amplifiers[:4])} give the sections of several amplifiers in one image, which are not "
            "used: what "
            "is overscan is taken for sky. A profile can give the part that is sky.",
        )  # fmt: skip
    return biassec, trimsec


def _overlap(first: tuple[int, int, int, int], second: tuple[int, int, int, int]) -> bool:
    return first[0] <= second[1] and second[0] <= first[1] and first[2] <= second[3] and second[2] <= first[3]


def _section(cards: Cards, fact: str, facts: FrameFacts, notes: Notes) -> str | None:
    """The first section that lies in this image: the image's own before those of a mosaic's primary header.

    A section of the whole detector is divided by the binning where it fits by that, and not used otherwise.
    """
    own = sorted(KEYWORDS[fact], key=cards.is_inherited)
    misfits = []
    for keyword in own:
        text = cards.text(keyword)
        corners = None if text is None else parse_section(text)
        if text is None or corners is None:
            continue
        if _lies_within(corners, facts):
            notes.came_from(fact, keyword, text)
            return _as_section(corners)
        misfits.append((keyword, text, corners))
    for keyword, text, corners in misfits:
        binned = None if cards.is_inherited(keyword) else _divided(corners, cards, facts)
        if binned is not None:
            notes.came_from(fact, keyword, text, "counted in unbinned pixels, divided by the binning")
            return _as_section(binned)
        if keyword == misfits[0][0]:
            notes.doubt(
                "section_of_another_grid", fact, keyword, text,
                f"{keyword} = {text} does not lie within this image of {facts.width} x {facts.height} px and was not "
                "used.",
            )  # fmt: skip
    return None


def _divided(corners: tuple[int, int, int, int], cards: Cards, facts: FrameFacts) -> tuple[int, int, int, int] | None:
    """A section in unbinned pixels, divided by the binning; None where it is none.

    One by which the image was cut already counts in other pixels, and would lie in the image's first part.
    """
    across, along = (int(number) for number in (binning(cards) or "1x1").split("x"))
    x1, x2, y1, y2 = corners
    binned = ((x1 - 1) // across + 1, x2 // across, (y1 - 1) // along + 1, y2 // along)
    ends = [binned[1] / facts.width] * (x2 > facts.width) + [binned[3] / facts.height] * (y2 > facts.height)
    is_ours = (across, along) != (1, 1) and _lies_within(binned, facts) and max(ends, default=0) >= _ENDS_WITHIN_SHARE
    return binned if is_ours else None


def parse_section(text: str) -> tuple[int, int, int, int] | None:
    """Return x1, x2, y1, y2 in rising order of a section such as [1:1024,5:1020]; None where it is none."""
    found = _SECTION.match(text.strip())
    if found is None:
        return None
    x1, x2, y1, y2 = (int(number) for number in found.groups())
    return min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)


def _lies_within(corners: tuple[int, int, int, int], facts: FrameFacts) -> bool:
    x1, x2, y1, y2 = corners
    return 1 <= x1 < x2 <= facts.width and 1 <= y1 < y2 <= facts.height


def _as_section(corners: tuple[int, int, int, int]) -> str:
    return "[{}:{},{}:{}]".format(*corners)
