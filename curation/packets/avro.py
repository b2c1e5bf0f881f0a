"""Packets as Avro object containers that hold their schema: one block of one record.

All containers of one version of the schema begin with the same bytes and have the same mark after their block, so that
a container of many packets is the first one whole and the blocks of the others behind it.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

from curation.packets.facts import SCHEMA_VERSION, PacketFacts, Record, as_record

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
MEDIA_TYPE = "application/avro"
# History compresses to a fifth; the cutouts are compressed already.
_CODEC = "deflate"


@dataclass(frozen=True)
class Container:
    """A packet's file, and how many bytes stand before its block."""

    content: bytes
    header_bytes: int


def encode(facts: PacketFacts) -> Container:
    """Return a packet as a container."""
    # Loaded when it is needed: pages are shown without it.
    import fastavro

    buffer = io.BytesIO()
    schema = schema_of(facts.schema_version)
    mark = _mark(facts.schema_version)
    fastavro.writer(
        buffer, fastavro.parse_schema(schema), [as_record(facts)], codec=_CODEC, sync_marker=mark, strict=True
    )
    content = buffer.getvalue()
    return Container(content, content.index(mark) + len(mark))


def records_in(file: BinaryIO, version: str | None = None) -> Iterator[Record]:
    """Yield the packets of a container; version: as a schema other than that of the file has them."""
    import fastavro

    schema = fastavro.parse_schema(schema_of(version)) if version else None
    for record in fastavro.reader(file, reader_schema=schema):
        yield cast(Record, record)


def decode(content: bytes) -> Record:
    """Return the one packet of a container, as the program's own version of the schema has it."""
    [record] = records_in(io.BytesIO(content), SCHEMA_VERSION)
    return record


@lru_cache
def schema_of(version: str) -> dict[str, object]:
    """Return a version of the schema, as 1.0."""
    path = SCHEMAS / f"astrid.alert.v{version.replace('.', '_')}.avsc"
    return cast(dict[str, object], json.loads(path.read_text(encoding="utf-8")))


def _mark(version: str) -> bytes:
    return hashlib.sha256(json.dumps(schema_of(version)).encode()).digest()[:16]
