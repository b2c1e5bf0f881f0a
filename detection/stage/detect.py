"""Score the candidates of one observation and make detections of those that are likely real."""

from __future__ import annotations

import io
import time
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db.models import ProtectedError, QuerySet
from numpy.typing import NDArray

from catalog.configuration.values import Snapshot, snapshot
from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.models import RunStatus
from catalog.work import jobs
from detection.models import (
    AGAINST_THE_MODEL,
    CandidateScore,
    Detection,
    DetectionOrigin,
    DetectionStatus,
    Model,
    ModelRun,
)
from detection.numerics.infer import Judged, WeightsRefused, judge
from detection.numerics.stamps import cut_stamps
from detection.registry.weights import ensure_default_model, weights_path
from detection.sources.association import alone, associate, forget_empty_sources
from detection.sources.telling import tell_types
from detection.stage import trails, vetoes
from detection.stage.disagreement import note_disagreement
from detection.stage.ranking import rank
from detection.stage.reading import reading, resident_mb, seeing_of
from detection.thresholds import in_force as thresholds
from differencing.models import Candidate, CandidateStatus, DifferenceRun, Tracklet
from observations.models import Observation
from observations.numerics.fits.mapped import Pixels, map_images
from observations.numerics.frame import Mask

# The keys that decide about detections and their sources.
READS = (
    "detection.association_floor_arcsec",
    "detection.association_sigma",
    "detection.bright_snr",
    *thresholds.READS,
    *trails.READS,
    *vetoes.READS,
)


# Why there is a detection of what the model or a veto would have rejected.
_MOVES = "It is a member of a tracklet that chance does not explain, whatever its score."
_BRIGHT = "It is bright and nothing speaks against it, whatever its score."


class Scored(NamedTuple):
    """What inference gives: what the model says of each candidate, its stamp, and what it cost."""

    judged: Judged
    stamps: NDArray[np.float32]
    time_ms: float
    memory_mb: float


def run(observation_id: UUID | str) -> None:
    """Score the candidates of the observation's newest difference; a repeat replaces its own products.

    Detections that a person has judged stay as they are, whatever the new scores say. Raises StageFailure
    `model_missing` where the weights are gone or changed: no score is invented.
    """
    config = snapshot().only(READS)
    observation = Observation.objects.get(pk=observation_id)
    difference = newest_difference(observation)
    model = ensure_default_model()
    row = _open(model, observation, difference, config)
    if row is None:
        return
    weights = weights_path(model)
    candidates = candidates_in(difference)
    scored = infer(observation, difference, candidates, str(weights))
    mask = trails.drawn(difference, config)
    paths = _write_cutouts(observation, candidates, scored.stamps)
    with jobs.writing(last=True):
        # Frames of one night say of each other's candidates what stays on its pixel: two at once would block each
        # other.
        alone()
        _close(row, scored)
        trails.note(candidates, mask)
        in_other_frames = vetoes.note_night(observation)
        candidates = candidates_in(difference)
        made = _record(row, candidates, scored.judged, paths, config)
        _reject(in_other_frames, config)
        _clear_superseded(observation)
        associate(made, observation, config)
        forget_empty_sources()
        rank(observation)
        tell_types(observation)
        note_disagreement(observation)


def candidates_in(difference: DifferenceRun) -> list[Candidate]:
    return list(Candidate.objects.filter(difference_run=difference).order_by("-significance", "id"))


def abandon(observation_id: str, code: FailureCode, sentence: str) -> None:
    """Close the model runs that were at work, in the caller's transaction."""
    ModelRun.objects.filter(observation=UUID(str(observation_id)), is_shadow=False).give_up(code, sentence)


def newest_difference(observation: Observation) -> DifferenceRun:
    newest = DifferenceRun.objects.newest_for(observation)
    if newest is None:
        raise StageFailure(FailureCode.INTERNAL_ERROR, "This observation has no completed difference.")
    return newest


@jobs.writing()
def _open(model: Model, observation: Observation, difference: DifferenceRun, config: Snapshot) -> ModelRun | None:
    """Make or take up the run's row; None where the same model has done the same with the same configuration."""
    row, _ = ModelRun.objects.select_for_update().get_or_create(
        model=model, observation=observation, input_image_path=difference.difference_image_path
    )
    now = thresholds.in_force(model, config)
    is_same = (row.config_hash, row.threshold) == (config.hash, now.threshold)
    is_done = row.status == RunStatus.COMPLETED and is_same and not _has_work(difference)
    if is_done and not trails.is_due(difference, config):
        return None
    row.config_hash, row.threshold, row.calibration = config.hash, now.threshold, now.calibration
    row.is_shadow = False
    row.begin()
    row.save()
    return row


def _has_work(difference: DifferenceRun) -> bool:
    """Tell whether a candidate waits for its score or is known to move by now, or a detection's is no longer found."""
    own = Candidate.objects.filter(difference_run=difference)
    unscored = own.filter(status=CandidateStatus.PENDING)
    homeless = Detection.objects.filter(observation=difference.observation).without_their_source()
    found_since = own.out_of_step().exists() or _superseded(difference.observation).exists()
    return unscored.exists() or found_since or homeless.exists()


def infer(observation: Observation, difference: DifferenceRun, candidates: list[Candidate], weights: str) -> Scored:
    """Cut the stamps out of the stored images and score them: no database from here."""
    fwhm = seeing_of(observation)
    clock, before_mb = time.perf_counter(), resident_mb()
    images = _images(difference)
    x, y = [c.pixel_x for c in candidates], [c.pixel_y for c in candidates]
    stamps = cut_stamps(*images, (x, y))
    try:
        judged = judge(stamps, weights, fwhm_px=fwhm, threads=settings.ASTRID_THREADS)
    except (WeightsRefused, FileNotFoundError) as error:
        raise StageFailure(FailureCode.MODEL_MISSING, f"The model's weights cannot be used: {error}") from error
    took_ms, took_mb = (time.perf_counter() - clock) * 1000.0, max(0.0, resident_mb() - before_mb)
    return Scored(judged, stamps, took_ms, took_mb)


class _Images(NamedTuple):
    """The matched images as the subtraction stored them, mapped, and the mask."""

    science: Pixels
    reference: Pixels
    difference: Pixels
    mask: Mask


def _images(run: DifferenceRun) -> _Images:
    with reading():
        difference = map_images(storage.open_stored(run.difference_image_path))
        matched = map_images(storage.open_stored(run.reference_aligned_path))
        return _Images(matched.plane("SCIENCE"), matched.plane(), difference.plane(), difference.mask())


def _write_cutouts(
    observation: Observation, candidates: list[Candidate], stamps: NDArray[np.float32]
) -> dict[UUID, str]:
    """Write science, reference, difference and mask of each candidate as one numpy file, (4, 63, 63) float32."""
    paths = {candidate.pk: f"cutouts/{observation.pk}/{candidate.pk}.npy" for candidate in candidates}
    storage.write_all(dict(zip(paths.values(), map(as_file, stamps), strict=True)))
    return paths


def as_file(stamp: NDArray[np.float32]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, stamp)
    return buffer.getvalue()


def _close(row: ModelRun, scored: Scored) -> None:
    known = scored.judged.confidence[np.isfinite(scored.judged.confidence)]
    row.inference_time_ms, row.memory_usage_mb = scored.time_ms, scored.memory_mb
    row.total_predictions = int(known.size)
    row.high_confidence_predictions = int((known >= thresholds.of_run(row)).sum())
    row.complete()
    row.save()


def _record(
    row: ModelRun, candidates: list[Candidate], judged: Judged, paths: dict[UUID, str], config: Snapshot
) -> list[Detection]:
    """Keep the scores; make, refresh or take back the detections.

    Ghosts, dipoles and what is vetoed become none; what is vetoed does where it is a member of something that moves.
    What is bright and not vetoed does at any score: a network that has seen no such telescope hides no nova.
    """
    scored = {c.pk: float(value) for c, value in zip(candidates, judged.confidence, strict=True) if np.isfinite(value)}
    unlike = {c.pk: float(value) for c, value in zip(candidates, judged.anomaly, strict=True) if np.isfinite(value)}
    keep_scores(row, candidates, judged)
    bright, is_refused = bright_among(candidates, config) & scored.keys(), vetoes.refused_by(config, candidates)
    least = thresholds.of_run(row)
    convincing = {key for key, value in scored.items() if value >= least}
    by_score = convincing - is_refused
    real = by_score | (bright - is_refused)
    rows = Candidate.objects.filter(pk__in=[c.pk for c in candidates])
    moving = Tracklet.objects.linked().moving()
    linked = set(rows.filter(tracklets__in=moving, is_dipole=False).values_list("pk", flat=True)) - real
    rows.filter(pk__in=real).update(status=CandidateStatus.DETECTED)
    rows.filter(pk__in=linked).update(status=CandidateStatus.LINKED)
    rows.exclude(pk__in=real | linked).update(status=CandidateStatus.REJECTED)
    # Held, so that a verdict given at this moment is neither overlooked nor overwritten.
    known = {d.candidate_id: d for d in Detection.objects.select_for_update().filter(candidate__in=candidates)}
    made, new = [], []
    for candidate in candidates:
        detection = known.get(candidate.pk)
        if detection is not None and _is_left(detection, is_real=candidate.pk in real):
            # What was promoted or drawn gets a source when people call it real.
            made += [] if detection.origin in AGAINST_THE_MODEL and not detection.is_validated else [detection]
        elif candidate.pk in real or (candidate.pk in linked and candidate.pk in scored):
            found = detection or Detection(candidate=candidate, observation_id=candidate.observation_id)
            describe(found, row, candidate, scored[candidate.pk], paths[candidate.pk])
            found.anomaly = unlike.get(candidate.pk)
            found.origin, found.drawn_score, found.inclusion_probability = DetectionOrigin.PIPELINE, None, None
            if candidate.pk not in by_score:
                found.prediction_metadata["reason"] = _MOVES if candidate.pk in linked else _BRIGHT
            made.append(found)
            if detection is None:
                new.append(found)
            else:
                detection.save()
        elif detection is not None:
            _take_back(detection)
    Detection.objects.bulk_create(new)
    return made


def bright_among(candidates: list[Candidate], config: Snapshot) -> set[UUID]:
    """Return what is too bright for chance, with no flag or veto, rejecting or not, that says it is no source."""
    least = config["detection.bright_snr"]
    flags = ("is_negative", "is_edge", "is_saturated", "is_blended")
    return {c.pk for c in candidates if c.snr >= least and not c.vetoes and not any(getattr(c, f) for f in flags)}


def _reject(candidates: list[Candidate], config: Snapshot) -> None:
    """Reject what other frames have shown to be no source, and take back what was made of it before."""
    refused = vetoes.refused_by(config, candidates)
    Candidate.objects.filter(pk__in=refused).update(status=CandidateStatus.REJECTED)
    for detection in Detection.objects.select_for_update().filter(candidate__in=refused):
        if not _is_left(detection, is_real=False):
            _take_back(detection)


def keep_scores(row: ModelRun, candidates: list[Candidate], judged: Judged) -> None:
    """Replace what this model said of the candidates."""
    CandidateScore.objects.filter(candidate__in=candidates, model=row.model).delete()
    own = {"model": row.model, "model_run": row, "weights_sha256": row.model.weights_sha256}
    each = zip(candidates, judged.of_each(), strict=True)
    CandidateScore.objects.bulk_create(CandidateScore(candidate=one, **said, **own) for one, said in each if said)


def describe(detection: Detection, row: ModelRun, candidate: Candidate, value: float, cutout: str) -> None:
    """Say in a detection, not yet saved, what the model made of its candidate and where that is."""
    detection.model_run, detection.confidence_score = row, value
    detection.model_version = f"{row.model.name} {row.model.version}"
    detection.inference_time_ms = row.time_of_each_ms
    detection.cutouts_path = cutout
    detection.prediction_metadata = {"weights_sha256": row.model.weights_sha256}
    for name in ("ra", "dec", "pixel_x", "pixel_y"):
        setattr(detection, name, getattr(candidate, name))


def is_judged(detection: Detection) -> bool:
    """Tell whether a person has had a say: then no machine changes the row."""
    return detection.status != DetectionStatus.PENDING or detection.is_validated or bool(detection.human_label)


def _is_left(detection: Detection, *, is_real: bool) -> bool:
    """Tell whether a detection stays as it is: judged, or there against what the model still says."""
    return is_judged(detection) or (detection.origin in AGAINST_THE_MODEL and not is_real)


def _superseded(observation: Observation) -> QuerySet[Detection]:
    """Return the live detections of candidates that a later difference no longer finds."""
    gone = {"candidate__observation": observation, "candidate__status": CandidateStatus.DUPLICATE}
    return Detection.objects.live().filter(**gone)


def _clear_superseded(observation: Observation) -> None:
    """Delete superseded detections with their candidates; archive those that were judged or made known."""
    for detection in _superseded(observation).select_related("candidate"):
        candidate = detection.candidate
        if _is_left(detection, is_real=False):
            Detection.objects.filter(pk=detection.pk).update(status=DetectionStatus.ARCHIVED)
        elif _take_back(detection) and candidate is not None:
            candidate.delete()


def _take_back(detection: Detection) -> bool:
    """Delete a detection, or archive one that something rests on, such as an alert; return whether it is gone."""
    try:
        detection.delete()
    except ProtectedError:
        Detection.objects.filter(pk=detection.pk).update(status=DetectionStatus.ARCHIVED)
        return False
    return True
