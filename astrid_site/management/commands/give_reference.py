"""`manage.py give_reference PATH`: a survey's image as the reference of a field."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management import CommandError
from django.core.management.base import BaseCommand

from astrid_site.night.given import Wanted, give
from astrid_site.running import database


class _Given(TypedDict):
    path: str
    field: str | None
    band: str | None
    promote: bool


class Command(BaseCommand):
    """Exit 0: it serves, or waits to be promoted. 1: it cannot serve. 2: bad usage."""

    help = (
        "Compare frames of a field with an image of Pan-STARRS, SkyMapper, the Legacy Surveys or another telescope. "
        "Nothing is downloaded: give a FITS file that covers the field."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("path", metavar="PATH", help="a FITS file with world coordinates")
        parser.add_argument("--field", metavar="NAME|ID", help="field; all that the image covers if left out")
        parser.add_argument("--band", metavar="NAME", help="filter of the frames that are compared with it")
        parser.add_argument("--promote", action="store_true", help="use it in place of the reference there is")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        wanted = Wanted(Path(options["path"]), options["field"], options["band"], is_promoted=options["promote"])
        with database.usable(self.say):
            given = give(wanted, self.say)
        if not given:
            raise CommandError("No field is compared with it.", returncode=1)

    def say(self, line: str) -> None:
        """Report what became of it."""
        self.stderr.write(line, style_func=str)
        self.stderr.flush()
