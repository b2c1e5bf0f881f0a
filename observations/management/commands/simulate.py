"""`manage.py simulate FOLDER`: write simulated nights as FITS files, with their truth and a star catalogue."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError

from observations.delivery.simulated import parameters_of, write_synthetic_nights
from observations.delivery.simulated_folder import SimulatedFolder


class _Given(TypedDict):
    folder: Path
    seed: int
    size: int
    nights: int
    frames: int


class Command(BaseCommand):
    """The same seed and size give the same files."""

    help = (
        "Write simulated nights as FITS files into a folder, beside them what is truly in them (truth.json) and a star "
        "catalogue of their sky."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--size", type=int, default=1024, help="pixels on a side")
        parser.add_argument("--nights", type=int, default=2)
        parser.add_argument("--frames", type=int, default=4, help="good frames of each night")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        parameters = parameters_of(
            seed=options["seed"], size=options["size"], nights=options["nights"], frames=options["frames"]
        )
        try:
            for name in write_synthetic_nights(options["folder"], parameters):
                self.stdout.write(name)
        except ValueError as error:
            raise CommandError(f"{error}.", returncode=2) from error
        star_catalog = SimulatedFolder(options["folder"].resolve()).star_catalog
        self.stderr.write(
            "To have positions and magnitudes measured against the simulated stars:\n"
            f"    ASTRID_STAR_CATALOG={star_catalog} manage.py process {options['folder']}",
            style_func=str,
        )
