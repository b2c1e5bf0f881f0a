"""`manage.py process PATH...`: from FITS files to detections, in the foreground."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Unpack

from django.core.management.base import BaseCommand

from astrid_site.night.foreground import process_paths
from astrid_site.night.frame_arguments import FrameArguments, add_frame_arguments, overrides_of
from astrid_site.night.given import Wanted, give
from astrid_site.night.summary import summary_lines
from astrid_site.running import database


class _Given(FrameArguments):
    paths: list[str]
    reference: list[str]
    json: bool


class Command(BaseCommand):
    """Exit 0: it ran, and failed frames are rows with reasons. 1: nothing could be ingested. 2: bad usage."""

    help = "Ingest the FITS files under PATH and run every stage to the end in the foreground."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="a FITS file, or a folder of FITS files")
        add_frame_arguments(parser)
        parser.add_argument(
            "--reference", action="append", default=[], metavar="FILE",
            help="an image of a survey to compare the frames with, such as a Pan-STARRS cutout; may be repeated",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="print one JSON document to standard output")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        given = overrides_of(options)
        with database.usable(self.say):
            done = process_paths(options["paths"], given, self.say, lambda: self._give(options))
            whole = done.document()
        if options["json"]:
            self.stdout.write(json.dumps(whole, indent=1, allow_nan=False))
        else:
            for line in summary_lines(whole):
                self.stdout.write(line)
        if not done.has_ingested:
            self.say("Nothing could be ingested.")
            sys.exit(1)

    def _give(self, options: _Given) -> None:
        """Make references of the images that were given for the frames."""
        for path in options["reference"]:
            give(Wanted(Path(path), band=options["band"]), self.say)

    def say(self, line: str) -> None:
        """Report progress: on standard error, so that standard output holds the document alone."""
        self.stderr.write(line, style_func=str)
        self.stderr.flush()
