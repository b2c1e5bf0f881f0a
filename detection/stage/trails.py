"""Draw the trails and artefacts of a difference, and say of its candidates which lie in a trail."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import NamedTuple

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from catalog.configuration.values import Snapshot
from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.work import jobs
from detection.models import Model, ModelRun, ModelType
from detection.numerics.infer import WeightsRefused
from detection.numerics.segmentation.infer import TRAIL, Segmentation, segment
from detection.registry.weights import ensure_default_model, weights_path
from detection.stage.reading import reading, resident_mb, seeing_of
from differencing.models import Candidate, DifferenceRun
from differencing.numerics.vetoes.veto import Veto
from observations.numerics.fits.mapped import Mapped, Pixels, map_images
from observations.numerics.fits.products import encode_image

SEGMENTATION = "detection.segmentation"
READS = (SEGMENTATION,)
CODE = "trail"
# A trail that only touches a candidate says nothing of it.
LEAST_SHARE = 0.5


def is_due(difference: DifferenceRun, config: Snapshot) -> bool:
    """Tell whether trails are wanted and the active model has not drawn those of this difference."""
    return bool(config[SEGMENTATION]) and _done(ensure_default_model(ModelType.UNET), difference) is None


class Drawn(NamedTuple):
    """The mask of trails and artefacts of a difference, and its seeing."""

    mask: Pixels
    fwhm_px: float


def drawn(difference: DifferenceRun, config: Snapshot) -> Drawn | None:
    """Return the trails and artefacts of a difference, drawn where that was not done yet; None if not wanted.

    Raises StageFailure `model_missing` where the weights are gone or changed.
    """
    if not config[SEGMENTATION]:
        return None
    model = ensure_default_model(ModelType.UNET)
    row, fwhm = _done(model, difference), seeing_of(difference.observation)
    if row is None:
        row = _open(model, difference, config)
        _draw(row, difference, str(weights_path(model)), fwhm)
    return Drawn(map_images(storage.open_stored(row.output_mask_path)).plane(), fwhm)


def _done(model: Model, difference: DifferenceRun) -> ModelRun | None:
    rows = ModelRun.objects.completed().filter(model=model, input_image_path=difference.difference_image_path)
    row = rows.filter(observation=difference.observation_id).exclude(output_mask_path="").first()
    return row if row is not None and storage.exists(row.output_mask_path) else None


@jobs.writing()
def _open(model: Model, difference: DifferenceRun, config: Snapshot) -> ModelRun:
    row, _ = ModelRun.objects.select_for_update().get_or_create(
        model=model, observation_id=difference.observation_id, input_image_path=difference.difference_image_path
    )
    row.config_hash = config.only(READS).hash
    row.begin()
    row.save()
    return row


def _draw(row: ModelRun, difference: DifferenceRun, weights: str, fwhm_px: float) -> None:
    """Draw, write both maps, each whole or not at all, and close the row."""
    clock, before_mb = time.perf_counter(), resident_mb()
    try:
        with reading():
            images = map_images(storage.open_stored(difference.difference_image_path))
            found = segment(images.plane(), images.mask(), weights, fwhm_px=fwhm_px, threads=settings.ASTRID_THREADS)
    except WeightsRefused as error:
        raise StageFailure(FailureCode.MODEL_MISSING, f"The model's weights cannot be used: {error}") from error
    except ValueError as error:
        raise StageFailure(FailureCode.MASKED, f"No trails can be sought in this difference: {error}.") from error
    _write(row, difference, images, found)
    with jobs.writing():
        row.inference_time_ms = (time.perf_counter() - clock) * 1000.0
        row.memory_usage_mb = max(0.0, resident_mb() - before_mb)
        row.total_predictions = found.trails + found.artefacts
        row.high_confidence_predictions = found.trails
        row.complete()
        row.save()


def _write(row: ModelRun, difference: DifferenceRun, images: Mapped, found: Segmentation) -> None:
    """Write the mask, and the confidence in squares, beside the difference; their names carry the weights."""
    folder = f"{difference.difference_image_path.rpartition('/')[0]}/trails-{row.model.weights_sha256[:12]}"
    wcs = images.wcs()
    mask = encode_image(
        found.bits,
        wcs=wcs,
        cards=[("TRAILBIT", 1, "bit of trails"), ("ARTBIT", 2, "bit of artefacts"), ("NTRAILS", found.trails)],
    )
    # Distortions are told in pixels of the whole frame: squares have none.
    confidence = encode_image(
        found.confidence,
        wcs=None if wcs is None or wcs.has_distortion else wcs[:: found.step, :: found.step],
        cards=[
            ("SQUARE", found.step, "side of a square, px of the frame"),
            ("FULL", 255, "stands for a probability of 1"),
        ],
    )
    row.output_mask_path = storage.write_atomically(f"{folder}/mask.fits", mask)
    row.confidence_map_path = storage.write_atomically(f"{folder}/confidence.fits", confidence)


def note(candidates: Iterable[Candidate], drawn: Drawn | None) -> None:
    """Say of candidates which lie in a trail, and no longer of those which do not; in the caller's transaction."""
    for row in candidates:
        share = 0.0 if drawn is None else share_of_core(drawn.mask, row.pixel_x, row.pixel_y, drawn.fwhm_px)
        others = [veto for veto in row.vetoes if veto["code"] != CODE]
        message = f"The segmentation calls it a trail: {share:.0%} of its core."
        kept = [*others, asdict(Veto(CODE, round(share, 3), message))] if share >= LEAST_SHARE else others
        if kept != row.vetoes:
            row.vetoes = kept
            row.save(update_fields=["vetoes", "updated_at"])


def share_of_core(mask: NDArray[np.number], x: float, y: float, fwhm_px: float) -> float:
    """Return what share of the pixels within half a FWHM of a place the mask calls a trail; 0 beyond the edge."""
    reach = max(0.5 * fwhm_px, 1.0)
    top, left = max(0, int(y - reach)), max(0, int(x - reach))
    part = np.asarray(mask[top : int(y + reach) + 2, left : int(x + reach) + 2])
    rows, columns = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
    inside = np.hypot(columns - x, rows - y) <= reach
    return float(((part & TRAIL) > 0)[inside].mean()) if inside.any() else 0.0
