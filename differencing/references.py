"""Which frames serve as the reference of which: rules on rows, no pixels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction

from catalog.configuration.values import Snapshot
from catalog.failures import FailureCode, NotPossible, StageFailure
from catalog.people import audit
from differencing.models import Reference
from observations.models import Field, Observation
from observations.numerics.bands import normalise_band
from preprocessing.models import PreprocessRun


@dataclass(frozen=True)
class ReferenceChoice:
    """Frames to compare with, the best first; `promoted` where an administrator has made the choice already."""

    members: tuple[Observation, ...]
    excluded_night_of: Observation
    promoted: Reference | None = None


def choose_reference(science: Observation, config: Snapshot) -> ReferenceChoice:
    """Choose the frames that a science frame is compared with.

    A promoted reference without the science night comes first; then frames of earlier nights (a stack of three or
    more, else the best); within a single night a leave-one-out stack of three or more other frames, else the frame
    furthest in time, among those beyond `reference_min_gap_minutes` the sharpest. Bands must be the same.

    Raises StageFailure `waiting_for_reference` where there is none yet, `no_band` where the filter is not known: two
    unknown filters never match.
    """
    if normalise_band(science.filter_band) is None:
        raise StageFailure(FailureCode.NO_BAND, "The filter of this frame is not known: ingest it again with --band.")
    promoted = _promoted(science, config)
    if promoted is not None:
        return ReferenceChoice(tuple(promoted.members.all()), science, promoted)
    runs = _usable(science)
    earlier = [run for run in runs if run.observation.night < _newest_night(science, config)]
    most, fewest = config["differencing.reference_max_stack"], config["differencing.reference_min_stack"]
    if earlier:
        best = sorted(earlier, key=_badness)
        chosen = best[:most] if len(best) >= fewest else best[:1]
        return ReferenceChoice(tuple(run.observation for run in chosen), science)
    same_night = [run for run in runs if run.observation.night == science.night]
    if len(same_night) >= fewest:
        chosen = sorted(same_night, key=_badness)[:most]
        return ReferenceChoice(tuple(run.observation for run in chosen), science)
    if same_night:
        return ReferenceChoice((_furthest(science, same_night, config),), science)
    raise StageFailure(
        FailureCode.WAITING_FOR_REFERENCE,
        f"No other frame of this field in {science.filter_band} has been preprocessed yet: this one will be "
        "compared as soon as there is one. Add an earlier night or another exposure of the same field and filter.",
    )


def _promoted(science: Observation, config: Snapshot) -> Reference | None:
    """The active reference of the field and band, unless it holds frames of the science night or near it."""
    active = Reference.objects.filter(field=science.field, filter_band=science.filter_band, is_active=True)
    for reference in active.order_by("-version"):
        nights = reference.members.values_list("night", flat=True)
        if all(abs((night - science.night).days) > config["differencing.reference_exclude_days"] for night in nights):
            return reference
    return None


def _usable(science: Observation) -> list[PreprocessRun]:
    """The preprocessed, registered frames of the same field and band, without the science frame itself."""
    others = Observation.objects.filter(field=science.field, filter_band=science.filter_band)
    others = others.live().exclude(pk=science.pk)
    return [
        run
        for run in PreprocessRun.objects.newest_by_time(others)
        if run.wcs_aligned and run.fwhm_px and run.background_noise
    ]


def _newest_night(science: Observation, config: Snapshot) -> date:
    """Nights before this one may serve as reference."""
    return science.night - timedelta(days=config["differencing.reference_exclude_days"])


def _badness(run: PreprocessRun) -> tuple[float, str]:
    """Order frames from the best: what limits a point source is noise times seeing, over the light that arrives."""
    fwhm, noise = run.fwhm_px or float("inf"), run.background_noise or float("inf")
    transparency = run.transparency or 1.0
    return (fwhm * noise / max(transparency, 1e-3), str(run.observation_id))


def _furthest(science: Observation, runs: list[PreprocessRun], config: Snapshot) -> Observation:
    def gap_minutes(run: PreprocessRun) -> float:
        return abs(run.observation.mjd_utc - science.mjd_utc) * 1440.0

    apart = [run for run in runs if gap_minutes(run) >= config["differencing.reference_min_gap_minutes"]]
    chosen = min(apart, key=_badness) if apart else max(runs, key=gap_minutes)
    return chosen.observation


@transaction.atomic
def promote_reference(reference: Reference, actor: audit.Actor) -> Reference:
    """Let frames of its field and band be compared with this reference, in place of one made for the same night.

    Of several promoted ones the newest that holds no frame of the science night is used.
    """
    # One lock for all promotions in a field: two at once would each miss the other's.
    Field.objects.select_for_update().get(pk=reference.field_id)
    row = Reference.objects.get(pk=reference.pk)
    if row.is_active:
        raise NotPossible(f"{row} is already promoted.")
    same = Reference.objects.filter(field=row.field_id, filter_band=row.filter_band, excluded_night=row.excluded_night)
    for other in same.filter(is_active=True):
        _set_active(other, "withdraw_reference", actor, is_active=False)
    return _set_active(row, "promote_reference", actor, is_active=True)


@transaction.atomic
def withdraw_reference(reference: Reference, actor: audit.Actor) -> Reference:
    """Leave the choice of a reference to the rules again."""
    row = Reference.objects.select_for_update().get(pk=reference.pk)
    if not row.is_active:
        raise NotPossible(f"{row} is not promoted.")
    return _set_active(row, "withdraw_reference", actor, is_active=False)


def _set_active(row: Reference, action: str, actor: audit.Actor, *, is_active: bool) -> Reference:
    row.is_active = is_active
    row.save(update_fields=["is_active", "updated_at"])
    audit.record(row, action, actor=actor, old={"is_active": not is_active}, new={"is_active": is_active})
    return row
