"""What a model of the registry makes of stamps that somebody brings, of whatever survey."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from catalog.failures import StageFailure
from detection.models import Model
from detection.numerics.infer import Judged, judge
from detection.numerics.stamp_width import width_of
from detection.numerics.stamps import CHANNELS, STAMP_SIZE_PX, Stamps
from detection.registry.weights import ensure_default_model, weights_path

TRIPLETS = "triplets"


class StampsRefused(ValueError):
    """The file, or the model that was asked for, will not do; the sentence says why."""


@dataclass(frozen=True)
class Scored:
    """What a model says of stamps, in their order; the FWHM that a star was taken to have."""

    judged: Judged
    model: Model
    fwhm_px: float


def score_file(path: Path, asked: str = "", fwhm_px: float | None = None) -> Scored:
    """Score the array `triplets` of an .npz file, (n, 3, 63, 63): science, reference, difference, NaN where unknown.

    asked : NAME:VERSION of a model, "" for the active one. fwhm_px : of a star; None to find it in the stamps. Raises
    StampsRefused.
    """
    triplets, model = _read(path), _model(asked)
    stamps: Stamps = np.zeros((len(triplets), len(CHANNELS), *triplets.shape[2:]), dtype=np.float32)
    stamps[:, :3] = triplets
    try:
        width = fwhm_px or width_of(stamps)
        return Scored(judge(stamps, weights_path(model), fwhm_px=width), model, width)
    except ValueError as error:
        raise StampsRefused(str(error)) from error
    except StageFailure as failure:
        raise StampsRefused(failure.sentence) from failure


def _read(path: Path) -> NDArray[np.floating]:
    try:
        with np.load(path, allow_pickle=False) as file:
            found: NDArray[np.floating] = file[TRIPLETS]
    except (OSError, ValueError, BadZipFile, KeyError) as error:
        raise StampsRefused(f"{path.name} is no .npz file with an array `{TRIPLETS}`: {error}") from error
    side = STAMP_SIZE_PX
    if found.ndim != 4 or found.shape[1:] != (3, side, side) or found.dtype.kind not in "iuf":
        raise StampsRefused(f"`{TRIPLETS}` is {found.dtype} {found.shape}, not numbers (n, 3, {side}, {side})")
    return found


def _model(asked: str) -> Model:
    try:
        if not asked:
            return ensure_default_model()
        name, _, version = asked.partition(":")
        return Model.objects.get(name=name, version=version)
    except Model.DoesNotExist as error:
        there = ", ".join(f"{model.name}:{model.version}" for model in Model.objects.order_by("name", "version"))
        raise StampsRefused(f"there is no model {asked}; choose one of: {there or 'none is registered'}") from error
    except StageFailure as failure:
        raise StampsRefused(failure.sentence) from failure
