"""Score stamps of any survey with a model of the registry: for whoever wants to judge it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TypedDict, Unpack
from zipfile import BadZipFile

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser
from numpy.typing import NDArray

from catalog.failures import StageFailure
from detection.models import Model
from detection.numerics.infer import score
from detection.numerics.stamps import CHANNELS, STAMP_SIZE_PX, Stamps, width_of
from detection.registry.weights import ensure_default_model, weights_path

_TRIPLETS = "triplets"
# What no model gives yet is empty.
_COLUMNS = ("index", "confidence_score", "p_supernova", "p_variable", "p_transient", "p_artifact", "anomaly")


class _Given(TypedDict):
    file: Path
    out: Path
    model: str
    fwhm: float | None


class Command(BaseCommand):
    help = (
        f"Score the array `{_TRIPLETS}` of an .npz file, (n, 3, {STAMP_SIZE_PX}, {STAMP_SIZE_PX}): science, reference "
        "and difference in raw counts, NaN where nothing is known. Writes a CSV with a line for each."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--out", type=Path, required=True, help="The CSV that is written.")
        parser.add_argument("--model", default="", help="NAME:VERSION; without it the active model.")
        parser.add_argument(
            "--fwhm", type=float, help="FWHM of a star, pixels; without it that is estimated from all stamps."
        )

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        triplets = _read(options["file"])
        model = _model(options["model"])
        stamps: Stamps = np.zeros((len(triplets), len(CHANNELS), *triplets.shape[2:]), dtype=np.float32)
        stamps[:, :3] = triplets
        try:
            fwhm = options["fwhm"] or width_of(stamps)
            scores = score(stamps, weights_path(model), fwhm_px=fwhm)
        except (ValueError, StageFailure) as error:
            raise CommandError(str(error)) from error
        if options["fwhm"] is None:
            self.stderr.write(f"A star is taken to be {fwhm:.2f} px wide, as what is bright in the stamps is.")
        with options["out"].open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(_COLUMNS)
            for index, value in enumerate(scores):
                rows.writerow([index, "" if np.isnan(value) else f"{value:.6f}", *[""] * (len(_COLUMNS) - 2)])
        known = int(np.isfinite(scores).sum())
        self.stdout.write(f"{known} of {len(scores)} scored by {model} (sha256 {model.weights_sha256})")


def _read(path: Path) -> NDArray[np.floating]:
    try:
        with np.load(path, allow_pickle=False) as file:
            found: NDArray[np.floating] = file[_TRIPLETS]
    except (OSError, ValueError, BadZipFile, KeyError) as error:
        raise CommandError(f"{path.name} is no .npz file with an array `{_TRIPLETS}`: {error}") from error
    if found.ndim != 4 or found.shape[1:] != (3, STAMP_SIZE_PX, STAMP_SIZE_PX) or found.dtype.kind not in "iuf":
        raise CommandError(f"`{_TRIPLETS}` is {found.dtype} {found.shape}, not numbers (n, 3, 63, 63)")
    return found


def _model(asked: str) -> Model:
    try:
        if not asked:
            return ensure_default_model()
        name, _, version = asked.partition(":")
        return Model.objects.get(name=name, version=version)
    except Model.DoesNotExist as error:
        there = ", ".join(f"{model.name}:{model.version}" for model in Model.objects.order_by("name", "version"))
        raise CommandError(f"there is no model {asked}; choose one of: {there or 'none is registered'}") from error
    except StageFailure as failure:
        raise CommandError(failure.sentence) from failure
