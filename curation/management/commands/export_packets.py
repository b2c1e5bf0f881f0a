"""Write the packets of alerts into a folder: one Avro container for each night."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.files import storage
from curation.packets.archive import export
from curation.packets.keeping import PacketLost, write_pending


class _Given(TypedDict):
    folder: Path
    night: dt.date | None
    since: dt.date | None


class Command(BaseCommand):
    help = (
        "Write the packets of all alerts that were published, or of some nights, as Avro containers into a folder: one "
        "file for each night, which replaces the one of that name."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="It is made where it is not there.")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--night", type=dt.date.fromisoformat, help="Date of the evening, as 2024-03-01.")
        which.add_argument("--since", type=dt.date.fromisoformat, help="The first of several nights.")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        folder, count = options["folder"], 0
        while write_pending():
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path, packets in export(folder, night=options["night"], since=options["since"]):
                self.stdout.write(f"{path}: {packets} packet{'' if packets == 1 else 's'}")
                count += packets
        except (OSError, storage.StorageFull, PacketLost) as error:
            raise CommandError(f"{folder} cannot be written: {error}") from error
        if not count:
            self.stdout.write("There are no packets of these nights.")
