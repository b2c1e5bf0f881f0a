"""Packets for tests: of a source with a history, cutouts and a judgement, and made up without a database."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import types
import typing
from typing import Any
from uuid import UUID

import fastavro

from curation.alerts.publishing import publish_pending
from curation.models import AlertPublication
from curation.packets.facts import SCHEMA_VERSION, PacketFacts
from curation.packets.keeping import content_of, packet_of
from detection.models import Detection
from tests.curation import cutouts
from tests.curation.looks import AB, consider, judge, measured, seen
from tests.factories import FIRST_EXPOSURE, PreprocessRunFactory, SourceFactory, TelescopeFactory

# The frames' zero point, against a catalogue of AB magnitudes.
CALIBRATED = {
    **AB,
    "zero_point_catalogue": "Pan-STARRS DR2",
    "zero_point_band": "r",
    "fwhm_px": 3.1,
    "limiting_magnitude": 20.5,
    "completed_at": FIRST_EXPOSURE,
}
_MOMENT = dt.datetime(2024, 3, 1, 21, 30, tzinfo=dt.UTC)
_OF_KIND = {str: "words", int: 7, float: 1.5, bool: True, bytes: b"\x1f\x8b", UUID: UUID(int=7), dt.datetime: _MOMENT}


def alerted(*, telescope: str = "T1", **more: Any) -> Detection:
    """Return the later of two detections of a source that was measured in between, published with what people said."""
    source = SourceFactory(name="AT 2024abc", position_error_arcsec=0.3)
    first = seen(source, days=-3.0)
    measured(source, -2.0, **AB)
    measured(source, -1.0, flux=900.0, **AB)
    row = seen(source, telescope=TelescopeFactory(name=telescope), pixel_scale=1.2, **more)
    for each in (first, row):
        PreprocessRunFactory(observation=each.observation, **CALIBRATED)
    cutouts.store(row, cutouts.cutouts())
    judge(row, True, "high", label="supernova_candidate")
    consider(source)
    publish_pending()
    return row


def published(row: Detection) -> AlertPublication:
    """Return what was published last about a detection's source."""
    return AlertPublication.objects.filter(alert__detection__source=row.source_id).latest("sequence")


def avro_of(publication: AlertPublication) -> bytes:
    """Return the file of a publication's packet."""
    return content_of(packet_of(publication))


def plainly_read(content: bytes) -> dict[str, Any]:
    """Return the one record of a container as fastavro reads it, which knows nothing of us."""
    record: Any
    [record] = fastavro.reader(io.BytesIO(content))
    return record


def all_in(content: bytes) -> list[Any]:
    """Return all records of a container, read in the same way."""
    return list(fastavro.reader(io.BytesIO(content)))


def made_up(kind: Any = PacketFacts, /, *, is_bare: bool = False, **given: Any) -> Any:
    """Return facts of a kind with a value for everything; is_bare: with None and nothing wherever that is allowed."""
    hints = typing.get_type_hints(kind)
    values = {entry.name: _made_up(hints[entry.name], is_bare=is_bare) for entry in dataclasses.fields(kind)}
    if kind is PacketFacts:
        values["schema_version"] = SCHEMA_VERSION
    return kind(**{**values, **given})


def _made_up(hint: Any, *, is_bare: bool) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType:
        return None if is_bare else _made_up(args[0], is_bare=is_bare)
    if origin is tuple:
        return () if is_bare else (_made_up(args[0], is_bare=is_bare),)
    return made_up(hint, is_bare=is_bare) if dataclasses.is_dataclass(hint) else _OF_KIND[hint]
