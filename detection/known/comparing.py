"""What known orbits say of detections: from what was computed for their frames, with few queries for many of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from catalog.configuration.values import Snapshot, snapshot
from detection.models import Detection, KnownObject, KnownObjectSearch, OrbitSet, SearchOutcome
from detection.numerics.ephemerides.matching import Comparison, Predicted, Seen, Verdict, compare, judge
from detection.sources.photometry import brightness_of
from observations.models import ObservationStatus, WcsQuality
from observations.numerics.sphere import separation_deg

# Of a position whose error in the frame was not measured, and what a frame's solution leaves beside it.
_UNMEASURED_ARCSEC, _WCS_ARCSEC = 1.0, 0.3
_NEEDED = (
    "ra", "dec", "observation__mjd_utc", "observation__pixel_scale", "observation__wcs_quality", "observation__status",
    "candidate__flux", "candidate__flux_error", "candidate__position_error_px",
)  # fmt: skip

__all__ = ["Known", "NearObject", "Verdict", "known_near", "known_near_each"]


@dataclass(frozen=True)
class NearObject:
    """A known body near a detection at the middle of its exposure."""

    designation: str
    is_comet: bool
    separation_arcsec: float
    # Of the body from the detection, from north by east.
    position_angle_deg: float
    # In units of all errors, the orbit's and the detection's.
    sigmas: float
    predicted_mag: float | None
    is_too_faint: bool
    rate_arcsec_per_min: float
    motion_angle_deg: float
    along_error_arcsec: float
    across_error_arcsec: float
    error_angle_deg: float
    orbit_epoch: datetime
    uncertainty_parameter: int | None


@dataclass(frozen=True)
class Known:
    """Whether a detection is something known, in a sentence, and the bodies that may be it, the likeliest first."""

    verdict: Verdict
    sentence: str
    objects: tuple[NearObject, ...] = ()
    # None where nothing was computed, or by no orbits.
    orbits_at: datetime | None = None
    orbit_count: int | None = None
    is_geocentric: bool = False


@dataclass(frozen=True)
class _Asked:
    """What all answers of one question share."""

    config: Snapshot
    now: datetime
    has_orbits: bool


def known_near(detection: Detection) -> Known:
    """Return what known orbits say of one detection."""
    return known_near_each([detection])[detection.pk]


def known_near_each(detections: Collection[Detection]) -> dict[UUID, Known]:
    """Return what known orbits say of each detection, by its key: six queries, however many there are."""
    keys = [row.pk for row in detections]
    rows = list(Detection.with_injected.filter(pk__in=keys).select_related("observation", "candidate").only(*_NEEDED))
    frames = {row.observation_id for row in rows}
    searches = {row.observation_id: row for row in KnownObjectSearch.objects.filter(observation__in=frames)}
    objects: dict[UUID, list[KnownObject]] = {}
    for found in KnownObject.objects.filter(observation__in=frames):
        objects.setdefault(found.observation_id, []).append(found)
    brightness = brightness_of(rows)
    has_orbits = len(searches) == len(frames) or OrbitSet.objects.complete().exists()
    asked = _Asked(snapshot(), timezone.now(), has_orbits)
    answers = {}
    for row in rows:
        search = searches.get(row.observation_id)
        why = _cannot(row, search, asked)
        if why or search is None:
            answers[row.pk] = Known(Verdict.CANNOT_SAY, f"cannot say: {why}")
        else:
            seen = Seen(row.ra, row.dec, _error_arcsec(row), brightness[row.pk].mag)
            answers[row.pk] = _answer(seen, search, objects.get(row.observation_id, []), asked)
    return answers


def _cannot(row: Detection, search: KnownObjectSearch | None, asked: _Asked) -> str:
    """Return why nothing can be said whatever was computed; "" where something can."""
    if row.observation.wcs_quality == WcsQuality.NOMINAL:
        return "the frame’s position is from pointing and optics only"
    if row.observation.status == ObservationStatus.IMPORTED:
        return "known bodies are not computed for exposures of which only alerts are here"
    if search is None:
        load, update = "no orbits are loaded (manage.py known_objects load)", "manage.py known_objects update"
        return f"no known objects were computed for this frame yet ({update})" if asked.has_orbits else load
    if search.outcome != SearchOutcome.DONE:
        return _WHY[SearchOutcome(search.outcome)]
    # A second of time moves what passes the Earth by half an arcsecond.
    is_of_now = abs(search.mjd_utc - row.observation.mjd_utc) * 86400.0 < 1.0
    if not is_of_now or float(separation_deg(row.ra, row.dec, search.ra, search.dec)) > search.radius_deg:
        return "the frame’s time or place was corrected since the known objects were computed for it"
    return ""


_WHY = {
    SearchOutcome.NO_EPHEMERIDES: "the ephemerides are not installed (make ephemerides)",
    SearchOutcome.NONE_USABLE: (
        "none of the loaded orbits tells where its body was when the frame was taken: they are too uncertain, or their "
        "epochs too far away"
    ),
    SearchOutcome.NO_SIZE: "it is not known how much of the sky the frame shows",
}


def _error_arcsec(row: Detection) -> float:
    """Return the error of a position in each axis."""
    scale = row.observation.pixel_scale
    error = row.candidate.position_error_px if row.candidate is not None else None
    return _WCS_ARCSEC + (_UNMEASURED_ARCSEC if error is None or scale is None else error * scale)


def _answer(seen: Seen, search: KnownObjectSearch, objects: Sequence[KnownObject], asked: _Asked) -> Known:
    """Return what the bodies of a frame make of a detection in it."""
    radius = float(asked.config["known_objects.search_radius_arcsec"])
    match = float(asked.config["known_objects.match_radius_arcsec"])
    likely = [row for row in objects if _may_be_near(seen, row, radius)]
    compared = [(row, compare(seen, _predicted(row), match, radius)) for row in likely]
    near = [(row, one) for row, one in compared if one.separation_arcsec <= radius or one.is_here]
    near.sort(key=lambda pair: (not pair[1].is_here, pair[1].is_too_faint, pair[1].sigmas))
    verdict, decides = judge([one for _, one in near])
    best = near[decides] if decides is not None else None
    days = (asked.now - search.orbits_at).days
    basis = _Basis(search, days, radius)
    is_old = days > int(asked.config["known_objects.max_orbit_age_days"])
    if verdict == Verdict.NOT_KNOWN and (is_old or basis.is_thin):
        verdict = Verdict.CANNOT_SAY
    sentence = _sentence(verdict, best, near, basis)
    found = tuple(_near_object(row, one) for row, one in near)
    return Known(verdict, sentence, found, search.orbits_at, search.orbit_count, search.is_geocentric)


def _may_be_near(seen: Seen, row: KnownObject, radius_arcsec: float) -> bool:
    """Say whether a body is worth comparing: most of a frame's are far away in declination alone."""
    room = 3.0 * (row.along_error_arcsec + seen.error_arcsec + row.rate_arcsec_per_min)
    return abs(row.dec - seen.dec) * 3600.0 <= max(radius_arcsec, room)


def _predicted(row: KnownObject) -> Predicted:
    return Predicted(
        row.ra, row.dec, row.rate_arcsec_per_min, row.along_error_arcsec, row.across_error_arcsec, row.error_angle_deg,
        row.predicted_mag,
    )  # fmt: skip


def _near_object(row: KnownObject, one: Comparison) -> NearObject:
    return NearObject(
        row.designation, row.is_comet, one.separation_arcsec, one.position_angle_deg, one.sigmas, row.predicted_mag,
        one.is_too_faint, row.rate_arcsec_per_min, row.position_angle_deg, row.along_error_arcsec,
        row.across_error_arcsec, row.error_angle_deg, row.orbit_epoch, row.uncertainty_parameter,
    )  # fmt: skip


# --- The sentence ---
Near = tuple[KnownObject, Comparison]


@dataclass(frozen=True)
class _Basis:
    """By what something is said."""

    search: KnownObjectSearch
    days: int
    radius_arcsec: float

    @property
    def is_thin(self) -> bool:
        """Whether most orbits say nothing of the frame's time: of good lists, one in ten does not."""
        return self.search.vague_count > self.search.orbit_count

    @property
    def age(self) -> str:
        return {0: "of today", 1: "of yesterday"}.get(max(self.days, 0), f"of {self.days} days ago")

    @property
    def seen_from(self) -> str:
        return " (seen from the Earth’s centre: the site is not known)" if self.search.is_geocentric else ""

    @property
    def orbits(self) -> str:
        """How many orbits, how old, and of how many nothing follows."""
        vague = self.search.vague_count
        beside = f"; {_count(vague)} more are too uncertain to say where they are" if vague else ""
        return f"{_count(self.search.orbit_count)} orbits {self.age}{beside}"


def _sentence(verdict: Verdict, best: Near | None, near: Sequence[Near], basis: _Basis) -> str:
    if best is not None and verdict == Verdict.KNOWN:
        return f"known: {_named(best)}, orbits {basis.age}{basis.seen_from}"
    if best is not None:
        row, one = best
        room = (
            f"may be anywhere within {3.0 * row.along_error_arcsec:.0f}″ of a place {one.separation_arcsec:.0f}″ away"
        )
        return f"cannot say: {row.designation}{_magnitude(row)} {room}, orbits {basis.age}"
    if verdict == Verdict.CANNOT_SAY and basis.is_thin:
        vague, others = _count(basis.search.vague_count), _count(basis.search.orbit_count)
        when = "do not tell where their bodies were when the frame was taken"
        return f"cannot say: {vague} of the loaded orbits {when}, and none of the other {others} leads here"
    if verdict == Verdict.CANNOT_SAY:
        return f"cannot say: the orbits are {basis.days} days old, and none of them leads here"
    others = f"; {_named(near[0])}, is too far or too faint to be it" if near else ""
    nothing = "no known asteroid or comet is here" if near else f"no known asteroid within {basis.radius_arcsec:g}″"
    return f"{nothing} ({basis.orbits}){others}"


def _named(near: Near) -> str:
    row, one = near
    return f"{row.designation}, {one.separation_arcsec:.1f}″ away{_magnitude(row)}"


def _magnitude(row: KnownObject) -> str:
    """Name a brightness, if any is predicted: that of a comet as a whole is no V magnitude."""
    if row.predicted_mag is None:
        return ""
    return f", {'total magnitude' if row.is_comet else 'V'} {row.predicted_mag:.1f}"


def _count(number: int) -> str:
    """Say a number of orbits as one speaks of it."""
    if number >= 1_000_000:
        return f"{number / 1e6:.1f} million"
    return f"{number:,}".replace(",", " ") if number >= 10_000 else str(number)
