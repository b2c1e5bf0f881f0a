"""Subtract the reference from one observation and keep what stands out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import NamedTuple
from uuid import UUID

import numpy as np
from astropy.wcs import WCS
from django.utils import timezone
from numpy.typing import NDArray

from catalog.configuration.values import Snapshot, snapshot
from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.models import RunStatus
from catalog.work import jobs
from catalog.work.inputs import hash_of
from differencing.doubts import doubts_of, doubts_of_measures
from differencing.models import DifferenceRun, Reference, ReferenceOrigin
from differencing.numerics import VERSION
from differencing.numerics.choice import ZOGY, Choice, prepare_for, subtract_prepared
from differencing.numerics.colour import ColourTerm
from differencing.numerics.difference import Difference
from differencing.numerics.mapped_psf import map_psf
from differencing.numerics.measure import Measurements, MeasureParameters, measure
from differencing.numerics.noise import sigma_of_good
from differencing.numerics.pair import Pair, finite
from differencing.numerics.parameters import ZogyParameters
from differencing.numerics.peaks import find
from differencing.numerics.spikes import are_spikes
from differencing.numerics.tie import TooFewStars
from differencing.numerics.vetoes.examine import examine, filled_pixels
from differencing.numerics.vetoes.veto import Veto
from differencing.parameters import zogy_parameters
from differencing.pictures import tiles
from differencing.references import choose_reference, note_possible_gain
from differencing.stage.candidates import replace_candidates
from differencing.stage.colours import colour_term_between
from differencing.stage.device import usable_device
from differencing.stage.in_doubt import psfs_in_doubt, scale_in_doubt
from differencing.stage.reference import load_reference, made_reference, wcs_identity, with_psf
from differencing.stage.refraction import refraction_between
from differencing.stage.registration import aligned
from observations.claims.doubts import store_doubts
from observations.models import DoubtOrigin, Observation, ObservationStatus
from observations.numerics.fits.products import encode_image
from observations.numerics.frame import Frame, Mask, MaskBit, PsfModel
from preprocessing.models import PreprocessRun
from preprocessing.numerics.astrometry.matching import Match, MatchFailed
from preprocessing.products import load_frame

# The keys that decide about the difference, by this stage and by the choice and the making of its reference.
READS = (
    "differencing.algorithm",
    "differencing.max_candidates",
    "differencing.max_registration_rms_px",
    "differencing.min_matched_stars",
    "differencing.min_overlap_share",
    "differencing.model_error",
    "differencing.noise_rescale_tolerance",
    "differencing.reference_exclude_days",
    "differencing.reference_max_stack",
    "differencing.reference_min_gap_minutes",
    "differencing.reference_min_stack",
    "differencing.reference_min_weight",
    "differencing.stack_rejection_sigma",
    "differencing.threshold_sigma",
    "differencing.tile_overlap_px",
    "differencing.tile_px",
)


_Pixels = NDArray[np.generic]


class Inputs(NamedTuple):
    """What one run works on: rows and parameters."""

    observation: Observation
    science_run: PreprocessRun
    reference: Reference
    config: Snapshot
    parameters: dict[str, object]

    def hash_with(self, parameters: dict[str, object]) -> str:
        """Return the hash of the pixels with some parameters, which tells whether this has been done before."""
        run = self.science_run
        science = [self.observation.sha256, run.inputs_hash, wcs_identity(run)]
        return hash_of([science, self.reference.inputs_hash, parameters])


class Result(NamedTuple):
    """What one subtraction leaves in memory."""

    difference: Difference
    choice: Choice
    measurements: Measurements
    vetoes: list[tuple[Veto, ...]]
    wcs: WCS
    mask_bits: NDArray[np.uint8]
    matched_stars: int
    registration_rms_px: float
    colour: tuple[str, ColourTerm] | None
    spikes: int


def run(observation_id: UUID | str) -> None:
    """Difference one observation against the reference that the rules choose.

    The same science product, reference and configuration leave everything as it is. Raises StageFailure with the
    reason, which `abandon` writes to the rows; a light without a reference waits.
    """
    config = snapshot().only(READS)
    observation = Observation.objects.select_related("field").get(pk=observation_id)
    science_run = PreprocessRun.objects.newest_for(observation)
    if science_run is None:
        raise StageFailure(FailureCode.INTERNAL_ERROR, "This observation has not been preprocessed.")
    reference = made_reference(choose_reference(observation, config), config)
    note_possible_gain(reference, config)
    inputs = inputs_of(observation, science_run, reference, config)
    if _is_done(inputs):
        _mark_done(observation)
        return
    clock = time.perf_counter()
    row = _open(inputs)
    result = compute(inputs)
    _write(row, result)
    tiles.prepare(row)
    with jobs.writing(last=True):
        _close(row, inputs, result, time.perf_counter() - clock)
        replace_candidates(row, result.measurements, result.wcs, result.vetoes)
        _mark_done(observation)


def abandon(observation_id: str, code: FailureCode, sentence: str) -> None:
    """Close the rows of a run that ended for good, in the caller's transaction; one that waits stays open."""
    observation = Observation.objects.get(pk=observation_id)
    is_waiting = code == FailureCode.WAITING_FOR_REFERENCE
    reason = {"failure_code": code, "error_message": sentence}
    status = RunStatus.PENDING if is_waiting else RunStatus.FAILED
    ended = None if is_waiting else timezone.now()
    opened = DifferenceRun.objects.filter(observation=observation).open()
    if not opened.update(status=status, completed_at=ended, **reason):
        DifferenceRun.objects.update_or_create(
            observation=observation,
            reference_observation=None,
            reference=None,
            parameters_hash="",
            defaults={"algorithm": _configured(), "status": status, "completed_at": ended, **reason},
        )
    if is_waiting:
        Observation.objects.filter(pk=observation.pk).update(**reason)
    else:
        Observation.objects.filter(pk=observation.pk).update(status=ObservationStatus.FAILED, **reason)


def _configured() -> str:
    """Return the algorithm that is asked for: what a run that never subtracted says."""
    return str(snapshot()["differencing.algorithm"])


def inputs_of(observation: Observation, science_run: PreprocessRun, reference: Reference, config: Snapshot) -> Inputs:
    parameters = {
        "version": VERSION,
        "zogy": asdict(zogy_parameters(config)),
        "measure": asdict(MeasureParameters()),
        "config": config.group("differencing"),
    }
    return Inputs(observation, science_run, reference, config, parameters)


def _is_done(inputs: Inputs) -> bool:
    """Tell whether the newest completed run of this observation had the same inputs and its files are there."""
    newest = DifferenceRun.objects.newest_for(inputs.observation)
    if newest is None or not had(newest, inputs):
        return False
    paths = (newest.difference_image_path, newest.significance_map_path, newest.reference_aligned_path)
    return all(path and storage.exists(path) for path in paths)


def had(run: DifferenceRun, inputs: Inputs) -> bool:
    """Tell whether a run had these inputs, by the parameters that it recorded with their hash.

    What it recorded beyond those that are read today may differ: earlier versions took down the whole group of keys.
    """
    recorded = {name: run.parameters.get(name) for name in inputs.parameters}
    if run.inputs_hash != inputs.hash_with(recorded):
        return False
    read_today = inputs.config.group("differencing")
    read_then = {key: value for key, value in recorded["config"].items() if key in read_today}
    return {**recorded, "config": read_then} == inputs.parameters


@jobs.writing()
def _mark_done(observation: Observation) -> None:
    """Say that the observation is differenced; what waited, was left at work or never had a reference is over."""
    runs = DifferenceRun.objects.filter(observation=observation)
    (runs.open() | runs.filter(reference=None, reference_observation=None)).delete()
    Observation.objects.filter(pk=observation.pk).update(
        status=ObservationStatus.DIFFERENCED, failure_code="", error_message=""
    )


@jobs.writing()
def _open(inputs: Inputs) -> DifferenceRun:
    """Make or take up the run's row and say that it is at work."""
    row, _ = DifferenceRun.objects.get_or_create(
        observation=inputs.observation,
        reference_observation=inputs.reference.best_member,
        reference=inputs.reference,
        parameters_hash=hash_of(inputs.parameters),
        defaults={"algorithm": inputs.config["differencing.algorithm"]},
    )
    row.parameters, row.inputs_hash = inputs.parameters, inputs.hash_with(inputs.parameters)
    row.config_hash = inputs.config.hash
    row.begin()
    row.save()
    Observation.objects.filter(pk=inputs.observation.pk).update(status=ObservationStatus.DIFFERENCING)
    return row


class _Prepared(NamedTuple):
    """A pair ready to be subtracted, and what else is wanted of both frames, which are in memory no longer."""

    pair: Pair
    science: Frame
    mask_bits: NDArray[np.uint8]
    filled: Mask
    match: Match
    colour: tuple[str, ColourTerm] | None
    refraction_px: NDArray[np.float64] | None


def compute(inputs: Inputs, change: Callable[[Frame], Frame] | None = None) -> Result:
    """Subtract, find and measure, the science frame changed before: no database once both frames are loaded."""
    config, p, device = inputs.config, zogy_parameters(inputs.config), usable_device()
    algorithm = config["differencing.algorithm"]
    pair, science, bits, filled, match, colour, refraction_px = _prepared(inputs, algorithm, p, change)
    with _failing_in_words():
        difference, choice = subtract_prepared(pair, algorithm=algorithm, parameters=p, device=device)
    peaks = find(difference, threshold_sigma=config["differencing.threshold_sigma"])
    is_spike = are_spikes(difference, peaks)
    peaks, spikes = peaks[~is_spike], int(is_spike.sum())
    if len(peaks) > config["differencing.max_candidates"]:
        raise StageFailure(
            FailureCode.TOO_MANY_CANDIDATES,
            f"{len(peaks)} peaks beyond {config['differencing.threshold_sigma']:g} sigma (noise of the score "
            f"{difference.noise_rescale:.2f}): the subtraction cannot be trusted. Look at the difference image.",
        )
    measured = measure(difference, peaks, science)
    vetoes = examine(difference, measured, filled, refraction_px=refraction_px)
    return Result(difference, choice, measured, vetoes, science.wcs, bits, match.count, match.rms_px, colour, spikes)


def _prepared(inputs: Inputs, algorithm: str, p: ZogyParameters, change: Callable[[Frame], Frame] | None) -> _Prepared:
    """Load both frames, bring the reference onto the science grid and both to common counts."""
    science = load_frame(inputs.science_run)
    if change is not None:
        science = change(science)
    if science.wcs is None:
        raise StageFailure(FailureCode.NO_WCS, "The frame has no world coordinates: preprocess it again.")
    refraction_px = refraction_between(inputs.observation, inputs.reference, science.wcs)
    reference, match, colour = _aligned_reference(inputs, science)
    _require_overlap(science, reference, inputs.config)
    with _failing_in_words():
        science, reference = finite(science), finite(reference)
        bits, filled = stored_bits(science.mask | reference.mask, science, reference), filled_pixels(science, reference)
        reference = replace(reference, mask_bits=None)
        pair = prepare_for(science, reference, algorithm=algorithm, parameters=p)
    # What is measured of the frame later has its sky taken off, and lies in memory once.
    science = replace(science, data=pair.new.image, variance=None)
    return _Prepared(pair, science, bits, filled, match, colour, refraction_px)


@contextmanager
def _failing_in_words() -> Iterator[None]:
    """Turn what the subtraction raises into reasons; a fault in what comes before it stays a fault."""
    try:
        yield
    except TooFewStars as error:
        raise StageFailure(FailureCode.TOO_FEW_STARS, f"No flux scale can be measured: {error}.") from error
    except ValueError as error:
        raise StageFailure(FailureCode.BAD_SUBTRACTION, f"The subtraction failed: {error}.") from error


def _aligned_reference(inputs: Inputs, science: Frame) -> tuple[Frame, Match, tuple[str, ColourTerm] | None]:
    """Return the reference on the science grid with its PSF, the match of the stars, and a given one's colour term."""
    loaded = load_reference(inputs.reference)
    try:
        reference, match = aligned(loaded, science, inputs.config)
    except MatchFailed as error:
        raise StageFailure(
            FailureCode.NO_OVERLAP,
            f"The stars of this frame and of its reference do not show the same sky ({error}). Check the pointing "
            "and the scale in the header, or reprocess the field when better frames are there.",
        ) from error
    is_given = inputs.reference.origin == ReferenceOrigin.GIVEN
    colour = colour_term_between(science, loaded, match) if is_given else None
    is_needed = inputs.config["differencing.algorithm"] == ZOGY
    return _with_psf(reference, loaded.psf, match, is_needed=is_needed), match, colour


def _with_psf(aligned_frame: Frame, psf: object, match: Match, *, is_needed: bool) -> Frame:
    """Return an aligned frame with the PSF that it had before, brought along; measured anew where it had no model."""
    if not isinstance(psf, PsfModel):
        return with_psf(aligned_frame, is_needed=is_needed)
    return replace(aligned_frame, psf=map_psf(psf, match.transform, aligned_frame.shape))


def stored_bits(mask: Mask, *frames: Frame) -> NDArray[np.uint8]:
    """Return what later measurements need to know of bad pixels: which they are, and which of them are saturated."""
    bits = np.where(mask, np.uint8(MaskBit.BAD), np.uint8(0))
    for frame in frames:
        if frame.mask_bits is not None:
            bits[mask & ((frame.mask_bits & int(MaskBit.SATURATED)) != 0)] |= np.uint8(MaskBit.SATURATED)
    return bits


def _require_overlap(science: Frame, reference: Frame, config: Snapshot) -> None:
    share = float((~science.mask & ~reference.mask).mean())
    if share == 0.0:
        raise StageFailure(FailureCode.NO_OVERLAP, "Science frame and reference have no good pixel in common.")
    if share < config["differencing.min_overlap_share"]:
        raise StageFailure(
            FailureCode.LOW_OVERLAP,
            f"Science frame and reference share only {share:.1%} of the frame; "
            f"{config['differencing.min_overlap_share']:.0%} are needed.",
        )


def _write(row: DifferenceRun, result: Result) -> None:
    """Write the three images, each whole or not at all; their names carry the run and its inputs."""
    difference = result.difference
    folder = f"differences/{row.observation_id}/{row.pk}-{row.inputs_hash[:12]}"
    cards = [
        ("ZP-SCALE", difference.diagnostics.flux_scale_median, "reference counts x this = science counts"),
        ("NRESCALE", difference.noise_rescale, "noise of the score before normalisation"),
    ]
    images: dict[str, tuple[str, _Pixels, list[tuple[str, _Pixels]]]] = {
        "difference_image_path": ("difference.fits", difference.difference, [("MASK", result.mask_bits)]),
        # With the score it gives the error of a flux as well: forced photometry needs both at any place.
        "significance_map_path": ("score.fits", difference.score, [("FLUX", difference.flux)]),
        "reference_aligned_path": ("reference.fits", difference.reference, [("SCIENCE", difference.science)]),
    }
    for name, (file, data, extra) in images.items():
        content = encode_image(data, wcs=result.wcs, cards=cards, extra=extra)
        setattr(row, name, storage.write_atomically(f"{folder}/{file}", content))


def _close(row: DifferenceRun, inputs: Inputs, result: Result, seconds: float) -> None:
    difference = result.difference
    row.noise_level = sigma_of_good(difference.difference, difference.mask)
    row.noise_rescale = difference.noise_rescale
    row.detection_threshold = inputs.config["differencing.threshold_sigma"]
    row.candidates_found = len(result.measurements)
    row.registration_rms_px = result.registration_rms_px
    row.matched_stars = result.matched_stars
    row.algorithm = result.choice.algorithm
    row.parameters = {
        **inputs.parameters,
        # Peaks that were left out are counted, as everything that a run decides.
        "diagnostics": {**_finite(asdict(difference.diagnostics)), "spikes": float(result.spikes)},
        "choice": {
            "reason": result.choice.reason,
            "predicted": {name: _finite(asdict(depth)) for name, depth in result.choice.depths.items()},
        },
    }
    found = difference.diagnostics
    said = [
        *doubts_of(inputs.reference, found.flux_scale_scatter, result.colour),
        *doubts_of_measures(
            flux_scatter=found.flux_scale_scatter,
            score_median=found.score_median,
            model_error=found.model_error,
            noise_rescale=difference.noise_rescale,
            noise_tolerance=inputs.config["differencing.noise_rescale_tolerance"],
        ),
        *psfs_in_doubt(difference),
        *scale_in_doubt(inputs.observation, inputs.reference),
    ]
    row.doubts = [asdict(doubt) for doubt in said]
    store_doubts(row.observation, DoubtOrigin.DIFFERENCE, said)
    row.processing_time_seconds = seconds
    row.complete()
    row.save()


def _finite(numbers: dict[str, float]) -> dict[str, float]:
    return {key: value for key, value in numbers.items() if np.isfinite(value)}
