"""Astrometry as the Minor Planet Center takes it: ADES of version 2022, as XML and as columns with bars between.

The format: ADES, Astrometry Data Exchange Standard (IAU Commission X2), `adesmaster.xml` of 2022.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree

VERSION = "2022"
MEDIA_TYPE = "application/xml"


@dataclass(frozen=True, kw_only=True)
class AdesHead:
    """Who observed with what: once for all positions. station : the observatory's code. aperture_m : metres."""

    station: str
    submitter: str
    observers: tuple[str, ...]
    measurers: tuple[str, ...]
    telescope: str | None
    design: str
    aperture_m: float
    detector: str


@dataclass(frozen=True, kw_only=True)
class AdesPosition:
    """One measured position, ICRS degrees, at the middle of its exposure, UTC, without light-time correction.

    rms_ra_arcsec, rms_dec_arcsec : 1 sigma, that of right ascension along the circle. Of the magnitude all are given,
    or none.
    """

    perm_id: str | None
    prov_id: str | None
    trk_sub: str
    mode: str
    station: str
    obs_time: datetime
    ra: float
    dec: float
    rms_ra_arcsec: float
    rms_dec_arcsec: float
    ast_cat: str
    mag: float | None
    rms_mag: float | None
    band: str | None
    phot_cat: str | None
    snr: float | None
    seeing_arcsec: float | None
    exposure_s: float | None


def _decimals(digits: int) -> Callable[[float], str]:
    return lambda value: f"{value:.{digits}f}"


def _time(value: datetime) -> str:
    moment = value.astimezone(UTC)
    # Rounded to hundredths, as the time of a shutter is known at best.
    hundredths = round(moment.timestamp() * 100.0)
    return f"{datetime.fromtimestamp(hundredths // 100, UTC):%Y-%m-%dT%H:%M:%S}.{hundredths % 100:02d}Z"


def _right_ascension(value: float) -> str:
    return f"{round(value, 7) % 360.0:.7f}"


def _fields(row: AdesPosition) -> dict[str, str]:
    """Return what is known of a position, under ADES' names and in its order."""
    has_light = row.mag is not None and row.band is not None
    told: list[tuple[str, str | None]] = [
        ("permID", row.perm_id),
        ("provID", row.prov_id),
        ("trkSub", row.trk_sub),
        ("mode", row.mode),
        ("stn", row.station),
        ("obsTime", _time(row.obs_time)),
        ("ra", _right_ascension(row.ra)),
        ("dec", f"{row.dec:+.7f}"),
        ("rmsRA", _small(row.rms_ra_arcsec)),
        ("rmsDec", _small(row.rms_dec_arcsec)),
        ("astCat", row.ast_cat),
        ("mag", _told(row.mag, _decimals(2)) if has_light else None),
        ("rmsMag", _told(row.rms_mag, lambda value: f"{max(value, 0.001):.3f}") if has_light else None),
        ("band", row.band if has_light else None),
        ("photCat", row.phot_cat if has_light else None),
        ("logSNR", _told(row.snr, lambda value: f"{math.log10(value):.2f}") if row.snr and row.snr > 0.0 else None),
        ("seeing", _told(row.seeing_arcsec, _decimals(2))),
        ("exp", _told(row.exposure_s, lambda value: f"{value:.6g}"[:5].rstrip("."))),
    ]
    return {name: text for name, text in told if text is not None}


def _small(arcsec: float) -> str:
    """Write an error that is never 0: the format allows none that is."""
    return f"{max(arcsec, 0.001):.3f}"


def _told(value: float | None, written: Callable[[float], str]) -> str | None:
    return None if value is None else written(value)


def _sections(head: AdesHead) -> list[tuple[str, list[tuple[str, str]]]]:
    name = [("name", head.telescope)] if head.telescope else []
    return [
        ("observatory", [("mpcCode", head.station)]),
        ("submitter", [("name", head.submitter)]),
        ("observers", [("name", each) for each in head.observers]),
        ("measurers", [("name", each) for each in head.measurers]),
        (
            "telescope",
            [*name, ("design", head.design), ("aperture", f"{head.aperture_m:g}"), ("detector", head.detector)],
        ),
    ]


def xml_of(head: AdesHead, positions: Sequence[AdesPosition]) -> bytes:
    """Write positions as one ADES document. Raises ValueError where there are none."""
    if not positions:
        raise ValueError("a report without positions")
    root = ElementTree.Element("ades", version=VERSION)
    block = ElementTree.SubElement(root, "obsBlock")
    context = ElementTree.SubElement(block, "obsContext")
    for section, entries in _sections(head):
        element = ElementTree.SubElement(context, section)
        for name, text in entries:
            ElementTree.SubElement(element, name).text = text
    data = ElementTree.SubElement(block, "obsData")
    for row in positions:
        optical = ElementTree.SubElement(data, "optical")
        for name, text in _fields(row).items():
            ElementTree.SubElement(optical, name).text = text
    ElementTree.indent(root)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="utf-8") + b"\n"


def psv_of(head: AdesHead, positions: Sequence[AdesPosition]) -> bytes:
    """Write the same as lines of columns with bars between. Raises ValueError where there are none."""
    if not positions:
        raise ValueError("a report without positions")
    lines = [f"# version={VERSION}"]
    for section, entries in _sections(head):
        lines.append(f"# {section}")
        lines += [f"! {name} {text}" for name, text in entries]
    rows = [_fields(row) for row in positions]
    order = list(_fields(_FULL))
    names = [name for name in order if any(name in row for row in rows)]
    widths = {name: max(len(name), *(len(row.get(name, "")) for row in rows)) for name in names}
    lines.append("|".join(name.ljust(widths[name]) for name in names))
    lines += ["|".join(row.get(name, "").ljust(widths[name]) for name in names) for row in rows]
    return ("\n".join(lines) + "\n").encode()


# All that may be told, for the order of the columns.
_FULL = AdesPosition(
    perm_id="1", prov_id="1", trk_sub="1", mode="CCD", station="500", obs_time=datetime(2000, 1, 1, tzinfo=UTC), ra=0.0,
    dec=0.0, rms_ra_arcsec=1.0, rms_dec_arcsec=1.0, ast_cat="1", mag=0.0, rms_mag=0.0, band="V", phot_cat="1", snr=1.0,
    seeing_arcsec=1.0, exposure_s=1.0,
)  # fmt: skip


# --- Names of theirs for what is ours ---
_CATALOGUES = (
    (r"gaia[ -]?e?dr3e?|gaia3", "Gaia3"),
    (r"gaia[ -]?dr2|gaia2", "Gaia2"),
    (r"gaia[ -]?dr1|gaia1", "Gaia1"),
    (r"atlas[ -]?refcat[ -]?2?|refcat2|atlas2", "ATLAS2"),
    (r"ucac[ -]?4", "UCAC4"),
    (r"ucac[ -]?5", "UCAC5"),
    (r"2mass", "2MASS"),
    (r"ps1[ _-]?dr2|pan-?starrs.*dr2", "PS1_DR2"),
    (r"ps1[ _-]?dr1|pan-?starrs.*dr1", "PS1_DR1"),
)
_GAIA = {"G": "G", "BP": "Gb", "RP": "Gr"}
_JOHNSON = {"U": "Uj", "B": "Bj", "V": "Vj", "R": "Rc", "I": "Ic"}


def catalogue_code(name: str) -> str | None:
    """Return the format's name of a star catalogue; None for one that it is not known to have."""
    folded = name.strip().casefold()
    return next((code for pattern, code in _CATALOGUES if re.match(pattern, folded)), None)


def band_code(catalogue: str, band: str) -> str | None:
    """Return the format's name of the band in which a catalogue's stars gave the zero point; None where unknown."""
    code = catalogue_code(catalogue) or ""
    if code.startswith("Gaia"):
        return _GAIA.get(band) or _JOHNSON.get(band)
    if band in ("u", "g", "r", "i", "z", "y"):
        of_ps1 = code.startswith(("PS1", "ATLAS"))
        return f"P{band}" if of_ps1 and band != "u" else f"S{band}" if band != "y" else None
    return _JOHNSON.get(band)


def identifiers(designation: str) -> tuple[str | None, str | None]:
    """Return permanent number and provisional designation of a known body; None for what its name does not tell."""
    text = designation.strip()
    if found := re.fullmatch(r"\(?(\d+)\)?(?: .*)?", text):
        provisional = re.fullmatch(r"\d{4} [A-HJ-Y][A-HJ-Z]\d*", text)
        return (None, text) if provisional else (found[1], None)
    if found := re.match(r"(\d+[PDI])(?:/|$)", text):
        return found[1], None
    if found := re.match(r"([ADCPX]/\d{4} [A-Z]{1,2}\d*(?:-[A-Z])?)(?: |\(|$)", text):
        return None, found[1]
    return None, None
