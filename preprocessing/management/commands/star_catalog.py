"""`manage.py star_catalog`: fetch the stars of parts of the sky once, to solve frames there without a network."""

from __future__ import annotations

import argparse
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError

from preprocessing.models import MOST_RADIUS_DEG, StarCatalogField
from preprocessing.star_fields import FAINTEST_MAG, circles_lacking, fetch_field
from preprocessing.star_service import Circle, ServiceFailed


class _Given(TypedDict):
    what: str
    place: list[float]
    faintest: float


class Command(BaseCommand):
    """The service is that of ASTRID_STAR_CATALOG_SERVICE; docs/configuration.md says which there may be."""

    help = "Fetch the stars of parts of the sky from a service of the Virtual Observatory, and list what is kept."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="what", required=True)
        fetch = actions.add_parser("fetch", help="fetch a place, or every field in the database that lacks its stars")
        fetch.add_argument("place", type=float, nargs="*", metavar="RA DEC RADIUS", help="degrees, ICRS")
        fetch.add_argument("--faintest", type=float, default=FAINTEST_MAG, help="magnitude (%(default)s)")
        actions.add_parser("list", help="print what is kept")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        if options["what"] == "list":
            for row in StarCatalogField.objects.defer("stars"):
                self.stdout.write(self._line(row))
            return
        circles = self._circles(options["place"], options["faintest"])
        failed = 0
        for circle in circles:
            try:
                self.stdout.write(self._line(fetch_field(circle)))
            except ServiceFailed as failure:
                failed += 1
                self.stderr.write(f"{circle.ra_deg:.4f} {circle.dec_deg:+.4f}: {failure}")
        if not circles:
            self.stdout.write("The stars of every field are at hand.")
        if failed:
            raise CommandError(f"{failed} of {len(circles)} fields were not fetched.")

    def _circles(self, place: list[float], faintest: float) -> list[Circle]:
        if not place:
            return list(circles_lacking(faintest))
        if len(place) != 3:
            raise CommandError("Give right ascension, declination and radius in degrees, or nothing for all fields.")
        ra, dec, radius = place
        if not (-90 <= dec <= 90 and 0 < radius <= MOST_RADIUS_DEG):
            raise CommandError(f"The declination is -90 to 90, the radius up to {MOST_RADIUS_DEG:g} degrees.")
        return [Circle(ra % 360.0, dec, radius, faintest)]

    def _line(self, row: StarCatalogField) -> str:
        return f"{row}: {row.star_count} stars to magnitude {row.faintest_mag:.1f}, fetched {row.fetched_at:%Y-%m-%d}"
