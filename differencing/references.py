"""Which frames serve as the reference of which: rules on rows, no pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from catalog.configuration.values import Snapshot, snapshot
from catalog.failures import FailureCode, NotPossible, StageFailure
from catalog.ids import uuid7
from catalog.people import audit
from catalog.work import jobs
from differencing.models import Reference
from observations.models import Field, Observation, ObservationStatus
from observations.numerics.bands import normalise_band
from observations.numerics.scales import are_alike
from preprocessing.models import PreprocessRun

# A new reference is worth its trouble, and a break in every light curve, from a tenth of a magnitude on.
WORTH_MAG = 0.1
# Work on what has been looked at before comes after tonight's.
RECOMPUTED_PRIORITY = -10
_MJD_0 = date(1858, 11, 17)
# Frames of a science frame's own scale need no resampling between pixels of two sizes, and have its PSF. Others serve
# where they gather four times what these do, and go .75 mag deeper.
OWN_SCALE_SHARE = 0.25


@dataclass(frozen=True)
class ReferenceChoice:
    """What a frame of a field and band is compared with.

    members : frames, the best first; none for an image that was given. excluded_night : night of the science frame
    where they are from it. promoted : the reference that serves already. is_first : the first of its field and band,
    which is promoted as it is made.
    """

    field: Field
    filter_band: str
    members: tuple[Observation, ...]
    excluded_night: date | None = None
    promoted: Reference | None = None
    is_first: bool = False


def choose_reference(science: Observation, config: Snapshot) -> ReferenceChoice:
    """Choose what a science frame is compared with; never frames of its own night where there are others.

    The promoted reference comes first, if it holds nothing of the last `reference_exclude_days`; then frames older
    than these; where the field has none, the promoted reference or earlier nights as they are; then whatever else is
    promoted; within a single night a leave-one-out stack of three or more other frames, else the frame furthest in
    time, among those beyond `reference_min_gap_minutes` the sharpest. Bands must be the same. The first stack of
    earlier nights is promoted by itself, and is that of the first night that had one before it, in whatever order
    frames are compared.

    Frames of a field may have several pixel scales (another binning, another camera). Only those of one scale are
    stacked; those of the science frame's own come first, unless others are far deeper.

    Raises StageFailure `waiting_for_reference` where there is none yet, `no_band` where the filter is not known: two
    unknown filters never match.
    """
    if normalise_band(science.filter_band) is None:
        raise StageFailure(FailureCode.NO_BAND, "The filter of this frame is not known: ingest it again with --band.")
    if science.field is None:
        raise StageFailure(FailureCode.NO_WCS, "This frame belongs to no field: ingest it again with its position.")
    rules = _Rules(science, config)
    return rules.promoted(rules.days) or rules.earlier() or rules.same_night()


class _Rules:
    """The rules for one science frame, in the order in which `choose_reference` asks them."""

    def __init__(self, science: Observation, config: Snapshot) -> None:
        self.science, self.config = science, config
        self.days: int = config["differencing.reference_exclude_days"]
        self.active = _active(science)
        runs = usable_runs(science.field_id, science.filter_band)
        self.runs = [run for run in runs if run.observation_id != science.pk]

    def promoted(self, days: int) -> ReferenceChoice | None:
        """The promoted reference, where it holds no frame of the science night nor of so many days about it."""
        if self.active is None or not is_apart(held_nights(self.active), self.science.night, days):
            return None
        if self._has_better_scale(self.active):
            return None
        best = self.active.best_member_id
        members = sorted(self.active.members.order_by("mjd_utc", "sha256"), key=lambda member: member.pk != best)
        return ReferenceChoice(*self._about(), tuple(members), promoted=self.active)

    def earlier(self) -> ReferenceChoice | None:
        """Frames from before the days that are left out; where the field has none, what is promoted or earlier."""
        newest = self.science.night - timedelta(days=self.days)
        old = _before(self.runs, newest)
        if not old and (promoted := self.promoted(0)):
            return promoted
        found = old or _before(self.runs, self.science.night)
        if not found:
            return None
        best = best_of(self._of_one_scale(found), self.config)
        first = self._first(newest if old else self.science.night)
        if first and are_alike(_scale(first[0]), _scale(best[0])):
            return self._of(first, is_first=True)
        return self._of(best)

    def same_night(self) -> ReferenceChoice:
        runs = [run for run in self.runs if run.observation.night == self.science.night]
        runs = self._of_one_scale(runs)
        if len(runs) >= self.config["differencing.reference_min_stack"]:
            return self._of(best_of(runs, self.config), excluded=self.science.night)
        if runs:
            return self._of([_furthest(self.science, runs, self.config)], excluded=self.science.night)
        raise StageFailure(
            FailureCode.WAITING_FOR_REFERENCE,
            f"No other frame of this field in {self.science.filter_band} has been preprocessed yet: this one will be "
            "compared as soon as there is one. Add an earlier night or another exposure of the same field and filter.",
        )

    def _first(self, before: date) -> list[PreprocessRun]:
        """The frames of the field's first reference: those from before the first night that had enough for a stack.

        None where a reference has been promoted already, or where they are not all from before a night.
        """
        science = self.science
        of_band = Reference.objects.filter(field=science.field, filter_band=science.filter_band)
        if of_band.filter(Q(is_active=True) | Q(is_automatic=True)).exists():
            return []
        nights = Observation.objects.filter(field=science.field, filter_band=science.filter_band).live()
        for night in nights.order_by("night").values_list("night", flat=True).distinct():
            found = _deepest(_by_scale(_before(self.runs, night)))
            if len(found) >= self.config["differencing.reference_min_stack"]:
                return best_of(found, self.config) if len(_before(found, before)) == len(found) else []
        return []

    def _of_one_scale(self, runs: list[PreprocessRun]) -> list[PreprocessRun]:
        """The frames of the science frame's own scale, or of another that is far deeper."""
        groups = _by_scale(runs)
        deepest, own = _deepest(groups), self._own_scale(runs)
        return own if own and _weight(own) >= OWN_SCALE_SHARE * _weight(deepest) else deepest

    def _own_scale(self, runs: list[PreprocessRun]) -> list[PreprocessRun]:
        return [run for run in runs if are_alike(_scale(run), self.science.pixel_scale)]

    def _has_better_scale(self, promoted: Reference) -> bool:
        """Tell whether a reference that nobody chose has another scale than frames that would do as well."""
        best = promoted.best_member
        if best is None or not promoted.is_automatic or are_alike(best.pixel_scale, self.science.pixel_scale):
            return False
        own = self._own_scale(_before(self.runs, self.science.night))
        members = PreprocessRun.objects.newest_by_time(promoted.members.all())
        return bool(own) and _weight(own) >= OWN_SCALE_SHARE * _weight(members)

    def _of(
        self, runs: Sequence[PreprocessRun], *, excluded: date | None = None, is_first: bool = False
    ) -> ReferenceChoice:
        members = tuple(run.observation for run in runs)
        return ReferenceChoice(*self._about(), members, excluded, is_first=is_first)

    def _about(self) -> tuple[Field, str]:
        if self.science.field is None:
            raise ValueError("a frame without a field has no reference")
        return self.science.field, self.science.filter_band


def _active(science: Observation) -> Reference | None:
    """The promoted reference of the field and band."""
    return Reference.objects.filter(field=science.field, filter_band=science.filter_band, is_active=True).first()


def held_nights(reference: Reference) -> list[tuple[date, date]]:
    """Return the nights that are in a reference, as first and last of each stretch.

    An image that was given counts by its epochs; one of unknown epoch is as old as those of surveys, and has none.
    """
    if reference.best_member_id is not None:
        return [(night, night) for night in reference.members.values_list("night", flat=True)]
    if reference.first_mjd_utc is None or reference.last_mjd_utc is None:
        return []
    # The evening's date, whatever the longitude: at most a day early.
    return [(date_of(reference.first_mjd_utc) - timedelta(days=1), date_of(reference.last_mjd_utc))]


def date_of(mjd_utc: float) -> date:
    """Return the date, UTC."""
    return _MJD_0 + timedelta(days=math.floor(mjd_utc))


def is_apart(held: Iterable[tuple[date, date]], night: date, days: int) -> bool:
    """Tell whether a night is more than so many days away from all that is held."""
    return all((first - night).days > days or (night - last).days > days for first, last in held)


def usable_runs(field_id: UUID | None, band: str) -> list[PreprocessRun]:
    """Return the runs of the preprocessed, registered frames of a field and band."""
    frames = Observation.objects.filter(field=field_id, filter_band=band).live()
    return [
        run
        for run in PreprocessRun.objects.newest_by_time(frames)
        if run.wcs_aligned and run.fwhm_px and run.background_noise
    ]


def _before(runs: Iterable[PreprocessRun], night: date) -> list[PreprocessRun]:
    return [run for run in runs if run.observation.night < night]


def _scale(run: PreprocessRun) -> float | None:
    return run.observation.pixel_scale


def _by_scale(runs: list[PreprocessRun]) -> list[list[PreprocessRun]]:
    """Part frames by pixel scale, each with the best frame that is like it."""
    groups: list[list[PreprocessRun]] = []
    for run in sorted(runs, key=_order):
        like = next((group for group in groups if are_alike(_scale(group[0]), _scale(run))), None)
        if like is None:
            groups.append([run])
        else:
            like.append(run)
    return groups


def _weight(runs: Iterable[PreprocessRun]) -> float:
    return sum(depth_weight(run) for run in runs)


def _deepest(groups: list[list[PreprocessRun]]) -> list[PreprocessRun]:
    return max(groups, key=_weight, default=[])


def best_of(runs: Sequence[PreprocessRun], config: Snapshot) -> list[PreprocessRun]:
    """Return what a stack is made of, the best first: without frames that add nothing to the best one's depth.

    The best alone where they are fewer than a stack needs.
    """
    best = sorted(runs, key=_order)
    if len(best) < config["differencing.reference_min_stack"]:
        return best[:1]
    least = config["differencing.reference_min_weight"] * depth_weight(best[0])
    worth = [run for run in best if depth_weight(run) >= least]
    return max(worth, best[: config["differencing.reference_min_stack"]], key=len)[
        : config["differencing.reference_max_stack"]
    ]


def depth_weight(run: PreprocessRun) -> float:
    """Return the square of the S/N that a point source has in a frame, relative to others of its field and band.

    What limits it is noise times seeing, over the light that arrives: counts of stars against those in the field's
    anchor, whatever camera counts them.
    """
    transparency = run.wcs_info.get("transparency") or run.transparency or 1.0
    light = max(transparency, 1e-3) * run.observation.delivered.exposure_s
    return (light / ((run.fwhm_px or math.inf) * (run.background_noise or math.inf))) ** 2


def _order(run: PreprocessRun) -> tuple[float, float, str]:
    """Order frames from the best, equal ones by what they are and not by when they came."""
    return (-depth_weight(run), run.observation.mjd_utc, run.observation.delivered.sha256)


def _furthest(science: Observation, runs: list[PreprocessRun], config: Snapshot) -> PreprocessRun:
    def gap_minutes(run: PreprocessRun) -> float:
        return abs(run.observation.mjd_utc - science.mjd_utc) * 1440.0

    apart = [run for run in runs if gap_minutes(run) >= config["differencing.reference_min_gap_minutes"]]
    return min(apart, key=_order) if apart else max(runs, key=gap_minutes)


def material(field_id: UUID, band: str, config: Snapshot) -> list[PreprocessRun]:
    """Return the frames of which a new reference of a field and band would be made today, the best first.

    Those from before the days that are left out ahead of the newest night; where there are too few for a stack, those
    of all nights before it. None where these are too few as well.
    """
    runs = usable_runs(field_id, band)
    if not runs:
        return []
    newest = max(run.observation.night for run in runs)
    for night in (newest - timedelta(days=config["differencing.reference_exclude_days"]), newest):
        found = _deepest(_by_scale(_before(runs, night)))
        if len(found) >= config["differencing.reference_min_stack"]:
            return best_of(found, config)
    return []


def possible_gain_mag(reference: Reference, config: Snapshot) -> float | None:
    """Return by how much a new reference is predicted to be deeper than this one, None below a tenth of a magnitude."""
    found = material(reference.field_id, reference.filter_band, config)
    new = sum(depth_weight(run) for run in found)
    if new <= 0.0:
        return None
    members = PreprocessRun.objects.newest_by_time(reference.members.all())
    now = sum(depth_weight(run) for run in members)
    if now > 0.0:
        gain = 1.25 * math.log10(new / now)
    elif reference.depth_mag is not None and found[0].limiting_magnitude is not None:
        gain = found[0].limiting_magnitude + 1.25 * math.log10(new / depth_weight(found[0])) - reference.depth_mag
    else:
        return None
    return round(gain, 2) if gain >= WORTH_MAG else None


def note_possible_gain(reference: Reference, config: Snapshot) -> None:
    """Write down what a new reference would gain over a promoted one, where that has changed."""
    if not reference.is_active:
        return
    gain = possible_gain_mag(reference, config)
    if gain != reference.deeper_by_mag:
        Reference.objects.filter(pk=reference.pk).update(deeper_by_mag=gain)
        reference.deeper_by_mag = gain


@transaction.atomic
def order_new_reference(reference: Reference, actor: audit.Actor) -> Reference:
    """Order a new version of a field's reference of the frames that are there now; promoting it is another matter."""
    found = material(reference.field_id, reference.filter_band, snapshot())
    if not found:
        raise NotPossible(f"There are too few frames in {reference.filter_band} from before the newest night.")
    jobs.enqueue("reference", "reference", reference.pk)
    audit.record(reference, "order_reference", actor=actor, old={}, new={"frame_count": len(found)})
    return reference


@transaction.atomic
def promote_reference(reference: Reference, actor: audit.Actor) -> Reference:
    """Let frames of its field and band be compared with this reference, in place of the one before.

    What was compared with another version is compared again, after all other work.
    """
    # One lock for all promotions in a field: two at once would each miss the other's.
    Field.objects.select_for_update().get(pk=reference.field_id)
    row = Reference.objects.get(pk=reference.pk)
    if row.is_active:
        raise NotPossible(f"{row} is already promoted.")
    if row.excluded_night is not None:
        raise NotPossible(
            f"{row} was made within the night of {row.excluded_night}, for one of its frames: it serves no others. "
            "Have a new reference made of the field's frames."
        )
    make_active(row, actor)
    _compare_again(row)
    return row


def make_active(row: Reference, actor: audit.Actor) -> None:
    """Promote a reference in place of the one before, in the caller's transaction, which holds the field's lock."""
    same = Reference.objects.filter(field=row.field_id, filter_band=row.filter_band)
    for other in same.filter(is_active=True).exclude(pk=row.pk):
        _set_active(other, "withdraw_reference", actor, is_active=False)
    _set_active(row, "promote_reference", actor, is_active=True)


def _compare_again(reference: Reference) -> None:
    """Order its subtraction from the frames that were compared with another version, or waited for any."""
    days, held = snapshot()["differencing.reference_exclude_days"], held_nights(reference)
    workflow_id = str(uuid7())
    frames = Observation.objects.filter(field=reference.field_id, filter_band=reference.filter_band)
    is_due = Q(status=ObservationStatus.DIFFERENCED) | Q(failure_code=FailureCode.WAITING_FOR_REFERENCE)
    due = frames.filter(is_due).order_by("mjd_utc", "observation_id")
    for pk, night in due.values_list("pk", "night"):
        if is_apart(held, night, days):
            jobs.enqueue("difference", "observation", pk, priority=RECOMPUTED_PRIORITY, workflow_id=workflow_id)


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
