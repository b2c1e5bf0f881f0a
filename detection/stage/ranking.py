"""What people should see first: how new to the sky detections are, and how urgent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from uuid import UUID

import numpy as np

from catalog.configuration.values import snapshot
from detection.known.comparing import Verdict, known_near_each
from detection.models import Detection, DetectionStatus, Urgency
from detection.sources.photometry import brightness_of
from detection.sources.urgency import urgency_of
from differencing.models import Tracklet
from observations.models import Observation, WcsQuality
from observations.numerics.sphere import separation_deg


def rank(*observations: Observation) -> None:
    """Tell of the detections of frames that await review how new and how urgent they are, as of now.

    Whatever the model said of them: what was drawn from the hidden must not stand out.
    """
    waiting = Detection.objects.filter(observation__in=observations, status=DetectionStatus.PENDING)
    rows = list(waiting.select_related("candidate").order_by("pk"))
    if not rows:
        return
    novelty, urgency = _novelty(rows, {frame.pk: frame for frame in observations}), _urgency(rows)
    changed = []
    for row in rows:
        now = (novelty.get(row.pk), urgency.get(row.pk))
        if (row.novelty, row.urgency) != now:
            row.novelty, row.urgency = now
            changed.append(row)
    Detection.objects.bulk_update(changed, ["novelty", "urgency"])


def _novelty(every: list[Detection], frames: Mapping[UUID, Observation]) -> dict[UUID, float]:
    """Return 1 / (1 + earlier nights) for each place, 0 for known bodies; of nominal positions nothing is known."""
    rows = [row for row in every if frames[row.observation_id].wcs_quality != WcsQuality.NOMINAL]
    if not rows:
        return {}
    night = {row.pk: frames[row.observation_id].night for row in rows}
    radius = snapshot()["detection.association_floor_arcsec"]
    before = (
        Detection.objects.within([(row.ra, row.dec, radius) for row in rows])
        .live()
        .exclude(status=DetectionStatus.REJECTED)
        .filter(observation__night__lt=max(night.values()))
        .exclude(observation__wcs_quality=WcsQuality.NOMINAL)
        .values_list("ra", "dec", "observation__night")
    )
    earlier = list(before)
    nights: dict[UUID, set[date]] = defaultdict(set)
    if earlier:
        ra, dec = np.array([place[:2] for place in earlier]).T
        for row in rows:
            near = separation_deg(row.ra, row.dec, ra, dec) * 3600.0 <= radius
            nights[row.pk] = {earlier[k][2] for k in np.flatnonzero(near) if earlier[k][2] < night[row.pk]}
    known = known_near_each(rows)
    return {
        row.pk: 0.0 if known[row.pk].verdict == Verdict.KNOWN else 1.0 / (1.0 + len(nights[row.pk])) for row in rows
    }


def _urgency(rows: list[Detection]) -> dict[UUID, Urgency]:
    config, brightness = snapshot(), brightness_of(rows)
    moving = Tracklet.objects.linked().moving()
    moves = set(moving.filter(members__in=[r.candidate_id for r in rows]).values_list("members", flat=True))
    return {
        row.pk: urgency_of(
            brightness[row.pk].mag,
            row.candidate.snr,
            is_rising=not row.candidate.is_negative and row.candidate_id not in moves,
            config=config,
        )
        for row in rows
        if row.candidate is not None
    }
