"""`manage.py profile`: try, keep, show and delete profiles of instruments, written as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError

from catalog.people.audit import MACHINE
from observations.claims import profiles
from observations.models import InstrumentProfile


class _Given(TypedDict):
    what: str
    file: Path
    frame: Path
    name: str


class Command(BaseCommand):
    """A file holds {"name", "description", "precedence", "matches", "rules"}; docs/frames.md explains the rules."""

    help = "Try, keep, list and delete profiles of instruments: what is known better than headers say."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="what", required=True)
        trial = actions.add_parser("try", help="show what a profile makes of a FITS file; nothing is kept")
        keep = actions.add_parser("save", help="keep a profile, and have the frames that it is for read again")
        for action in (trial, keep):
            action.add_argument("file", type=Path, metavar="PROFILE.json")
        trial.add_argument("frame", type=Path, metavar="FRAME.fits")
        actions.add_parser("list", help="print all profiles as JSON")
        delete = actions.add_parser("delete", help="delete a profile, and have its frames read again without it")
        delete.add_argument("name")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        {"try": self._try, "save": self._save, "list": self._list, "delete": self._delete}[options["what"]](options)

    def _try(self, options: _Given) -> None:
        row = self._read(options["file"])
        try:
            trial = profiles.tried_on_file(profiles.check(row.name, row.matches, row.rules), options["frame"])
        except (profiles.FitsRefused, FileNotFoundError, ValueError) as error:
            raise CommandError(str(error)) from error
        if not trial.fits:
            raise CommandError(f"The patterns do not fit {options['frame'].name}: the profile would change nothing.")
        for one in trial.changes:
            self.stdout.write(f"{one.fact}: {one.before or 'nothing'} -> {one.after or 'nothing'}")
        if not trial.changes:
            self.stdout.write("It would change nothing.")

    def _save(self, options: _Given) -> None:
        try:
            count = profiles.save_profile(self._read(options["file"]), MACHINE)
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Kept. {count} frames will be read again.")

    def _list(self, options: _Given) -> None:
        rows = InstrumentProfile.objects.values("name", "description", "is_active", "precedence", "matches", "rules")
        self.stdout.write(json.dumps(list(rows), indent=1))

    def _delete(self, options: _Given) -> None:
        row = InstrumentProfile.objects.filter(name=options["name"]).first()
        if row is None:
            raise CommandError(f"There is no profile {options['name']}.")
        profiles.forget_profile(row, MACHINE)
        self.stdout.write("Deleted.")

    def _read(self, file: Path) -> InstrumentProfile:
        try:
            written = json.loads(file.read_text())
        except (OSError, ValueError) as error:
            raise CommandError(f"{file} cannot be read: {error}.") from error
        if not isinstance(written, dict) or not isinstance(written.get("name"), str):
            raise CommandError(f'{file} holds no profile: {{"name": ..., "matches": ..., "rules": ...}}.')
        row = InstrumentProfile.objects.filter(name=written["name"]).first() or InstrumentProfile(name=written["name"])
        for key in ("description", "precedence", "matches", "rules", "is_active"):
            if key in written:
                setattr(row, key, written[key])
        return row
