"""A packet as a VOEvent 2.0 (IVOA Recommendation, 2011), in the standard library's XML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from curation.packets.facts import Record, part_of

MEDIA_TYPE = "application/voevent+xml"
# Version 2.1 has a namespace of its own: its schema refuses this, and that of 2.0 refuses 2.1.
NAMESPACE = "http://www.ivoa.net/xml/VOEvent/v2.0"
_SCHEMA = "http://www.ivoa.net/xml/VOEvent/VOEvent-v2.0.xsd"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_ARCSEC_PER_DEG = 3600.0
# Name of a number of the detection, its unit, and its UCD; what is not known is left out.
_OF_DETECTION: tuple[tuple[str, str, str], ...] = (
    ("mag", "mag", "phot.mag"), ("magErr", "mag", "stat.error;phot.mag"), ("magSystem", "", "meta.note"),
    ("flux", "adu", "phot.count"), ("fluxErr", "adu", "stat.error;phot.count"),
    ("psfFlux", "nJy", "phot.flux.density"), ("psfFluxErr", "nJy", "stat.error;phot.flux.density"),
    ("zeroPointMag", "mag", "phot.mag;arith.zp"), ("zeroPointSystem", "", "meta.note"),
    ("zeroPointCatalogue", "", "meta.bib"), ("snr", "", "stat.snr"), ("isPositive", "", "meta.code"),
    ("score", "", "stat.probability"), ("modelName", "", "meta.id;meta.modelled"),
    ("modelVersion", "", "meta.version"), ("band", "", "instr.bandpass"),
    ("exptime", "s", "time.duration;obs.exposure"),
    ("jd", "d", "time.start;obs.exposure"), ("midpointMjdUtc", "d", "time.epoch"),
    ("midpointMjdTai", "d", "time.epoch"), ("limitingMag", "mag", "phot.mag;stat.max"),
    ("x", "pixel", "pos.cartesian.x"), ("y", "pixel", "pos.cartesian.y"),
    ("psfFwhmPx", "pixel", "instr.det.psf"), ("frame", "", "meta.id;meta.file"),
)  # fmt: skip
_OF_MOTION: tuple[tuple[str, str, str], ...] = (
    ("rateArcsecPerMin", "arcsec/min", "pos.pm"), ("positionAngleDeg", "deg", "pos.posAng"),
    ("positionCount", "", "meta.number"),
)  # fmt: skip
_OF_SOURCE: tuple[tuple[str, str, str], ...] = (
    ("ra", "deg", "pos.eq.ra"), ("dec", "deg", "pos.eq.dec"), ("positionErrArcsec", "arcsec", "stat.error;pos.eq"),
    ("wcsQuality", "", "meta.code.qual"), ("epochs", "", "meta.number"), ("nights", "", "meta.number"),
)  # fmt: skip
_OF_ALERT: tuple[tuple[str, str, str], ...] = (
    ("alertId", "", "meta.id;meta.main"), ("alertUuid", "", "meta.id"), ("sequence", "", "meta.number"),
    ("version", "", "meta.version"), ("kind", "", "meta.code"), ("priority", "", "meta.code"),
)  # fmt: skip


def voevent_of(packet: Record) -> bytes:
    """Return a packet as a VOEvent, by the names that it went out with."""
    root = Element(
        "voe:VOEvent",
        {
            "xmlns:voe": NAMESPACE,
            "xmlns:xsi": _INSTANCE,
            "xsi:schemaLocation": f"{NAMESPACE} {_SCHEMA}",
            "version": "2.0",
            "role": str(packet["role"]),
            "ivorn": str(packet["ivorn"]),
        },
    )
    _who(root, packet)
    _what(root, packet)
    _where_when(root, packet)
    seen = part_of(packet, "detection")
    how = SubElement(root, "How")
    names = [str(seen[name]) for name in ("telescope", "camera", "survey") if seen[name]]
    _text(how, "Description", f"{', '.join(names)}: difference of one exposure and a reference.")
    _why(root, packet)
    _citations(root, packet)
    _text(root, "Description", str(packet["message"]))
    if packet["links"]:
        SubElement(root, "Reference", {"uri": str(part_of(packet, "links")["page"])})
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="utf-8") + b"\n"


def _who(root: Element, packet: Record) -> None:
    who = SubElement(root, "Who")
    _text(who, "AuthorIVORN", str(packet["ivorn"]).partition("#")[0])
    _text(who, "Date", _date_time(packet["publishedUtc"]))
    author = SubElement(who, "Author")
    _text(author, "title", str(packet["publisher"]))


def _what(root: Element, packet: Record) -> None:
    what = SubElement(root, "What")
    _params(what, packet, _OF_ALERT)
    groups = (("source", _OF_SOURCE), ("detection", _OF_DETECTION), ("motion", _OF_MOTION))
    for name, named in groups:
        if packet[name]:
            group = SubElement(what, "Group", {"name": name})
            _params(group, part_of(packet, name), named)


def _params(parent: Element, values: Record, named: Sequence[tuple[str, str, str]]) -> None:
    for name, unit, ucd in named:
        value = values[name]
        if value is None:
            continue
        kind = "string" if isinstance(value, str | bool) else "int" if isinstance(value, int) else "float"
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        given = {"name": name, "value": _writable(shown), "ucd": ucd, "dataType": kind} | (
            {"unit": unit} if unit else {}
        )
        SubElement(parent, "Param", given)


def _where_when(root: Element, packet: Record) -> None:
    seen, source = part_of(packet, "detection"), part_of(packet, "source")
    data = SubElement(SubElement(root, "WhereWhen"), "ObsDataLocation")
    SubElement(data, "ObservatoryLocation", {"id": _writable(str(seen["telescope"] or seen["survey"]))})
    location = SubElement(data, "ObservationLocation")
    SubElement(location, "AstroCoordSystem", {"id": "UTC-ICRS-TOPO"})
    place = SubElement(location, "AstroCoords", {"coord_system_id": "UTC-ICRS-TOPO"})
    instant = SubElement(SubElement(place, "Time", {"unit": "s"}), "TimeInstant")
    _text(instant, "ISOTime", _date_time(seen["midpointUtc"]))
    error = source["positionErrArcsec"]
    if not isinstance(error, float):
        return  # A position without its error is none by the schema: it stands among the parameters.
    position = SubElement(place, "Position2D", {"unit": "deg"})
    _text(position, "Name1", "RA")
    _text(position, "Name2", "Dec")
    values = SubElement(position, "Value2")
    _text(values, "C1", str(source["ra"]))
    _text(values, "C2", str(source["dec"]))
    _text(position, "Error2Radius", str(error / _ARCSEC_PER_DEG))


def _why(root: Element, packet: Record) -> None:
    taken_for, source = part_of(packet, "classification"), part_of(packet, "source")
    why = SubElement(root, "Why")
    if source["designation"]:
        _text(why, "Name", str(source["designation"]))
    words = [str(taken_for[name]) for name in ("label", "detectionType") if taken_for[name]]
    if words:
        _text(why, "Concept", ", ".join(words))
    _text(why, "Description", str(packet["title"]))
    for reason in _list(packet, "reasons"):
        _text(why, "Description", str(reason))


def _citations(root: Element, packet: Record) -> None:
    cites = _list(packet, "cites")
    if not cites:
        return
    citations = SubElement(root, "Citations")
    for cite in cites:
        if isinstance(cite, Mapping):
            event = SubElement(citations, "EventIVORN", {"cite": str(cite["cite"])})
            event.text = str(cite["ivorn"])


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = _writable(text)


def _writable(text: str) -> str:
    """Leave out what XML 1.0 cannot hold: control characters, from a header perhaps."""
    return "".join(letter for letter in text if letter in "\t\n" or (letter >= " " and letter not in "\ufffe\uffff"))


def _date_time(value: object) -> str:
    """Return a time as VOEvent has it: UTC, without a zone."""
    return str(value).removesuffix("Z")


def _list(packet: Record, name: str) -> Sequence[object]:
    found = packet[name]
    return found if isinstance(found, list) else ()
