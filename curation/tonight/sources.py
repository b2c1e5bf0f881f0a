"""Sources that want another epoch: few nights, and judged real or urgent."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from catalog.models import Visitor
from curation.judgements import unmarked, visibility
from curation.judgements.verdicts import OPEN
from curation.tonight.targets import (
    AWAITS_ANSWER,
    KNOWN,
    POSITION_UNKNOWN,
    Kind,
    LeftOut,
    Target,
    nights_ago,
)
from detection.known.comparing import Verdict, known_near_each
from detection.models import AGAINST_THE_MODEL, Detection, DetectionStatus, DetectionType, Source, Urgency
from detection.sources.association import designation
from detection.sources.photometry import brightness_of, zero_points
from differencing.models import Tracklet
from differencing.numerics.extrapolation import Expected
from observations.models import WcsQuality
from observations.numerics.site import mjd_of, time_of

# What was not seen for a month wants a search, not another epoch.
_RECENT = dt.timedelta(days=30)
# Another epoch says most of what was seen on few nights.
_FEW_NIGHTS = 5
# So many are looked at, those seen last; more no night has room for.
_MOST_SOURCES, _MOST_DETECTIONS = 400, 100
_REAL = (DetectionStatus.VALIDATED, DetectionStatus.CONFIRMED)
_LONG = ("observation__header", "observation__facts", "observation__footprint")


def sources_wanting(user: Visitor, at: dt.datetime, left_out: LeftOut) -> list[Target]:
    """Return the sources that a person may see and that want another epoch; what is left out is counted."""
    recent = Source.objects.visible_to(user).filter(
        last_detected_at__range=(at - _RECENT, at), detection_count__lte=_MOST_DETECTIONS
    )
    found = {row.pk: row for row in recent.order_by("-last_detected_at", "id")[:_MOST_SOURCES]}
    wanted = {}
    for key, rows in _detections(user, list(found.values()), at).items():
        why = _why(rows, user)
        if why == AWAITS_ANSWER:
            left_out.add(AWAITS_ANSWER)
        elif why and found[key].wcs_quality == WcsQuality.NOMINAL:
            left_out.add(POSITION_UNKNOWN)
        elif why:
            wanted[key] = (why, rows)
    known = known_near_each([rows[-1] for _, rows in wanted.values()])
    are_known = {key for key, (_, rows) in wanted.items() if known[rows[-1].pk].verdict == Verdict.KNOWN}
    left_out.add(KNOWN, len(are_known))
    kept = {key: value for key, value in wanted.items() if key not in are_known}
    newest = [rows[-1] for _, rows in kept.values()]
    brightness, runs = brightness_of(newest), zero_points({row.observation_id for row in newest})
    targets = []
    for key, (why, rows) in kept.items():
        last = rows[-1]
        run, scale = runs.get(last.observation_id), last.observation.pixel_scale
        fwhm = run.fwhm_px * scale if run and run.fwhm_px and scale else None
        mag = brightness[last.pk].mag
        targets.append(_target(found[key], rows, (why, at), (mag, fwhm)))
    return targets


def _detections(user: Visitor, sources: Sequence[Source], at: dt.datetime) -> dict[UUID, list[Detection]]:
    """Return the detections of each source as they are shown to a person, in order of time; moving ones are none."""
    rows = Detection.objects.visible_to(user).live().filter(source__in=sources, observation__mjd_utc__lte=mjd_of(at))
    related = rows.select_related("candidate", "observation").defer(*_LONG).order_by("observation__mjd_utc", "id")
    every = list(related)
    candidates = [row.candidate_id for row in every if row.candidate_id]
    moving = set(Tracklet.objects.moving().filter(members__in=candidates).values_list("members", flat=True))
    of_each: dict[UUID, list[Detection]] = defaultdict(list)
    for row in every:
        if row.source_id is not None and row.candidate_id not in moving:
            of_each[row.source_id].append(row)
    visibility.veil([row for rows_of_one in of_each.values() for row in rows_of_one], user)
    return of_each


def _why(rows: Sequence[Detection], user: Visitor) -> str:
    """Say why a source is wanted, by what its detections are shown as; "" where it is not."""
    last = rows[-1]
    if len({row.observation.night for row in rows}) > _FEW_NIGHTS:
        return ""
    if last.status == DetectionStatus.REJECTED or last.detection_type == DetectionType.ARTIFACT:
        return ""
    secret = unmarked.unanswered_and_unmarked(rows, user)
    open_rows = [row for row in rows if row.pk not in secret and row.origin not in AGAINST_THE_MODEL]
    real = [row for row in rows if row.pk not in secret and row.status in _REAL]
    if real:
        label = real[-1].human_label.replace("_", " ")
        return f"judged real: {label}" if label else "judged real"
    urgent = [row for row in open_rows if row.status in OPEN and (row.urgency or 0) >= Urgency.HIGH]
    if urgent:
        return "urgent, and awaiting review"
    return AWAITS_ANSWER if any(row.pk in secret for row in rows) else ""


def _target(
    source: Source,
    rows: Sequence[Detection],
    said: tuple[str, dt.datetime],
    measured: tuple[float | None, float | None],
) -> Target:
    (why, at), (mag, fwhm) = said, measured
    last, nights = rows[-1], len({row.observation.night for row in rows})
    error = source.position_error_arcsec
    place = Expected(source.ra, source.dec, 0.0, 0.0, error, error, 0.0)
    seen = time_of(last.observation.mjd_utc)
    on = "one night" if nights == 1 else f"{nights} nights"
    return Target(
        kind=Kind.SOURCE,
        entity_type="source",
        key=source.pk,
        name=source.name or designation(source.ra, source.dec),
        level=max((Urgency(row.urgency) for row in rows if row.urgency), default=Urgency.LOW),
        why=f"{why}; seen on {on}, {nights_ago(seen, at)}",
        nights=nights,
        last_seen=seen,
        mag=mag,
        band=last.observation.filter_band,
        fwhm_arcsec=fwhm,
        detection=last.pk,
        expected=lambda _mjd: place,
    )
