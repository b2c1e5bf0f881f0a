"""All packets of a night as one Avro container: the first whole, of the others their blocks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.db.models import Count, F, Max, QuerySet, Sum

from catalog.files import storage
from curation.models import AlertPacket
from curation.packets.keeping import content_of

# Of nights that are told at once.
MOST_NIGHTS = 1000


@dataclass(frozen=True)
class Night:
    """A night and the packets of it that one version of the schema has."""

    night: date
    schema_version: str
    packets: int
    size_bytes: int


@dataclass(frozen=True)
class Archive:
    """The packets of a night in the order of the feed, as one container.

    What is published later of the same night comes behind: what was read before stays the beginning.
    """

    packets: Sequence[AlertPacket]

    @property
    def size_bytes(self) -> int:
        """Return how long the container is."""
        return self.packets[0].header_bytes + sum(row.size_bytes - row.header_bytes for row in self.packets)

    @property
    def tag(self) -> str:
        """Return what is another one when packets have come."""
        return hashlib.sha256("".join(row.sha256 for row in self.packets).encode()).hexdigest()[:32]

    def parts(self, first: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from one to before another, a packet at a time. Raises PacketLost where one is gone."""
        end = self.size_bytes if end is None else end
        at = 0
        for number, row in enumerate(self.packets):
            skipped = row.header_bytes if number else 0
            begin, at = at, at + row.size_bytes - skipped
            if begin >= end:
                return
            if at > first:
                content = content_of(row)[skipped:]
                yield content[max(first - begin, 0) : end - begin]


def nights(packets: QuerySet[AlertPacket], before: date | None = None) -> list[Night]:
    """Return the nights that have some of these packets, the latest first."""
    rows = packets.filter(night__lt=before) if before else packets
    by_night = rows.order_by("-night", "schema_version").values("night", "schema_version")
    summed = by_night.annotate(
        packets=Count("pk"), header=Max("header_bytes"), blocks=Sum(F("size_bytes") - F("header_bytes"))
    )
    return [
        Night(row["night"], row["schema_version"], row["packets"], row["header"] + row["blocks"])
        for row in summed[:MOST_NIGHTS]
    ]


def archives_of(night: date, packets: QuerySet[AlertPacket]) -> dict[str, Archive]:
    """Return the archives of a night by the version of their schema, with those of its packets that are among these."""
    found: dict[str, list[AlertPacket]] = {}
    for row in packets.filter(night=night).order_by("publication__sequence"):
        found.setdefault(row.schema_version, []).append(row)
    return {version: Archive(rows) for version, rows in found.items()}


def export(folder: Path, *, night: date | None = None, since: date | None = None) -> Iterator[tuple[Path, int]]:
    """Write the archives of a night, or of all nights from one on, into a folder; yield each file and its packets.

    A file of the same name is replaced, whole or not at all. Raises PacketLost, StorageFull and OSError.
    """
    rows = AlertPacket.objects.all()
    if night is not None:
        rows = rows.filter(night=night)
    if since is not None:
        rows = rows.filter(night__gte=since)
    for one in rows.order_by("night").values_list("night", flat=True).distinct():
        for version, archive in archives_of(one, AlertPacket.objects.all()).items():
            path = folder / f"astrid_{one:%Y-%m-%d}_v{version}.avro"
            storage.write_parts(path, archive.parts())
            yield path, len(archive.packets)
