"""What a frame must be for what was measured in it to be reported: solved, timed, of a known telescope."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from curation.reports.facts import Notes
from differencing.models import Candidate
from observations.models import Doubt, Observation, Telescope, WcsQuality
from observations.numerics.site import mjd_of
from observations.places import middle_of
from preprocessing.models import PreprocessRun

# Of what is told as the middle of an exposure and what it was processed by.
_SAME_TIME_S = 0.5
_OF_TIME = ("time", "exposure")


@dataclass(frozen=True)
class Frames:
    """What is known of some frames: their newest calibrations, what solved their anchors, and doubts that stand."""

    runs: Mapping[UUID, PreprocessRun]
    methods: Mapping[UUID, str]
    doubts: Mapping[UUID, tuple[str, ...]]

    def check(self, frame: Observation, notes: Notes) -> None:
        """Find what speaks against reporting anything that was measured in a frame."""
        name = frame.shown_name
        if frame.wcs_quality != WcsQuality.SOLVED:
            notes.refuse(
                f"the position of frame {name} is not solved against stars ({frame.get_wcs_quality_display()}): "
                "solve it with a star catalogue of its place first."
            )
        if frame.exposure_time is None:
            notes.refuse(f"how long frame {name} was exposed is not known, and so not the middle of its exposure.")
        elif abs(mjd_of(middle_of(frame)) - frame.mjd_utc) * 86400.0 > _SAME_TIME_S:
            notes.refuse(f"frame {name} was processed with another time than its own now: process it again.")
        for doubt in self.doubts.get(frame.pk, ()):
            notes.refuse(f"a doubt about frame {name} stands: {doubt} Settle it on the frame’s page.")
        if frame.pk not in self.runs:
            notes.refuse(f"frame {name} is not calibrated.")

    def position_error_arcsec(self, candidate: Candidate) -> float | None:
        """Return the 1 sigma error of a position in each axis: its own, and that of its frame's solution."""
        frame, run = candidate.observation, self.runs.get(candidate.observation_id)
        own_px = candidate.position_error_px
        if run is None or own_px is None or frame.pixel_scale is None:
            return None
        return float((own_px**2 + run.wcs_error_px**2) ** 0.5 * frame.pixel_scale)


def frames_of(observations: Collection[Observation]) -> Frames:
    """Return what is known of some frames, with few queries."""
    keys = {row.pk for row in observations}
    runs = {row.observation_id: row for row in PreprocessRun.objects.filter(observation__in=keys).newest_of_each()}
    anchors = {UUID(run.wcs_info["anchor"]) for run in runs.values() if run.wcs_info.get("anchor")}
    of_anchors = PreprocessRun.objects.filter(observation__in=anchors).newest_of_each()
    solved = {str(row.observation_id): str(row.wcs_info.get("solution", {}).get("method", "")) for row in of_anchors}
    methods = {key: solved.get(str(run.wcs_info.get("anchor", "")), "") for key, run in runs.items()}
    return Frames(runs, methods, _doubts(keys))


def one_telescope(observations: Iterable[Observation], notes: Notes) -> Telescope | None:
    """Return the telescope of all of some frames; None, with the reason, where there is none or several."""
    found = {row.telescope_id: row.telescope for row in observations}
    if len(found) > 1:
        notes.refuse("it was seen by several telescopes: a report is of one.")
        return None
    telescope = next(iter(found.values()), None)
    if telescope is None:
        notes.refuse("the telescope of its frames is not known: an administrator names it in a profile.")
    return telescope


def _doubts(keys: Collection[UUID]) -> dict[UUID, tuple[str, ...]]:
    """Return by frame what may be wrong with its time, or with anything by more than is trusted."""
    found: dict[UUID, tuple[str, ...]] = {}
    rows = Doubt.objects.standing().filter(Q(blocks_publication=True) | Q(fact__in=_OF_TIME), observation__in=keys)
    for row in rows.order_by("id"):
        found[row.observation_id] = (*found.get(row.observation_id, ()), row.message)
    return found
