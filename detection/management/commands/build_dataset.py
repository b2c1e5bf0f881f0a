"""Make a data set of labelled stamps, which networks are trained with or measured by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from detection.stage.datasets.building import Recipe, build
from detection.stage.datasets.stored import DataSetRefused


class _Given(TypedDict):
    name: str
    data_version: str
    simulated_pairs: int
    seed: int
    truth: list[Path]
    labels: list[Path]
    imported: list[Path]
    include: list[str]
    injected: bool
    holdout_nights: list[str]
    golden: bool
    json: bool


class Command(BaseCommand):
    help = (
        "Gather labelled stamps of several origins, divide them so that no object, night or exposure is in two parts, "
        "and keep them under a name and a version, for ever unchanged."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--data-version", default=f"{timezone.now():%Y%m%d-%H%M}", help="The time by default.")
        parser.add_argument("--simulated-pairs", type=int, default=0, help="Simulate so many pairs of frames.")
        parser.add_argument("--seed", type=int, default=1, help="Of the simulation and of the division.")
        parser.add_argument(
            "--truth", type=Path, nargs="+", default=[], metavar="FOLDER",
            help="Folders of `manage.py simulate` whose frames this site has processed.",
        )  # fmt: skip
        parser.add_argument(
            "--labels", type=Path, nargs="+", default=[], metavar="FILE", help="Files of `manage.py export_labels`."
        )
        parser.add_argument(
            "--injected", action="store_true", help="Sources that were injected into this site's real frames."
        )
        parser.add_argument(
            "--imported", type=Path, nargs="+", default=[], metavar="FILE",
            help="Stamps of other surveys: .npz files with `triplets` (n, 3, 63, 63) and `is_real` (n,).",
        )  # fmt: skip
        parser.add_argument(
            "--include", nargs="+", default=[], metavar="NAME:VERSION", help="All examples of other data sets."
        )
        parser.add_argument(
            "--holdout-nights", nargs="+", default=[], metavar="YYYY-MM-DD",
            help="These nights are the test; what they share with others is left out there.",
        )  # fmt: skip
        parser.add_argument(
            "--golden", action="store_true", help="Models are compared on it before one is put to use, from now on."
        )
        parser.add_argument("--json", action="store_true", help="Print the manifest as JSON, and nothing else.")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        recipe = Recipe(
            name=options["name"], version=options["data_version"], simulated_pairs=options["simulated_pairs"],
            seed=options["seed"], truth=tuple(options["truth"]), labels=tuple(options["labels"]),
            imported=tuple(options["imported"]), include=tuple(options["include"]),
            with_injected=options["injected"], held_out_nights=tuple(options["holdout_nights"]),
            is_golden=options["golden"],
        )  # fmt: skip
        try:
            row = build(recipe, self.stderr.write)
        except DataSetRefused as refusal:
            raise CommandError(f"{refusal}.") from refusal
        if options["json"]:
            self.stdout.write(json.dumps(row.manifest, indent=1))
            return
        self._tell(row.manifest)
        self.stdout.write(f"{row}: {row.path}, sha256 {row.sha256}")

    def _tell(self, manifest: Mapping[str, object]) -> None:
        for name in ("examples", "real", "origins", "kinds", "cameras", "parts", "division", "divided_by"):
            value = manifest[name]
            if isinstance(value, dict):
                self.stdout.write(f"{name}:")
                for key, each in value.items():
                    self.stdout.write(f"    {key}: {json.dumps(each)}")
            else:
                self.stdout.write(f"{name}: {json.dumps(value)}")
        suspects = manifest["suspects"]
        if isinstance(suspects, list) and suspects:
            self.stdout.write(f"{len(suspects)} labels are likely wrong: see `suspects` in manifest.json")
