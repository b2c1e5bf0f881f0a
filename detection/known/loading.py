"""Orbits from a file into the database: read as it streams, in pieces of which each is stored or not at all."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import IO, TypeVar

from django.db import transaction
from django.db.models import Max

from catalog.people import audit
from detection.known import orbit_rows
from detection.models import OrbitSet
from detection.numerics.ephemerides.published import (
    OrbitRefused,
    PublishedOrbit,
    read_asteroid_entry,
    read_asteroid_line,
    read_comet_line,
)

# Stored together: some seconds' work, all that is done again after a kill.
_AT_ONCE = 20_000
_BLOCK_CHARACTERS = 1 << 20
# No entry of a list is as long: what cannot be read by then is none.
_LONGEST_ENTRY_CHARACTERS = 4 << 20
_MJD_EPOCH = datetime(1858, 11, 17, tzinfo=UTC)
# Above the orbits of the Minor Planet Center's file stands what it is, as long as this at most.
_LONGEST_HEAD_LINES = 200

Progress = Callable[[OrbitSet], object]
# An orbit, or why the entry is none.
Entry = PublishedOrbit | OrbitRefused
_T = TypeVar("_T")


class LoadRefused(ValueError):
    """A file is not taken; the text says why."""


@dataclass(frozen=True)
class Wanted:
    """What to load: a file, the name that it came by; what its orbits are called and how new they are, if told."""

    path: Path
    file_name: str
    name: str = ""
    orbits_at: datetime | None = None


def load(wanted: Wanted, progress: Progress) -> OrbitSet:
    """Store all orbits of a file in place of the former ones of the same name, and return their set.

    A repeat after a kill goes on where it stopped; a file that is loaded already is left as it is. Until all of them
    are stored, the former ones count. Raises LoadRefused, and OSError where the file cannot be read.
    """
    digest = _sha256(wanted.path)
    with closing(_entries(wanted.path)) as entries:
        first = next(entries, None)
    if first is None:
        raise LoadRefused(f"{wanted.file_name} holds no orbits in a form that is known here.")
    is_comet = isinstance(first, PublishedOrbit) and first.is_comet
    name = wanted.name or ("comets" if is_comet else "asteroids")
    at = wanted.orbits_at or datetime.fromtimestamp(wanted.path.stat().st_mtime, UTC)
    row, _ = OrbitSet.objects.get_or_create(
        name=name, sha256=digest, defaults={"file_name": wanted.file_name[:255], "orbits_at": at}
    )
    if not row.is_complete:
        _store(row, _entries(wanted.path), progress, wanted.orbits_at)
    return row


def _store(row: OrbitSet, entries: Iterator[Entry], progress: Progress, told_at: datetime | None) -> None:
    """Store what is left of a file, and then let it count."""
    # Stored by an earlier try.
    next(islice(entries, row.entries_read, row.entries_read), None)
    while piece := list(islice(entries, _AT_ONCE)):
        _append(row, piece)
        progress(row)
    if not row.orbit_count:
        row.delete()
        why = row.first_refusal or "it holds nothing"
        raise LoadRefused(f"None of the {row.entries_read} entries of {row.file_name} is an orbit: {why}.")
    newest = row.orbits.aggregate(newest=Max("last_observed_mjd"))["newest"]
    if told_at is None and newest is not None:
        row.orbits_at = _MJD_EPOCH + timedelta(days=newest)
    with transaction.atomic():
        # The former ones count until this is committed, and no moment is without any.
        OrbitSet.objects.filter(name=row.name).exclude(pk=row.pk).delete()
        row.is_complete = True
        row.save(update_fields=["is_complete", "orbits_at", "updated_at"])
        audit.record(row, "load_orbits", actor=audit.MACHINE, summary=f"{row.orbit_count} orbits: {row}")


@transaction.atomic
def _append(row: OrbitSet, piece: list[Entry]) -> None:
    """Store some entries together with the count of them, so that neither is there without the other."""
    stored = OrbitSet.objects.select_for_update().get(pk=row.pk)
    if stored.entries_read != row.entries_read or stored.is_complete:
        raise LoadRefused(f"{row.file_name} is being loaded by another process.")
    orbits = [entry for entry in piece if isinstance(entry, PublishedOrbit)]
    refused = [(number, entry) for number, entry in enumerate(piece, start=1) if isinstance(entry, OrbitRefused)]
    orbit_rows.write(row, orbits)
    if refused and not row.first_refusal:
        number, why = refused[0]
        row.first_refusal = f"entry {row.entries_read + number}: {why}"[:300]
    row.entries_read += len(piece)
    row.orbit_count += len(orbits)
    row.refused_count += len(refused)
    row.save(update_fields=["entries_read", "orbit_count", "refused_count", "first_refusal", "updated_at"])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _text(path: Path) -> Iterator[IO[str]]:
    """Open a file as text, unpacked where it is packed."""
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
    if is_packed:
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as text:
            yield text
    else:
        with path.open(encoding="utf-8", errors="replace") as text:
            yield text


def _entries(path: Path) -> Generator[Entry]:
    """Yield the orbits of a file, and why an entry is none, in its order; the form follows from what it holds."""
    with _text(path) as file:
        is_list = file.read(_BLOCK_CHARACTERS).lstrip().startswith("[")
        file.seek(0)
        yield from map(_entry_of, _objects(file)) if is_list else _lines(file)


def _entry_of(entry: object) -> Entry:
    if isinstance(entry, OrbitRefused):
        return entry
    if not isinstance(entry, dict):
        return OrbitRefused("it is no object of names and values")
    named: Mapping[str, object] = entry
    return _tried(read_asteroid_entry, named)


def _objects(file: IO[str]) -> Iterator[object]:
    """Yield the members of a JSON list as they stream: it is larger than memory should hold."""
    decoder = json.JSONDecoder()
    held = file.read(_BLOCK_CHARACTERS).lstrip().removeprefix("[")
    while True:
        place = 0
        while (begin := _past_comma(held, place)) < len(held):
            try:
                found, place = decoder.raw_decode(held, begin)
            except json.JSONDecodeError:
                break  # Cut by the end of the block, or the end of the list.
            yield found
        held = held[place:]
        block = file.read(_BLOCK_CHARACTERS)
        if not block or len(held) > _LONGEST_ENTRY_CHARACTERS:
            break
        held += block
    if held.strip(" \t\r\n,") != "]":
        yield OrbitRefused("the list breaks off, or is no JSON from here on")


def _past_comma(text: str, place: int) -> int:
    """Return where the next member of a list begins."""
    while place < len(text) and text[place] in " \t\r\n,":
        place += 1
    return place


def _lines(file: IO[str]) -> Iterator[Entry]:
    """Yield what the lines of a text hold: of asteroids or of comets, by the first that is either."""
    read: Callable[[str], PublishedOrbit] | None = None
    head = 0
    for line in filter(str.strip, file):
        line = line.rstrip("\r\n")
        if read is None:
            read = next((form for form in _FORMS if isinstance(_tried(form, line), PublishedOrbit)), None)
        if read is not None:
            yield _tried(read, line)
        elif (head := head + 1) > _LONGEST_HEAD_LINES:
            return


_FORMS = (read_comet_line, read_asteroid_line)


def _tried(read: Callable[[_T], PublishedOrbit], what: _T) -> Entry:
    try:
        return read(what)
    except OrbitRefused as refusal:
        return refusal
