"""Injected sources that a person was given and has not answered about: until then they are in the frame, for them.

Whoever opens the whole frame, or asks for an item by its key, finds what they would of anything that was found. Lists
hold science alone.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from catalog.models import Visitor
from catalog.roles import MAY_JUDGE
from curation.models import GoldAnswer
from detection.cutouts.pictures import PARTS, stored
from detection.models import Detection
from differencing.models import Candidate, DifferenceRun
from differencing.pictures.put_in import Put
from preprocessing.models import PreprocessRun


def detections_given(user: Visitor) -> QuerySet[GoldAnswer, UUID]:
    """Return the keys of the injected detections that a person was given and that wait for their answer."""
    shown = GoldAnswer.objects.not_hidden_from(user)
    open_ones = shown.filter(person=user.pk, is_valid__isnull=True, item__is_active=True)
    keys = open_ones.filter(item__detection__is_injected=True).values_list("item__detection", flat=True)
    return keys if user.has_perm(MAY_JUDGE) else keys.none()


def found_by_key(user: Visitor) -> QuerySet[Detection]:
    """Return the detections that a person may read by their keys: all, and those that they were given."""
    rows: QuerySet[Detection] = Detection.with_injected.visible_to(user)
    return rows.filter(Q(is_injected=False) | Q(pk__in=detections_given(user)))


def candidates_given(user: Visitor) -> QuerySet[Candidate]:
    """Return the candidates of what a person was given."""
    return Candidate.with_injected.filter(is_injected=True, detections__in=detections_given(user))


def put_into(run: DifferenceRun, user: Visitor) -> list[Put]:
    """Return the pixels of what a person was given in the frame of a subtraction."""
    given = Detection.with_injected.filter(pk__in=detections_given(user), candidate__difference_run=run)
    rows = list(given.select_related("candidate").order_by("pk"))
    preprocessed = PreprocessRun.objects.newest_for(run.observation) if rows else None
    fwhm_px = preprocessed.fwhm_px if preprocessed else None
    return [put for row in rows if fwhm_px and (put := _put(row, fwhm_px)) is not None]


def _put(row: Detection, fwhm_px: float) -> Put | None:
    cutouts = stored(row.cutouts_path)
    if cutouts is None or row.candidate is None or row.candidate.significance is None:
        return None
    planes = {name: cutouts[k] for k, name in enumerate(PARTS)}
    return Put(f"{row.pk}", row.pixel_x, row.pixel_y, planes, row.candidate.significance, fwhm_px)
