"""Build the reference of a science frame: one frame, or a stack of several, as a row with a file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import NamedTuple

from django.db.models import Max

from catalog.configuration.values import Snapshot
from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.people.audit import MACHINE
from catalog.work import jobs
from differencing.models import Reference
from differencing.numerics import VERSION
from differencing.references import ReferenceChoice, make_active
from differencing.stage.stacking import stacked
from observations.models import Field, Observation, ObservationStatus
from observations.numerics.fits.products import decode_frame, encode_frame
from observations.numerics.frame import Frame
from preprocessing.models import PreprocessRun
from preprocessing.numerics.background import estimate_background
from preprocessing.numerics.sources import measure_sources
from preprocessing.products import load_frame, stars_of


def made_reference(choice: ReferenceChoice, config: Snapshot) -> Reference:
    """Return the reference for a choice: the same members in the same state give the same row and file again.

    The first of a field and band is promoted as it is made; one that was, is made anew when its members are.
    """
    promoted = choice.promoted
    runs = PreprocessRun.objects.newest_by_time([member for member in choice.members if _is_live(member)])
    if promoted is not None and not (promoted.is_automatic and runs):
        return promoted
    inputs_hash = _inputs_hash(runs, config)
    if promoted is not None and promoted.inputs_hash == inputs_hash:
        return promoted
    row = Reference.objects.filter(field=choice.field, filter_band=choice.filter_band, inputs_hash=inputs_hash).first()
    is_promoted = choice.is_first or promoted is not None
    if row is not None and (row.is_active or not is_promoted):
        return row
    best = next(member for member in choice.members if _is_live(member))
    if row is not None:
        made = _Made(load_reference(row), row.file_path, runs, row.depth_mag)
    elif len(runs) == 1:
        made = _Made(load_frame(runs[0]), runs[0].processed_fits_path, runs, runs[0].limiting_magnitude)
    else:
        built = stacked(runs, best, config)
        path = f"references/{choice.field.pk}/{inputs_hash[:16]}.fits"
        storage.write_atomically(path, encode_frame(built.frame))
        made = _Made(built.frame, path, built.runs, built.depth_mag)
    return _store(choice, made, best, inputs_hash, is_promoted=is_promoted)


class _Made(NamedTuple):
    """A reference's frame, where it lies, what entered it and how deep it is."""

    frame: Frame
    path: str
    runs: list[PreprocessRun]
    depth_mag: float | None


def _is_live(member: Observation) -> bool:
    return member.status != ObservationStatus.ARCHIVED


def wcs_identity(run: PreprocessRun) -> str:
    """Return what a frame's world coordinates rest on, without the keys of rows, which differ between databases."""
    return json.dumps({name: value for name, value in run.wcs_info.items() if name != "anchor"}, sort_keys=True)


def _inputs_hash(runs: list[PreprocessRun], config: Snapshot) -> str:
    parts = [f"{run.observation.sha256}:{run.inputs_hash}:{run.config_hash}:{wcs_identity(run)}" for run in runs]
    parts.append(f"algorithm {VERSION}, rejection {config['differencing.stack_rejection_sigma']}")
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()


@jobs.writing()
def _store(
    choice: ReferenceChoice, made: _Made, best: Observation, inputs_hash: str, *, is_promoted: bool
) -> Reference:
    Field.objects.select_for_update().get(pk=choice.field.pk)
    same = {"field": choice.field, "filter_band": choice.filter_band}
    version = Reference.objects.filter(**same).aggregate(Max("version"))["version__max"] or 0
    times = [run.observation.mjd_utc for run in made.runs]
    row, is_new = Reference.objects.get_or_create(
        **same,
        inputs_hash=inputs_hash,
        defaults={
            "version": version + 1,
            "best_member": best,
            "file_path": made.path,
            "excluded_night": choice.excluded_night,
            "frame_count": len(made.runs),
            "first_mjd_utc": min(times),
            "last_mjd_utc": max(times),
            "fwhm_px": stars_of(made.frame).fwhm_px,
            "depth_mag": made.depth_mag,
        },
    )
    if is_new:
        # Those too that did not match the others: they were asked.
        row.members.set(choice.members)
    if is_promoted and not row.is_active:
        row.is_automatic = True
        row.save(update_fields=["is_automatic", "updated_at"])
        make_active(row, MACHINE)
    return row


def load_reference(row: Reference) -> Frame:
    """Read a reference's file, with its stars; a reference of one frame is that frame's product.

    With variance: the subtraction measures the noise, and reads there which pixels are worse than others.
    """
    best = row.best_member
    run = None if best is None else PreprocessRun.objects.newest_for(best)
    if run is not None and row.members.count() == 1:
        return load_frame(run)
    try:
        frame = decode_frame(storage.open_stored(row.file_path))
    except FileNotFoundError as error:
        raise StageFailure(
            FailureCode.FILE_MISSING, f"The file of {row} is gone: put it back, or archive the reference."
        ) from error
    if frame.stars is None:
        return frame
    return replace(frame, stars=replace(frame.stars, fwhm_px=row.fwhm_px or float("nan")))


def with_psf(frame: Frame, *, is_needed: bool = True) -> Frame:
    """Return the frame with its PSF and stars measured anew; without a PSF where it cannot be and is not needed."""
    background = estimate_background(frame.data, frame.mask)
    found = measure_sources(frame.data, frame.mask, background=background.level, noise=background.noise)
    if found.psf is None and is_needed:
        raise StageFailure(FailureCode.TOO_FEW_STARS, f"The reference's PSF cannot be measured: {found.complaint}.")
    return replace(frame, psf=found.psf, stars=found.stars)
