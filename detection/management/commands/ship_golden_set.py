"""Make the golden set that comes with the code, of a data set of simulated stamps."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection.stage.datasets.stored import DataSetRefused
from detection.stage.measure import SHIPPED, ship


class _Given(TypedDict):
    data_set: str
    examples: int
    file: Path


class Command(BaseCommand):
    help = "Write some examples of a data set, as many of each kind, in few bytes: the golden set of new sites."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("data_set", metavar="NAME:VERSION")
        parser.add_argument("--examples", type=int, default=240)
        parser.add_argument("--file", type=Path, default=SHIPPED)

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        try:
            size, count = ship(options["data_set"], options["examples"], options["file"])
        except (DataSetRefused, OSError) as error:
            raise CommandError(f"{error}.") from error
        self.stdout.write(f"{options['file']}: {count} examples, {size} bytes")
