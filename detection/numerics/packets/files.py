"""Files of alerts: Avro containers as the surveys write them, and parquet tables as their brokers do."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cramjam
import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
from fastavro.schema import SchemaParseException, UnknownType

from detection.numerics.packets.lsst import read_lsst
from detection.numerics.packets.packet import DIFFERENCE, REFERENCE, SCIENCE, Packet, PacketRefused, Record
from detection.numerics.packets.ztf import read_ztf

# What a folder is looked through for.
SUFFIXES = frozenset({".avro", ".parquet"})
_AVRO, _PARQUET = b"Obj\x01", b"PAR1"
# Rows of a table that are taken into memory at once: each holds three cutouts and a history.
_ROWS = 64
# What is read of a table: the others are a broker's.
_COLUMNS = frozenset(
    {
        "candid", "objectId", "candidate", "prv_candidates", "schemavsn", "publisher", "diaSource", "prvDiaSources",
        "prvDiaForcedSources", "ssSource", "lsst_schema_version", SCIENCE, REFERENCE, DIFFERENCE,
    }
)  # fmt: skip
# What fastavro and its codecs raise where bytes are not what they were.
_DAMAGED = (
    ValueError, EOFError, OSError, LookupError, TypeError, AttributeError, ArithmeticError, MemoryError,
    RecursionError, AssertionError, StopIteration, struct.error, zlib.error, lzma.LZMAError,
    cramjam.DecompressionError, SchemaParseException, UnknownType,
)  # fmt: skip


@dataclass(frozen=True)
class Refused:
    """A packet, or a whole file, that cannot be imported, by the name of its file and place in it, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Found:
    """A packet and where it was."""

    name: str
    packet: Packet


def files_under(path: Path) -> list[Path]:
    """Return the files of alerts under a folder, in order of their names; a file stands for itself."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())


def packets_in(path: Path) -> Iterator[Found | Refused]:
    """Yield the packets of a file one by one, and in their place those that are refused; the others go on.

    What comes after damage in an Avro file cannot be found, and is refused with it.
    """
    place, number = path.name, 0
    try:
        with path.open("rb") as file:
            records = _records(file, path)
            while True:
                number += 1
                place = path.name if number == 1 else f"{path.name}, packet {number}"
                record = next(records, None)
                if record is None:
                    break
                yield _read(record, path.name, number)
    except PacketRefused as refusal:
        yield Refused(path.name, str(refusal))
    except (*_DAMAGED, pa.ArrowException) as error:
        yield Refused(place, f"it is damaged or cut short ({_first_line(error)})")


def _records(file: BinaryIO, path: Path) -> Iterator[Record]:
    magic = file.read(len(_AVRO))
    file.seek(0)
    if magic == _AVRO:
        # The types of fastavro allow for bare values as records; whatever is none is refused when it is read.
        yield from fastavro.reader(file)  # type: ignore[misc]
    elif magic == _PARQUET:
        with pq.ParquetFile(path) as table:
            columns = [name for name in table.schema_arrow.names if name in _COLUMNS]
            for batch in table.iter_batches(batch_size=_ROWS, columns=columns):
                yield from batch.to_pylist()
    elif not magic:
        raise PacketRefused("the file is empty")
    else:
        raise PacketRefused("it is neither an Avro container nor a parquet table")


def _read(record: object, name: str, number: int) -> Found | Refused:
    key = _key_of(record)
    place = f"{name}, packet {number}{f' ({key})' if key else ''}" if number > 1 or key else name
    try:
        return Found(place, _packet(record))
    except PacketRefused as refusal:
        return Refused(place, str(refusal))


def _packet(record: object) -> Packet:
    """Tell by what a record holds which survey it is from, and read it."""
    if not isinstance(record, dict):
        raise PacketRefused("it is no record")
    if "candidate" in record and "objectId" in record:
        return read_ztf(record)
    if "diaSource" in record:
        return read_lsst(record)
    raise PacketRefused("it is from no survey that is known: neither `candidate` (ZTF) nor `diaSource` (LSST)")


def _key_of(record: object) -> str:
    """Return the survey's number of a packet for whoever looks for it, "" where it gives none."""
    if not isinstance(record, dict):
        return ""
    for part, name in (("candidate", "candid"), ("diaSource", "diaSourceId")):
        found = record.get(part)
        if isinstance(found, dict) and isinstance(found.get(name), int):
            return f"{name} {found[name]}"
    return ""


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
