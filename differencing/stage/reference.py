"""Build the reference of a science frame: one frame, or a stack of several, as a row with a file."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import replace
from typing import NamedTuple

from django.db.models import Max

from catalog.configuration.values import Snapshot
from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.work import jobs
from differencing.models import Reference
from differencing.numerics import VERSION
from differencing.numerics.align import align
from differencing.numerics.stack import StackParameters, stack
from differencing.numerics.tie import TooFewStars
from differencing.references import ReferenceChoice
from observations.models import Field, Observation
from observations.numerics.fits.products import decode_frame, encode_frame
from observations.numerics.frame import Frame
from preprocessing.models import PreprocessRun
from preprocessing.numerics.astrometry.matching import Match, MatchFailed, MatchParameters, match_stars
from preprocessing.numerics.background import estimate_background
from preprocessing.numerics.psf import PsfError, fit_psf
from preprocessing.numerics.stars import find_stars
from preprocessing.products import load_frame, stars_of

logger = logging.getLogger(__name__)


class LoadedReference(NamedTuple):
    """A reference's row and its frame, with its stars."""

    row: Reference
    frame: Frame


class Aligned(NamedTuple):
    """A frame on another's grid, and the match of their stars that brought it there."""

    frame: Frame
    match: Match


def load_reference(choice: ReferenceChoice, config: Snapshot) -> LoadedReference:
    """Return the reference for a choice: the same members in the same state give the same row and file again."""
    runs = PreprocessRun.objects.newest_by_time(choice.members)
    if choice.promoted is not None:
        return LoadedReference(choice.promoted, _load(choice.promoted, runs))
    inputs_hash = _inputs_hash(runs, config)
    science = choice.excluded_night_of
    field = science.field
    if field is None:
        raise StageFailure(FailureCode.NO_WCS, "This frame belongs to no field: ingest it again with its position.")
    row = Reference.objects.filter(field=field, filter_band=science.filter_band, inputs_hash=inputs_hash).first()
    if row is not None:
        return LoadedReference(row, _load(row, runs))
    best = choice.members[0]
    if len(runs) == 1:
        frame, path = load_frame(runs[0]), runs[0].processed_fits_path
    else:
        frame = _stacked(runs, best, config)
        path = f"references/{field.pk}/{inputs_hash[:16]}.fits"
        storage.write_atomically(path, encode_frame(frame))
    row = _store(field, science, runs, best, path, inputs_hash)
    return LoadedReference(row, frame)


def wcs_identity(run: PreprocessRun) -> str:
    """Return what a frame's world coordinates rest on, without the keys of rows, which differ between databases."""
    return json.dumps({name: value for name, value in run.wcs_info.items() if name != "anchor"}, sort_keys=True)


def _inputs_hash(runs: list[PreprocessRun], config: Snapshot) -> str:
    parts = [f"{run.observation.sha256}:{run.inputs_hash}:{run.config_hash}:{wcs_identity(run)}" for run in runs]
    parts.append(f"algorithm {VERSION}, rejection {config['differencing.stack_rejection_sigma']}")
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()


@jobs.writing()
def _store(
    field: Field, science: Observation, runs: list[PreprocessRun], best: Observation, path: str, inputs_hash: str
) -> Reference:
    Field.objects.select_for_update().get(pk=field.pk)
    same = {"field": field, "filter_band": science.filter_band}
    version = Reference.objects.filter(**same).aggregate(Max("version"))["version__max"] or 0
    members = [run.observation for run in runs]
    row, is_new = Reference.objects.get_or_create(
        **same,
        inputs_hash=inputs_hash,
        defaults={
            "version": version + 1,
            "best_member": best,
            "file_path": path,
            "excluded_night": None if all(m.night != science.night for m in members) else science.night,
        },
    )
    if is_new:
        row.members.set(members)
    return row


def _load(row: Reference, runs: list[PreprocessRun]) -> Frame:
    """Read a reference's file; a reference of one frame is that frame's product."""
    if len(runs) == 1:
        return load_frame(runs[0])
    try:
        return decode_frame(storage.open_stored(row.file_path))
    except FileNotFoundError as error:
        raise StageFailure(
            FailureCode.FILE_MISSING, f"The file of {row} is gone: put it back, or archive the reference."
        ) from error


def _stacked(runs: list[PreprocessRun], best: Observation, config: Snapshot) -> Frame:
    """Stack the members on the best member's grid, leaving out those whose stars do not match it."""
    by_id = {run.observation_id: run for run in runs}
    first = load_frame(by_id[best.pk])
    frames = [first]
    for run in runs:
        if run.observation_id == best.pk:
            continue
        member = load_frame(run)
        try:
            frames.append(aligned(member, first, config).frame)
        except (MatchFailed, StageFailure) as error:
            # A member that does not fit is left out of the stack; its own run says why it could not be registered.
            logger.warning("%s is left out of the reference: %s", run.observation, error)
    parameters = StackParameters(clip_sigma=config["differencing.stack_rejection_sigma"])
    try:
        stacked = stack(frames, parameters=parameters)
    except TooFewStars as error:
        raise StageFailure(FailureCode.TOO_FEW_STARS, f"The reference cannot be stacked: {error}.") from error
    return with_psf(replace(stacked, wcs=first.wcs))


def aligned(frame: Frame, onto: Frame, config: Snapshot) -> Aligned:
    """Resample a frame onto another's grid through the stars of both.

    Raises MatchFailed where they show no common stars, StageFailure `no_registration` where these scatter too much.
    """
    parameters = MatchParameters(fewest_matches=max(3, config["differencing.min_matched_stars"]))
    target, own = stars_of(onto), stars_of(frame)
    found = match_stars(target.xy, target.flux, own.xy, own.flux, parameters=parameters)
    if found.rms_px > config["differencing.max_registration_rms_px"]:
        raise StageFailure(
            FailureCode.NO_REGISTRATION,
            f"The {found.count} stars common with the reference scatter by {found.rms_px:.2f} px, more than the "
            f"{config['differencing.max_registration_rms_px']:g} px allowed: the frames cannot be subtracted.",
        )
    return Aligned(align(frame, found.transform, onto.shape), found)


def with_psf(frame: Frame) -> Frame:
    """Return the frame with its PSF and stars measured anew."""
    background = estimate_background(frame.data, frame.mask)
    stars = find_stars(frame.data, frame.mask, background=background.level, noise=background.noise)
    try:
        psf = fit_psf(frame.data, frame.mask, stars, background=background.level, noise=background.noise)
    except PsfError as error:
        raise StageFailure(FailureCode.TOO_FEW_STARS, f"The reference's PSF cannot be measured: {error}.") from error
    return replace(frame, psf=psf, stars=stars)
