"""`manage.py ingest PATH|URL...`: hand frames in; the workers do the rest."""

from __future__ import annotations

import argparse
import sys
from typing import Unpack

from django.core.management import CommandError
from django.core.management.base import BaseCommand

from astrid_site.night.foreground import deliver, follow
from astrid_site.night.frame_arguments import FrameArguments, add_frame_arguments, overrides_of
from astrid_site.night.summary import summary_lines
from astrid_site.running import database
from catalog.files.addresses import AddressRefused
from catalog.work.pause import pauses
from observations.delivery.incoming import submit_url


class _Given(FrameArguments):
    sources: list[str]
    wait: bool


class Command(BaseCommand):
    """Exit 0: something was taken in or ordered. 1: nothing. 2: bad usage."""

    help = "Ingest FITS files, folders of them, or URLs, and queue them for the workers."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("sources", nargs="+", metavar="PATH|URL", help="a FITS file, a folder, or https://…")
        add_frame_arguments(parser)
        parser.add_argument("--wait", action="store_true", help="wait for the workers, and print what they found")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        given = overrides_of(options)
        urls = [source for source in options["sources"] if "://" in source]
        paths = [source for source in options["sources"] if "://" not in source]
        with database.usable(self.say):
            if paths and (reason := pauses().ingest_words):
                raise CommandError(f"{reason} Nothing was ingested: run the command again then.")
            ordered = 0
            for url in urls:
                try:
                    row, job = submit_url(url, given)
                except AddressRefused as refusal:
                    raise CommandError(str(refusal), returncode=2) from refusal
                self.say(f"{row.name}: queued as job {job.pk}")
                ordered += 1
            done = deliver(paths, given, self.say)
            new = sum(result.is_new for result in done.results)
            self.say(f"{new} new frames for the workers (started by make demo, or as docs/deploy.md says).")
            if options["wait"]:
                follow(self.say)
                for line in summary_lines(done.document()):
                    self.stdout.write(line)
        if not done.has_ingested and not ordered:
            self.say("Nothing could be ingested.")
            sys.exit(1)

    def say(self, line: str) -> None:
        """Report progress."""
        self.stderr.write(line, style_func=str)
        self.stderr.flush()
