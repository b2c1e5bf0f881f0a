"""`manage.py known_objects`: load orbits of what is known in the Solar System, and compute where it was in frames."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import TypedDict, Unpack
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError

from catalog.files.addresses import AddressRefused
from catalog.files.outgoing import DownloadFailed
from detection.known.fetching import load_address
from detection.known.frames import has_orbits, wanting
from detection.known.loading import LoadRefused, Wanted, load
from detection.models import OrbitSet
from detection.stage.known_objects import update

# All orbits are read once for so many frames.
_FRAMES_AT_ONCE = 500


class _Given(TypedDict):
    what: str
    file: str
    name: str
    date: date | None
    night: date | None
    all: bool


class Command(BaseCommand):
    """docs/known-objects.md says where orbits come from, and what is made of them."""

    help = "Load orbits of asteroids and comets, and compute where they were in each frame."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="what", required=True)
        loads = actions.add_parser("load", help="load MPCORB.DAT, mpcorb_extended.json or CometEls.txt, packed or not")
        loads.add_argument("file", metavar="FILE", help="path, or https address")
        loads.add_argument("--name", default="", help="of the orbits that it replaces (asteroids or comets)")
        loads.add_argument(
            "--date", type=date.fromisoformat, help="how new the orbits are, where the file does not tell"
        )
        updates = actions.add_parser("update", help="compute known objects for the frames that lack them")
        updates.add_argument("--night", type=date.fromisoformat, metavar="DATE", help="of this night only")
        updates.add_argument("--all", action="store_true", help="for frames that have them too")
        actions.add_parser("list", help="print which orbits are loaded")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        {"load": self._load, "update": self._update, "list": self._list}[options["what"]](options)

    def _load(self, options: _Given) -> None:
        day = options["date"]
        told_at = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
        try:
            if urlsplit(options["file"]).scheme in ("http", "https"):
                self.stdout.write(self._line(load_address(options["file"], self._tell, options["name"], told_at)))
            else:
                path = Path(options["file"])
                self._load_file(Wanted(path, path.name, options["name"], told_at))
        except (LoadRefused, AddressRefused, DownloadFailed, OSError, EOFError) as error:
            raise CommandError(f"{error}") from error

    def _load_file(self, wanted: Wanted) -> None:
        row = load(wanted, self._tell)
        self.stdout.write(self._line(row))

    def _tell(self, row: OrbitSet) -> None:
        self.stderr.write(f"{row.orbit_count} orbits …")

    def _update(self, options: _Given) -> None:
        if not has_orbits():
            raise CommandError("No orbits are loaded: manage.py known_objects load FILE.")
        frames = wanting(options["night"], again=options["all"])
        keys = list(frames.values_list("night", "pk"))
        done = found = 0
        for night, of_night in groupby(keys, key=lambda pair: pair[0]):
            chosen = [key for _, key in of_night]
            for start in range(0, len(chosen), _FRAMES_AT_ONCE):
                rows = list(
                    frames.model.objects.select_related("telescope").filter(
                        pk__in=chosen[start : start + _FRAMES_AT_ONCE]
                    )
                )
                found += update(rows)
                done += len(rows)
                self.stderr.write(f"{night}: {done} of {len(keys)} frames …")
        self.stdout.write(f"{found} known objects in {done} frames.")

    def _list(self, options: _Given) -> None:
        for row in OrbitSet.objects.all():
            self.stdout.write(self._line(row))

    def _line(self, row: OrbitSet) -> str:
        """Tell of a set what is in it, how new it is, and what of the file was no orbit."""
        state = "" if row.is_complete else ", not loaded to its end"
        refused = f", {row.refused_count} entries refused ({row.first_refusal})" if row.refused_count else ""
        return f"{row.name}: {row.orbit_count} orbits of {row.orbits_at:%Y-%m-%d} from {row.file_name}{refused}{state}"
