"""`manage.py process PATH...`: from FITS files to detections, in the foreground."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand

from astrid_site import foreground
from astrid_site.document import document
from astrid_site.pipeline import run_stages
from catalog.config import snapshot
from observations.models import Observation
from observations.numerics.fits_facts import Overrides
from observations.services import ingest_paths


class Command(BaseCommand):
    """Exit 0: it ran, and failed frames are rows with reasons. 1: nothing could be ingested. 2: bad usage."""

    help = "Ingest the FITS files under PATH and run every stage to the end in the foreground."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="a FITS file or a folder of them")
        parser.add_argument("--ra", type=float, metavar="DEG", help="right ascension of the frames' centre, ICRS")
        parser.add_argument("--dec", type=float, metavar="DEG", help="declination of the frames' centre, ICRS")
        parser.add_argument("--pixel-scale", type=float, metavar="ARCSEC", help="arcseconds per pixel")
        parser.add_argument("--band", metavar="NAME", help="filter of the frames")
        parser.add_argument("--exposure", type=float, metavar="S", help="exposure time where the header has none")
        parser.add_argument("--time", metavar="ISO", help="UTC start where the header has none: 2026-01-31T22:04:10")
        parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        given = _overrides(options)
        with foreground.database(self.say):
            results = ingest_paths(options["paths"], overrides=given, config=snapshot(), report=self.say)
            ids = {result.entity_id for result in results if result.entity_type == "observation" and result.entity_id}
            run_stages(Observation.objects.filter(pk__in=ids), self.say)
            whole = document(ids, [result for result in results if result.is_refused])
        if options["json"]:
            self.stdout.write(json.dumps(whole, indent=1, allow_nan=False))
        else:
            self._summarise(whole)
        if not any(result.entity_id for result in results):
            self.say("Nothing could be ingested.")
            sys.exit(1)

    def say(self, line: str) -> None:
        """Report progress: on standard error, so that standard output holds the document alone."""
        self.stderr.write(line, style_func=str)
        self.stderr.flush()

    def _summarise(self, whole: dict[str, list[dict[str, Any]]]) -> None:
        for row in whole["observations"]:
            reason = f"  {row['failure_code']}: {row['error_message']}" if row["failure_code"] else ""
            found = [d for d in whole["detections"] if d["file"] == row["file"]]
            self.stdout.write(f"{row['file']}  {row['status']}  {len(found)} detections{reason}")
            for d in sorted(found, key=lambda entry: -entry["confidence_score"]):
                self.stdout.write(
                    f"    x {d['pixel_x']:8.2f}  y {d['pixel_y']:8.2f}  ra {d['ra']:10.5f}  dec {d['dec']:+9.5f}  "
                    f"S/N {d['snr']:7.1f}  score {d['confidence_score']:.3f}"
                )
        for t in whole["tracklets"]:
            self.stdout.write(f"moving object in {len(t['members'])} frames, {t['rate_arcsec_per_min']:.3f} arcsec/min")


def _overrides(options: dict[str, Any]) -> Overrides:
    """Check what was given on the command line; bad usage ends with exit status 2."""
    try:
        start = datetime.fromisoformat(options["time"]) if options["time"] else None
        if start is not None:
            start = start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC)
        return Overrides(
            ra_deg=options["ra"],
            dec_deg=options["dec"],
            pixel_scale_arcsec=options["pixel_scale"],
            band=options["band"],
            exposure_s=options["exposure"],
            observation_time=start,
        )
    except ValueError as error:
        raise CommandError(f"{error}.", returncode=2) from error
