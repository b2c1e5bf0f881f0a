"""Names of filters: which spellings mean the same band."""

from __future__ import annotations

import re

_CLEAR = ("clear", "open", "none", "empty", "no filter", "nofilter", "unfiltered", "no", "air", "hole", "clr", "c")
_ALIASES = {
    **dict.fromkeys(_CLEAR, "Clear"),
    # A luminance filter cuts the infrared: it is not the open position.
    **dict.fromkeys(("l", "lum", "luminance", "luminosity"), "L"),
    **dict.fromkeys(("red",), "Red"),
    **dict.fromkeys(("green",), "Green"),
    **dict.fromkeys(("blue",), "Blue"),
    **dict.fromkeys(("ha", "h-alpha", "halpha", "h_alpha", "h alpha"), "Ha"),
    **dict.fromkeys(("oiii", "o3", "o-iii", "o iii", "[oiii]"), "OIII"),
    **dict.fromkeys(("sii", "s2", "s-ii", "s ii", "[sii]"), "SII"),
}
# A wheel position that says nothing of what was in the beam.
_UNKNOWN = frozenset(("", "?", "-", "--", "n/a", "na", "nan", "null", "unknown", "undefined", "not present", "invalid"))
# Positions of a second wheel that let everything pass.
_PASSING = frozenset((*_CLEAR, "dummy", "free", "blank glass"))
_SYSTEMS = {
    "johnson": "UBVRI", "bessell": "UBVRI", "bessel": "UBVRI", "bess": "UBVRI", "cousins": "RI", "kron": "RI",
    "decam": "ugrizY", "hsc": "grizy", "lsst": "ugrizy",
    "sdss": "ugrizy", "sloan": "ugrizy", "ztf": "gri", "ps1": "grizy", "panstarrs": "grizy", "ps": "grizy",
}  # fmt: skip


def normalise_band(name: str) -> str | None:
    """Return the one spelling of a filter's name, or None where the name says nothing.

    The case of a single letter is kept: R (Cousins) and r (Sloan) are different filters. A name that no table knows
    stays as it is, so that it matches only itself.
    """
    text = _plain(name)
    folded = text.casefold()
    if folded in _UNKNOWN:
        return None
    if re.fullmatch(r"clear\d[ls]?", folded):
        return "Clear"
    if folded in _ALIASES:
        return _ALIASES[folded]
    if text.endswith("'") and text[:-1] in set("ugrizy"):
        return text[:-1]
    if len(folded) == 2 and folded[0] in "ugrizy" and text[1] == "p":
        return text[0].lower()
    numbered = re.fullmatch(r"([A-Za-z])[._](?:MP\d{4}|0*\d{1,2})", text)
    if numbered:
        return numbered[1]
    if text in ("Rc", "R_c", "Ic", "I_c", "RC", "IC"):
        return text[0]
    return _within_system(folded) or text


def _plain(name: str) -> str:
    """The name without quotes, the number of its slot, the word band, and the width of a narrow one in nanometres."""
    text = re.sub(
        r"^(?:#\d+|\d+:)\s*|[\"]|[- ]band$|(?<=[a-z\s])\s*\d+(?:\.\d+)? ?nm\b.*$",
        "",
        " ".join(name.split()),
        flags=re.I,
    )
    text = re.sub(r"^([A-Za-z])[ _]?prime$", r"\1'", text)
    return re.sub(r"^([A-Za-z]) \((\w+)\)$", r"\1 \2", text).strip()


def _within_system(folded: str) -> str | None:
    """The letter of `sdss_r`, `Johnson V`, `r-sloan` … in the case that its system uses."""
    words = folded.replace("'", " ").replace("_", " ").replace("-", " ").replace(".", " ").split()
    if len(words) == 1:
        words = next(([system, words[0][len(system) :]] for system in _SYSTEMS if words[0].startswith(system)), words)
    systems = [word for word in words if word in _SYSTEMS]
    # A filter's number, its wavelength and its width say nothing more of the band.
    letters = [word for word in words if word not in _SYSTEMS and not any(letter.isdigit() for letter in word)]
    if not systems or len(letters) != 1:
        return None
    return next((letter for letter in _SYSTEMS[systems[0]] if letter.casefold() == letters[0]), None)


def combine_bands(names: list[str]) -> str | None:
    """Return the band of several wheels in one beam; wheels that let everything pass do not count.

    None where no wheel says anything.
    """
    known = [band for band in (normalise_band(name) for name in names) if band is not None]
    filters = [band for band in known if band.casefold() not in _PASSING]
    return "+".join(filters) if filters else ("Clear" if known else None)
