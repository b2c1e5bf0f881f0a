"""Inject sources into the frames of a night, for people to find: items whose answer is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from django.db.models import Exists, OuterRef

from astrid_site.night.injection import Found, inject, seed_of
from catalog.configuration.values import snapshot
from catalog.work import jobs
from curation.injected.rows import as_stored
from curation.models import GoldItem
from detection.models import Detection, DetectionOrigin, ModelRun, ModelType
from differencing.ids import field_and_night

SHARE = "curation.fake_share"
# A frame is subtracted anew for what is injected: several at once, in fewer frames, cost less.
_AT_ONCE = 4


def run(key: str) -> None:
    """Inject sources into frames of "<field id>/<date>" that have none yet: so large a share of what people review.

    What is drawn follows from the keys of the runs of the model; a repeat does nothing.
    """
    field_id, night = field_and_night(key)
    share = snapshot()[SHARE]
    if not share:
        return
    has_some = Exists(Detection.with_injected.filter(model_run=OuterRef("pk"), is_injected=True))
    runs = ModelRun.objects.completed().filter(
        ~has_some,
        model__is_active=True,
        model__model_type=ModelType.CLASSIFIER,
        is_shadow=False,
        observation__field=field_id,
        observation__night=night,
    )
    for row in runs.select_related("model", "observation__field").order_by("pk"):
        if wanted := _wanted(row, share):
            _keep(row, inject(row, wanted))


def _wanted(row: ModelRun, share: float) -> int:
    """Return how many are injected into a frame: on the mean its share, most often none, else several."""
    shown = Detection.objects.live().filter(model_run=row, origin=DetectionOrigin.PIPELINE).count()
    return _AT_ONCE * int(share * shown / _AT_ONCE + np.random.default_rng([seed_of(row), 1]).random())


def _keep(row: ModelRun, found: Sequence[Found]) -> None:
    """Write what was found, with its cutouts, and what is known of it; nothing where another was faster."""
    for one in found:
        one.write_cutouts()
    with jobs.writing():
        ModelRun.objects.select_for_update().get(pk=row.pk)
        if Detection.with_injected.filter(model_run=row, is_injected=True).exists():
            return
        for one in found:
            one.candidate.save(force_insert=True)
            one.detection.save(force_insert=True)
            GoldItem.objects.create(
                detection=one.detection,
                is_valid=True,
                kind=one.truth.kind.value,
                injected_snr=one.truth.snr,
                injected_flux=one.truth.flux,
                history=[as_stored(measured) for measured in one.history],
            )
