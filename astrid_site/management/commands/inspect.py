"""`manage.py inspect PATH...`: what is understood of headers, before anything is processed."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Unpack

from django.core.management.base import BaseCommand

from astrid_site.night.frame_arguments import FrameArguments, add_frame_arguments, overrides_of
from astrid_site.running import database
from observations.claims.inspecting import Inspected, inspect_file
from observations.delivery.ingest import fits_files


class _Given(FrameArguments):
    paths: list[str]
    json: bool


class Command(BaseCommand):
    """Exit 0: all could be processed as they are. 1: something is refused or missing."""

    help = "Tell what is understood of FITS headers: from which keyword, what is missing, what is doubtful."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="a FITS file, or a folder of FITS files")
        add_frame_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON document to standard output")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        given = overrides_of(options)
        with database.usable(self.say):
            files = [file for path in options["paths"] for file in fits_files(Path(path))]
            found = [one for file in files for one in inspect_file(file, given)]
        if options["json"]:
            self.stdout.write(json.dumps([one.as_document() for one in found], indent=1, allow_nan=False))
        else:
            for one in found:
                self.show(one)
        if not files:
            self.say("There are no FITS files.")
        if not found or any(one.refusal for one in found):
            sys.exit(1)

    def show(self, one: Inspected) -> None:
        """Print one image as people read it."""
        self.stdout.write(self.style.MIGRATE_HEADING(one.name))
        for line in one.facts:
            origin = "  ".join(part for part in (line.source, line.note) if part)
            self.stdout.write(f"  {line.fact:16} {line.value:40} {origin}".rstrip())
        for doubt in one.doubts:
            mark = "holds alerts back" if doubt.blocks_publication else "doubtful"
            self.stdout.write(self.style.WARNING(f"  {mark}: {doubt.message}"))
        if one.refusal:
            self.stdout.write(self.style.ERROR(f"  refused: {one.refusal}"))
        if one.profile["rules"]:
            self.stdout.write("  a profile that would answer this (fill in the numbers):")
            self.stdout.write("    " + json.dumps(one.profile))

    def say(self, line: str) -> None:
        self.stderr.write(line, style_func=str)
