"""The forms in which a packet is handed out: the Avro file as it was written, and what is made of it each time."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from curation.models import AlertPacket
from curation.packets import avro, voevent
from curation.packets.facts import Record
from curation.packets.gcn import gcn_of
from curation.packets.keeping import content_of

JSON = "application/json"
GZIP = "application/gzip"


class Form(StrEnum):
    """What a packet may be asked for as."""

    AVRO = "avro"
    JSON = "json"
    VOEVENT = "voevent"
    GCN = "gcn"
    FITS = "fits"


class Cutouts(StrEnum):
    """What stands in the place of the cutouts in JSON."""

    EMBEDDED = "embedded"
    LINKS = "links"
    NONE = "none"


# The images by the names that they have here, and in packets.
CUTOUTS: Mapping[str, str] = {
    "science": "cutoutScience",
    "reference": "cutoutTemplate",
    "difference": "cutoutDifference",
}


class NoCutout(Exception):
    """The packet holds no such image: it was no longer stored when the packet was written."""


@dataclass(frozen=True)
class Document:
    """A packet in one form, as it is sent."""

    content: bytes
    media_type: str
    name: str


def document_of(
    packet: AlertPacket, form: Form, cutouts: Cutouts, part: str, address_of: Callable[[str], str]
) -> Document:
    """Return a packet in a form.

    cutouts : of JSON. part : which image, of FITS. address_of : where that image is, for JSON with links.

    Raises PacketLost where the file is gone, NoCutout where it does not hold the image.
    """
    content = content_of(packet)
    if form == Form.AVRO:
        return Document(content, avro.MEDIA_TYPE, f"{_name(packet)}.avro")
    record = avro.decode(content)
    if form == Form.VOEVENT:
        return Document(voevent.voevent_of(record), voevent.MEDIA_TYPE, f"{_name(packet)}.xml")
    if form == Form.GCN:
        return Document(_json(gcn_of(record)), JSON, f"{_name(packet)}.gcn.json")
    if form == Form.FITS:
        return _image(record, part)
    return Document(_json(json_of(record, cutouts, address_of)), JSON, f"{_name(packet)}.json")


def json_of(record: Record, cutouts: Cutouts, address_of: Callable[[str], str]) -> dict[str, object]:
    """Return a packet as JSON holds it: the same names and values, images as base64, as addresses or not at all."""
    told = dict(record)
    for part, name in CUTOUTS.items():
        image = told.pop(name)
        if not isinstance(image, Mapping) or cutouts == Cutouts.NONE:
            told[name] = None
        elif cutouts == Cutouts.LINKS:
            told[name] = {"fileName": image["fileName"], "url": address_of(part)}
        else:
            told[name] = {
                "fileName": image["fileName"],
                "stampData": base64.b64encode(bytes(image["stampData"])).decode(),
            }
    return told


def _image(record: Record, part: str) -> Document:
    image = record[CUTOUTS[part]]
    if not isinstance(image, Mapping):
        raise NoCutout("The cutouts were no longer stored when this packet was written.")
    return Document(bytes(image["stampData"]), GZIP, str(image["fileName"]))


def _name(packet: AlertPacket) -> str:
    return packet.file_path.rpartition("/")[2].partition("_")[0]


def _json(told: object) -> bytes:
    return json.dumps(told, ensure_ascii=False, allow_nan=False).encode()
