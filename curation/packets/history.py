"""What was known of a source when something was published of it: nothing that came later is ever in a packet."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from curation.alerts.facts import AlertFacts
from curation.packets.facts import ForcedFacts, HistoryFacts, MotionFacts, PlaceFacts, SeenFacts
from curation.packets.measures import forced_of, place_of, runs_of, seen_of
from detection.models import Detection, ForcedPhotometry, ForcedReason
from differencing.models import Tracklet

# A year before the detection, as the great streams send; a source that is watched every night fits in.
DAYS = 365.0
MOST_DETECTIONS, MOST_FORCED = 200, 400
_WITH = ("survey", "telescope")
RELATED = (
    "source", "model_run__model", "candidate__difference_run__reference",
    *(f"observation__{name}" for name in _WITH),
)  # fmt: skip
# Headers, and what stages wrote down, which a packet has no use for.
LONG = ("observation__header", "observation__facts", "observation__given", "candidate__difference_run__parameters")


@dataclass(frozen=True)
class Then:
    """A detection that something was published of, and when: later rows are not looked at.

    tracklet : of which it is a moving member; None for what stays put. closed : surveys that the packet must hold
    nothing of, since not everybody who may read it may see them.
    """

    detection: Detection
    known_until: datetime
    tracklet: Tracklet | None
    closed: Collection[UUID] = ()


@dataclass(frozen=True)
class History:
    """The other detections of the source and its forced photometry, in order of time."""

    detections: tuple[SeenFacts, ...]
    forced: tuple[ForcedFacts, ...]
    facts: HistoryFacts


def history_of(then: Then, told: AlertFacts) -> History:
    """Return the history of a source as it was known: within a year before the detection, the latest of too many."""
    since = then.detection.observation.mjd_utc - DAYS
    detections, forced = _detections(then, told), _forced(then)
    recent = detections.filter(observation__mjd_utc__gte=since).order_by("-observation__mjd_utc", "-pk")
    measured = forced.filter(mjd_utc__gte=since).order_by("-mjd_utc", "-pk")
    rows = list(recent.select_related(*RELATED).defer(*LONG)[:MOST_DETECTIONS])[::-1]
    runs = runs_of({row.observation_id for row in rows}, then.known_until)
    measurements = list(measured.select_related("observation", "reference").defer(*LONG[:3])[:MOST_FORCED])[::-1]
    left_out = detections.count() - len(rows), forced.count() - len(measurements)
    return History(
        tuple(seen_of(row, runs.get(row.observation_id)) for row in rows),
        tuple(forced_of(row) for row in measurements),
        HistoryFacts(
            known_until_utc=then.known_until,
            days=DAYS,
            most_detections=MOST_DETECTIONS,
            most_forced=MOST_FORCED,
            detections_left_out=left_out[0],
            forced_left_out=left_out[1],
            is_cut_off=any(left_out),
        ),
    )


def motion_of(then: Then, told: AlertFacts) -> MotionFacts | None:
    """Return how something moves, as it was told; None for what was not told to."""
    if told.rate_arcsec_per_min is None:
        return None
    track = then.tracklet
    return MotionFacts(
        tracklet_uuid=track.pk if track else None,
        rate_arcsec_per_min=told.rate_arcsec_per_min,
        position_angle_deg=told.motion_angle_deg,
        position_count=told.tracklet_size,
        rms_arcsec=track.rms_arcsec if track else None,
        chance_rate=track.chance_rate if track else None,
        positions=_positions(track, then.known_until, then.closed) if track else (),
    )


def motion_along(track: Tracklet, known_until: datetime, closed: Collection[UUID]) -> MotionFacts:
    """Return how something moves by its tracklet, as far as frames of other surveys than these show it."""
    places = _positions(track, known_until, closed)
    return MotionFacts(
        tracklet_uuid=track.pk,
        rate_arcsec_per_min=track.rate_arcsec_per_min,
        position_angle_deg=track.position_angle,
        position_count=len(places),
        rms_arcsec=track.rms_arcsec,
        chance_rate=track.chance_rate,
        positions=places,
    )


def _positions(track: Tracklet, known_until: datetime, closed: Collection[UUID]) -> tuple[PlaceFacts, ...]:
    every = track.members.all().outside(closed) if closed else track.members
    members = every.filter(created_at__lte=known_until).select_related("observation")
    return tuple(sorted((place_of(member) for member in members), key=lambda place: place.midpoint_mjd_utc))


def tracklet_of(detection: Detection, known_until: datetime) -> Tracklet | None:
    """Return the longest moving tracklet that a detection is a member of, of those that were known."""
    if detection.candidate is None:
        return None
    tracks = detection.candidate.tracklets.moving().filter(created_at__lte=known_until)
    found: Tracklet | None = max(tracks, key=lambda track: (track.members.count(), track.pk), default=None)
    return found


def _detections(then: Then, told: AlertFacts) -> QuerySet[Detection]:
    """Return the other detections that stood; which did is written down in what was told since there are packets."""
    every = Detection.objects.all().outside(then.closed) if then.closed else Detection.objects
    rows: QuerySet[Detection] = every.filter(created_at__lte=then.known_until).exclude(pk=then.detection.pk)
    if told.detections:
        return rows.filter(pk__in=told.detections)
    if then.detection.source_id is None:
        return rows.none()
    return rows.filter(pk__in=Detection.objects.live().filter(source=then.detection.source_id))


def _forced(then: Then) -> QuerySet[ForcedPhotometry]:
    """Return the measurement of each frame by the newest difference; one that was made anew later is left out."""
    place = Q(source=then.detection.source_id) if then.detection.source_id else Q(pk__in=())
    if then.tracklet is not None:
        place |= Q(tracklet=then.tracklet)
    every = ForcedPhotometry.objects.exclude(observation__survey__in=then.closed)
    known = (
        (every if then.closed else ForcedPhotometry.objects)
        .filter(place, created_at__lte=then.known_until, updated_at__lte=then.known_until)
        .exclude(reason=ForcedReason.OUTSIDE)
    )
    keys: QuerySet[ForcedPhotometry, UUID] = known.newest_of_each().values_list("pk", flat=True)
    return ForcedPhotometry.objects.filter(pk__in=keys)
