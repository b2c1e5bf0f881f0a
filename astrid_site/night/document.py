"""What the database holds about some observations, as one document that a program can read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC
from uuid import UUID

from django.db.models import Q

from catalog.models import RunStatus
from detection.models import Detection
from differencing.models import Candidate, DifferenceRun, Tracklet, TrackletKind
from observations.delivery.ingest import IngestResult, printable
from observations.models import Observation
from preprocessing.models import PreprocessRun

_CANDIDATE = (
    "ra", "dec", "pixel_x", "pixel_y", "significance", "snr", "flux", "flux_error", "fwhm", "is_negative",
    "is_dipole", "is_reference_ghost", "is_saturated", "is_blended", "is_edge", "vetoes",
)  # fmt: skip
_DOUBT = ("code", "fact", "keyword", "value", "message", "blocks_publication")
_TRACKLET = (
    "kind", "stack_score", "rate_arcsec_per_min", "position_angle", "rms_arcsec", "trail_ratio", "chance_rate",
    "is_doubtful",
)  # fmt: skip


def document(ids: Iterable[UUID], refused: Iterable[IngestResult]) -> dict[str, list[dict[str, object]]]:
    """Return observations, difference runs, candidates, detections and tracklets, NaN as None.

    Each list is in a fixed order, so that the same rows give the same document. A file that was refused at the
    door stands among the observations with its reason.
    """
    observations = list(Observation.objects.filter(pk__in=list(ids)).order_by("mjd_utc", "observation_id"))
    runs = _shown_runs(observations)
    candidates = Candidate.objects.filter(difference_run__in=runs).select_related("observation")
    entries = [_observation(o) for o in observations] + [_refused(r) for r in refused]
    whole = {
        "observations": entries,
        "difference_runs": [_difference_run(run) for run in runs],
        "candidates": [_candidate(c) for c in sorted(candidates, key=_place)],
        "detections": [_detection(d) for d in _detections(runs)],
        "tracklets": _tracklets(observations),
    }
    return {name: [{key: _plain(value) for key, value in row.items()} for row in rows] for name, rows in whole.items()}


def shown_detections(ids: Iterable[UUID]) -> list[Detection]:
    """Return the detections that a document of these observations lists, in its order."""
    observations = Observation.objects.filter(pk__in=list(ids))
    return _detections(_shown_runs(observations))


def _detections(runs: list[DifferenceRun]) -> list[Detection]:
    rows = Detection.objects.filter(candidate__difference_run__in=runs).live()
    related = rows.select_related("observation", "source", "candidate__difference_run")
    return sorted(related, key=_place)


def _place(row: Candidate | Detection) -> tuple[float, str, float, float]:
    return (row.observation.mjd_utc, row.observation.observation_id, row.pixel_y, row.pixel_x)


def _plain(value: object) -> object:
    """Return numbers that JSON can hold: NaN and infinities as None, in depth."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _shown_runs(observations: Iterable[Observation]) -> list[DifferenceRun]:
    runs = DifferenceRun.objects.select_related("observation", "reference")
    return [run for o in observations if (run := runs.last_for(o)) is not None]


def _observation(row: Observation) -> dict[str, object]:
    newest = PreprocessRun.objects.filter(observation=row).first()
    return {
        "file": row.original_name,
        "observation_id": row.observation_id,
        "status": row.status,
        "calibration_applied": bool(newest and newest.calibration_applied),
        "wcs_quality": row.wcs_quality,
        "seeing": row.seeing,
        "observation_time": row.observation_time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "mjd_utc": row.mjd_utc,
        "exposure_time": row.exposure_time,
        "ra": row.ra,
        "dec": row.dec,
        "zero_point": _zero_point(newest),
        "doubts": [{name: getattr(doubt, name) for name in _DOUBT} for doubt in row.doubts.standing()],
        "failure_code": row.failure_code,
        "error_message": row.error_message,
    }


def _zero_point(run: PreprocessRun | None) -> dict[str, object] | None:
    if run is None or run.zero_point_mag is None:
        return None
    return {
        "mag": run.zero_point_mag,
        "error_mag": run.zero_point_error,
        "catalogue": run.zero_point_catalogue,
        "band": run.zero_point_band,
        "system": run.zero_point_system,
        "scatter_mag": run.zero_point_scatter,
        "stars": run.zero_point_stars,
        "colour_term": run.colour_term,
        "colour_term_error": run.colour_term_error,
        "colour": run.zero_point_colour or None,
        "colour_mag": run.zero_point_colour_mag,
        "no_colour_term": run.no_colour_term,
    }


def _refused(result: IngestResult) -> dict[str, object]:
    return {
        "file": printable(result.path.name),
        "observation_id": None,
        "status": "failed",
        "calibration_applied": False,
        "wcs_quality": None,
        "seeing": None,
        "observation_time": None,
        "mjd_utc": None,
        "exposure_time": None,
        "ra": None,
        "dec": None,
        "zero_point": None,
        "doubts": [],
        "failure_code": result.failure_code,
        "error_message": result.error_message,
    }


def _difference_run(run: DifferenceRun) -> dict[str, object]:
    members = run.reference.members.order_by("mjd_utc", "observation_id") if run.reference else []
    given = [run.reference.original_name] if run.reference and run.reference.original_name else []
    return {
        "file": run.observation.original_name,
        "reference_files": given or [member.original_name for member in members],
        "status": run.status,
        "algorithm": run.algorithm,
        "noise_level": run.noise_level,
        "noise_rescale": run.noise_rescale,
        "candidates_found": run.candidates_found if run.status == RunStatus.COMPLETED else None,
        "processing_time_seconds": run.processing_time_seconds,
        "doubts": run.doubts,
        "failure_code": run.failure_code,
        "error_message": run.error_message,
    }


def _candidate(row: Candidate) -> dict[str, object]:
    return {"file": row.observation.original_name, **{name: getattr(row, name) for name in _CANDIDATE}}


def _detection(row: Detection) -> dict[str, object]:
    measured = _candidate(row.candidate) if row.candidate else {"file": row.observation.original_name}
    return {
        **measured,
        "confidence_score": row.confidence_score,
        "detection_type": row.detection_type,
        "model_version": row.model_version,
        "source": str(row.source_id) if row.source_id else None,
    }


def _tracklets(observations: list[Observation]) -> list[dict[str, object]]:
    nights = {(o.field_id, o.night) for o in observations}
    stacked = Tracklet.objects.filter(kind=TrackletKind.STACKED, field__in={field for field, _ in nights})
    mine = [t.pk for t in stacked if (t.field_id, t.night) in nights]
    found = Tracklet.objects.filter(Q(members__observation__in=observations) | Q(pk__in=mine)).distinct()
    rows = []
    for tracklet in found.order_by("night", "rate_arcsec_per_min", "id"):
        members = tracklet.members.select_related("observation").order_by("observation__mjd_utc", "pixel_x")
        places = [{"file": m.observation.original_name, "pixel_x": m.pixel_x, "pixel_y": m.pixel_y} for m in members]
        places += [{name: place[name] for name in ("file", "pixel_x", "pixel_y")} for place in tracklet.positions]
        rows.append({"members": places, **{name: getattr(tracklet, name) for name in _TRACKLET}})
    return rows
