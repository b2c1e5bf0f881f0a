"""What the comments beside times say: which moment of the exposure is meant, and whose clock it is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from observations.numerics.fits.clocks import ZONES

# A readout that begins is the end of the exposure, whatever word stands first; so these go before the others.
_READING = r"(?:read(?:ing)?[- ]?out|reading|transfer|download)"
# The first of these words tells which moment of the exposure is meant, whatever the keyword usually means. Not among
# them: the mean of "local mean time", which is a kind of time of day.
_MOMENTS = re.compile(
    rf"\b(?:(?P<end_at_readout>(?:start\w*|begin\w*|beg)\W+(?:(?:of|to)\W+)?(?:the\W+)?{_READING}"
    rf"|{_READING}\W+(?:start\w*|begin\w*))"
    r"|(?P<start>start\w*|begin\w*|beg|open(?:ed|ing|s)?|commenc\w*|beginn|d[eé]but|inicio|inizio)"
    r"|(?P<mid>mid(?:dle|st|way|time|points?|exp\w*|obs\w*|frame|integration)?|avg|average"
    r"|mean(?! (?:solar|sidereal|ut[c1]?\b|gmt\b|time\b(?! (?:of|during)\b)))|cent(?:er|re)|central (?=time of)"
    r"|half(?:way)?|effective (?=time|date)|flux-weighted|milieu|mitte\w*|mitad|met[aà])"
    r"|(?P<readout>read(?:ing)?[- ]?out|(?:last )?read|received|receipt|grab\w*|download\w*|arriv\w*|transfer\w*"
    r"|callback|ready)"
    r"|(?P<end>end(?:s|ed|ing|e)?|finish\w*|final|stop\w*|clos(?:e|ed|es|ing|ure)|complet\w*|terminat\w*|done|after"
    r"|last(?= (?:sample|row|photon|frame))|conclu\w*|expir\w*|trailing|fin(?= (?:de|del|du)\b)))\b",
    re.IGNORECASE,
)
# These tell it only where no other does: "created at the start of the exposure".
_WRITING = re.compile(r"\b(?:saved|saving|save|written|writing|creat(?:ed|ion))\b", re.IGNORECASE)
# What a comment says about other cards is not about its own.
_ELSEWHERE = re.compile(r"\bsee\b.*|\b[A-Z]{2,}[-_][A-Z]+\b")
_UNIVERSAL = re.compile(r"\b(?:UTC?|GMT|universal)\b(?!\s*[+-]\s*\d)", re.IGNORECASE)
_DENIED_LOCAL = re.compile(r"\bnot (?:in )?local\b|\blocal(?: time)? is\b", re.IGNORECASE)
# Words of local clocks; names of zones only in capitals, since some are words as well (EST, ART).
_LOCAL = re.compile(
    r"\b(?:(?i:local(?! sidereal)|civil|zone|zonenzeit|ortszeit|zeitzone|(?:heure|hora|ora) local[e]?)"
    r"|(?i:UTC?|GMT)\s*[+-]\s*\d{1,2}(?::?\d{2})?|LT"
    r"|(?i:(?:pacific|mountain|eastern|beijing|hawaii|chile)(?: standard| daylight)? time)"
    r"|(?i:(?:standard|daylight(?: saving\w*)?|summer|winter|wall(?:[- ]clock)?|site|observatory) time|wall clock"
    r"|sommerzeit|winterzeit|heure l[eé]gale|hora (?:legal|oficial)|ora legale)"
    rf"|{'|'.join(ZONES)})(?![A-Za-z])"
)
# GPS alone is not among them: a comment that says so names the receiver, which gives UTC.
_SCALE = re.compile(r"\b(TAI|TDB|TDT|TT|TCB|TCG|UTC|UT1?|GMT)\b(?!\s*[+-]\s*\d)")
_GPS = re.compile(
    r"\b(?:GPST|GPS[ -]?(?:system )?time(?:[ -]?scale)?|GPS scale)\b(?![ -]*(?:stamp|tag|server|receiver))", re.I
)
_NOT_HERE = re.compile(r"\b(?:helio\w*|bary\w*|HJD|BJD|HMJD|BMJD)\b", re.IGNORECASE)
_HOURS = re.compile(r"\b(?:hours?|hrs?|h)\b", re.IGNORECASE)
_SECONDS = re.compile(r"\b(?:sec(?:ond)?s?|s)\b|\bmidnight\b", re.IGNORECASE)
_NIGHT = re.compile(r"\b(?:night|evening|civil|local)\b", re.IGNORECASE)
# Days that are counted from a zero of their own: JD-2400000, JD - 2450000.5, 2400000+, JD-2.4e6.
_ZERO = re.compile(r"-\s*(2[45]\d{5}(?:\.5)?)\b|\b(2[45]\d0000(?:\.5)?)\b|\b(2\.4\d?e\+?0?6)\b", re.I)
_THOUSANDS = re.compile(r"\b(2),?(4\d{2}),(\d{3})\b")
# Reduced Julian Dates lack 2400000 by the International Astronomical Union; truncated ones count from 1968.
_REDUCED = re.compile(r"\b(?:RJD|RHJD|reduced (?:julian|jd)\w*)\b", re.I)
_TRUNCATED = re.compile(r"\b(?:TJD|truncated (?:julian|jd)\w*)\b", re.I)


@dataclass(frozen=True)
class Moment:
    """The moment of an exposure that a comment names; by_readout : the word by which it is that of the transfer."""

    name: str
    by_readout: str = ""


def _plain(comment: str) -> str:
    """The comment with its underscores as blanks: MID_EXPOSURE is two words."""
    return comment.replace("_", " ")


def moment_said(comment: str) -> Moment | None:
    """Return the moment of the exposure that a comment names; None where it names none."""
    text = _plain(_ELSEWHERE.sub(" ", comment))
    found, writing = _MOMENTS.search(text), _WRITING.search(text)
    if found is None:
        return None if writing is None else Moment("end", writing[0])
    if found["end_at_readout"]:
        return Moment("end")
    if found["readout"]:
        return Moment("end", found["readout"])
    name = "start" if found["start"] else "mid" if found["mid"] else "end"
    readout = re.search(r"\bread-?out\b", comment, re.IGNORECASE) if name == "end" else None
    return Moment(name, readout[0] if readout else "")


def is_slow(by_readout: str) -> bool:
    """Tell whether what stands between the exposure's end and the clock takes seconds.

    A camera's transfer takes a fraction of one; a CCD's readout and the writing of a file take longer.
    """
    return not re.match(r"received|receipt|grab|download|arriv|transfer|callback|ready", by_readout, re.IGNORECASE)


def local_word(comment: str) -> str | None:
    """Return the word by which a comment says that its clock is local; None where it says none."""
    text = _DENIED_LOCAL.sub(" ", _plain(comment))
    found = _LOCAL.search(text)
    return found[0] if found else None


def is_universal(comment: str) -> bool:
    """Tell whether a comment says Universal Time, and not an offset from it."""
    return bool(_UNIVERSAL.search(_plain(comment)))


def scale_said(comment: str) -> str | None:
    """Return the time scale that a comment names."""
    text = _plain(comment)
    found = _SCALE.search(text)
    return found[0] if found else "GPS" if _GPS.search(text) else None


def is_elsewhere(comment: str) -> bool:
    """Tell whether a time is one at the Sun or the barycentre."""
    return bool(_NOT_HERE.search(_plain(comment)))


def is_of_file(comment: str) -> bool:
    """Tell whether a time is that at which the file was written."""
    return bool(_WRITING.search(comment))


def is_in_hours(comment: str) -> bool:
    return bool(_HOURS.search(comment))


def is_in_seconds(comment: str) -> bool:
    return bool(_SECONDS.search(comment))


def is_date_of_night(comment: str) -> bool:
    """Tell whether a date is that of a night or of a place, and not that of UTC."""
    return bool(_NIGHT.search(_plain(comment))) and not is_universal(comment)


def zero_of_days(comment: str) -> float | None:
    """Return the Julian Date from which a number of days is counted, as its comment says."""
    found = _ZERO.search(_THOUSANDS.sub(r"\1\2\3", comment))
    if found is not None:
        return float(found[1] or found[2] or found[3])
    if _REDUCED.search(comment):
        return 2400000.0
    return 2440000.5 if _TRUNCATED.search(comment) else None
