"""Score stamps of any survey with a model of the registry: for whoever wants to judge it."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import TypedDict, Unpack

from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection.stage.score_stamps import TRIPLETS, StampsRefused, score_file

# What a model does not give is empty. The four of p_ sum to 1.
_COLUMNS = ("index", "confidence_score", "p_supernova", "p_variable", "p_transient", "p_artifact", "anomaly")


class _Given(TypedDict):
    file: Path
    out: Path
    model: str
    fwhm: float | None


class Command(BaseCommand):
    help = (
        f"Score the array `{TRIPLETS}` of an .npz file, (n, 3, 63, 63): science, reference and difference in counts, "
        "NaN where nothing is known. Writes a CSV with a line for each."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--out", type=Path, required=True, help="The CSV that is written.")
        parser.add_argument("--model", default="", help="NAME:VERSION; without it the active model.")
        parser.add_argument(
            "--fwhm", type=float, help="FWHM of a star, pixels; without it that is estimated from all stamps."
        )

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        try:
            found = score_file(options["file"], options["model"], options["fwhm"])
        except StampsRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        if options["fwhm"] is None:
            self.stderr.write(f"A star is taken to be {found.fwhm_px:.2f} px wide, as what is bright in the stamps is.")
        lines = enumerate(zip(*found.judged.columns(), strict=True))
        with options["out"].open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(_COLUMNS)
            rows.writerows([k, *("" if math.isnan(value) else f"{value:.6f}" for value in line)] for k, line in lines)
        known = sum(not math.isnan(value) for value in found.judged.confidence)
        model = found.model
        self.stdout.write(
            f"{known} of {len(found.judged.confidence)} scored by {model} (sha256 {model.weights_sha256})"
        )
