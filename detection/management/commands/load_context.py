"""`manage.py load_context`: what catalogues hold of the sky, from a file or from a service, beside each detection."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError

from detection.context.fields import MOST_RADIUS_DEG, WHOLE_SKY, Part, part_of, parts_lacking
from detection.context.loading import load_file
from detection.context.services import fetch_area
from detection.context.tables import LONGEST_TEXT, TableRefused
from detection.models import ContextArea, ContextKind
from observations.models import Field
from preprocessing.star_service import ServiceFailed


class _Given(TypedDict):
    file: str | None
    kind: str | None
    catalog: str
    around: list[float] | None
    whole_sky: bool
    field: str | None
    all_fields: bool
    list: bool


class Command(BaseCommand):
    """docs/context.md says which columns are read, and what is made of them."""

    help = "Load stars, variables or galaxies from a file, or from the service that is set for their kind."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", help="CSV, FITS table or VOTable; without it the service is asked")
        parser.add_argument("--kind", choices=ContextKind.values)
        parser.add_argument("--catalog", default="", help="name of the catalogue (default: the file's, the service's)")
        parser.add_argument(
            "--around", type=float, nargs=3, metavar=("RA", "DEC", "RADIUS"),
            help="circle in degrees (ICRS): of a file, in which it holds all; of a service, what to ask for",
        )  # fmt: skip
        parser.add_argument("--whole-sky", action="store_true", help="the file holds all of the whole sky")
        parser.add_argument("--field", help="ask the service for the field of this name or ID")
        parser.add_argument("--all-fields", action="store_true", help="ask for every field that lacks its sources")
        parser.add_argument("--list", action="store_true", help="print what is loaded")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        if options["list"]:
            for row in ContextArea.objects.all():
                self.stdout.write(self._line(row))
            return
        if options["kind"] is None:
            raise CommandError(f"Say what it lists: --kind {'|'.join(ContextKind.values)}.")
        kind, part = ContextKind(options["kind"]), _part(options["around"])
        if options["file"] is not None:
            self._load(Path(options["file"]), kind, options["catalog"], WHOLE_SKY if options["whole_sky"] else part)
        else:
            self._fetch(kind, options["catalog"], list(_parts(kind, part, options)))

    def _load(self, path: Path, kind: ContextKind, catalogue: str, part: Part | None) -> None:
        try:
            row = load_file(path, kind, (catalogue or path.name.split(".")[0])[:LONGEST_TEXT], part)
        except TableRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(self._line(row))
        if not row.is_complete:
            self.stdout.write(
                "That nothing is near is not said by it: if it holds all of a part of the sky, load it with --around "
                "RA DEC RADIUS or --whole-sky."
            )

    def _fetch(self, kind: ContextKind, catalogue: str, parts: list[Part]) -> None:
        failed = 0
        for part in parts:
            try:
                self.stdout.write(self._line(fetch_area(kind, part, catalogue)))
            except ServiceFailed as failure:
                failed += 1
                self.stderr.write(f"{part.ra_deg:.4f} {part.dec_deg:+.4f}: {failure}")
        if not parts:
            self.stdout.write("What is known around every field is at hand.")
        if failed:
            raise CommandError(f"{failed} of {len(parts)} places were not fetched.")

    def _line(self, row: ContextArea) -> str:
        taken = ", ".join(f"{key} from {column}" for key, column in row.columns.items())
        cut = "" if row.is_complete else "; perhaps not all that the catalogue has there"
        return f"{row}: {row.source_count} sources of {row.loaded_at:%Y-%m-%d} ({taken}){cut}"


def _part(around: list[float] | None) -> Part | None:
    if around is None:
        return None
    ra, dec, radius = around
    if not (-360.0 <= ra <= 360.0 and -90.0 <= dec <= 90.0 and 0.0 < radius <= 180.0):
        raise CommandError("--around takes right ascension, declination and radius of a circle on the sky in degrees.")
    return Part(ra % 360.0, dec, radius)


def _parts(kind: ContextKind, part: Part | None, options: _Given) -> Iterator[Part]:
    """Yield what is to be asked for."""
    if part is not None:
        if part.radius_deg > MOST_RADIUS_DEG:
            raise CommandError(f"A service is asked for {MOST_RADIUS_DEG:g} degrees at most.")
        yield part
    elif options["field"]:
        yield _part_of_field(options["field"])
    elif options["all_fields"]:
        yield from parts_lacking(kind)
    else:
        raise CommandError("Give a file, or what to ask the service for: --around, --field or --all-fields.")


def _part_of_field(name: str) -> Part:
    named = Field.objects.filter(name=name).first() or next(
        (field for field in Field.objects.all() if str(field.pk) == name), None
    )
    if named is None:
        raise CommandError(f"There is no field {name}.")
    part = part_of(named)
    if part is None:
        raise CommandError(f"How large the frames of {name} are on the sky is not known: give --around.")
    return part
