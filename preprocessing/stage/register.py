"""Give all frames of a field the sky positions of one anchor, and hold them against each other."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

import numpy as np
from astropy.wcs import WCS
from django.utils import timezone

from catalog.configuration.values import Snapshot, snapshot
from catalog.failures import FailureCode
from catalog.files import storage
from catalog.models import RunStatus
from catalog.work import jobs
from observations.claims.doubts import settle_by_sky, store_doubts
from observations.models import DoubtOrigin, Field, Observation, ObservationStatus, WcsQuality
from observations.numerics.doubts import Doubt
from observations.numerics.fits.images import encode_frame
from observations.numerics.fits.solutions import wcs_from_text, wcs_to_text
from observations.numerics.fits.wcs import centre_of
from observations.numerics.frame import Frame
from observations.numerics.healpix import position_index
from observations.numerics.scales import are_alike
from preprocessing.models import PreprocessRun
from preprocessing.numerics import VERSION
from preprocessing.numerics.astrometry.claims import doubts_of_header
from preprocessing.numerics.astrometry.errors import centroid_errors_px, match_error_px, solution_error_px
from preprocessing.numerics.astrometry.frames import match_frames
from preprocessing.numerics.astrometry.matching import MatchFailed, MatchParameters, Transform
from preprocessing.numerics.astrometry.solution import WcsInvalid, check_wcs, registration_quality, wcs_from_match
from preprocessing.numerics.quality import (
    DEPTH_SIGMA,
    Limits,
    Quality,
    gate,
    gate_trailed,
    noise_pixels,
    relative_transparency,
)
from preprocessing.products import load_frame, stars_of
from preprocessing.stage.preprocess import limits
from preprocessing.stage.solve import Anchor, delivered_quality, solve_anchor
from preprocessing.stage.zero_points import set_zero_point

NO_PSF_OF_LINES = (
    "The stars are trailed, by so much or so few of them that no PSF can be measured: the frame was placed on the sky, "
    "and nothing is subtracted from it."
)
_RANK = {WcsQuality.SOLVED: 0, WcsQuality.HEADER: 1, WcsQuality.NOMINAL: 2}


class _Registered(NamedTuple):
    """One frame brought to the anchor.

    rms_px : of the matched stars, in the frame's own pixels. error_px : of the positions that it inherits, against the
    anchor's, in its own pixels.
    """

    transform: Transform
    rms_px: float
    stars: int
    error_px: float
    transparency: float | None


def run(field_id: UUID | str) -> None:
    """Register every preprocessed frame of a field to its anchor, and fail those that the night shows to be bad.

    The anchor is solved against the sky where there are means to. Frames that do not match it keep their own position
    and are not compared with others. What has been registered to the same anchor stays as it is.
    """
    config = snapshot()
    field = Field.objects.get(pk=field_id)
    runs = _gated(_runs(field), config)
    if not runs:
        return
    anchor = solve_anchor(_anchor(field, runs, limits(config)))
    for row in runs:
        _register(row, anchor, config)
    _set_transparency(runs)
    _fail_trailed(_gated(runs, config), config)


def _runs(field: Field) -> list[PreprocessRun]:
    return PreprocessRun.objects.newest_by_time(Observation.objects.live().filter(field=field))


def _quality(row: PreprocessRun) -> Quality:
    """Return a run's numbers as the gates want them."""
    depth = None
    if row.fwhm_px and row.background_noise:
        depth = DEPTH_SIGMA * row.background_noise * float(noise_pixels(None, row.fwhm_px) ** 0.5)
    return Quality(
        sky_level=row.background_level,
        noise=row.background_noise,
        masked_share=row.masked_share or 0.0,
        fwhm_px=row.fwhm_px,
        ellipticity=row.ellipticity,
        star_count=row.star_count or 0,
        depth_flux=depth,
        exposure_s=row.observation.exposure_time,
        transparency=row.transparency,
    )


def _gated(runs: list[PreprocessRun], config: Snapshot) -> list[PreprocessRun]:
    """Fail the frames that the others of their night and band show to be bad; return the rest."""
    good = []
    for row in runs:
        mine = row.observation
        others = [
            _quality(other)
            for other in runs
            if other.pk != row.pk and other.observation.night == mine.night and _count_alike(other.observation, mine)
        ]
        failure = gate(_quality(row), others, limits(config))
        if failure is None:
            good.append(row)
        else:
            _fail(row, FailureCode(failure.code), failure.sentence)
    return good


def _fail_trailed(runs: list[PreprocessRun], config: Snapshot) -> None:
    """Fail the frames whose stars are lines by a fault, or have no PSF, now that they have their positions."""
    for row in runs:
        alike = [other for other in runs if other.pk != row.pk and _count_alike(other.observation, row.observation)]
        night = [other for other in alike if other.observation.night == row.observation.night]
        failure = gate_trailed(_quality(row), [_quality(other) for other in night or alike], limits(config))
        if failure is not None:
            _fail(row, FailureCode(failure.code), failure.sentence)
        elif row.wcs_info.get("no_psf"):
            _fail(row, FailureCode.TRAILED, NO_PSF_OF_LINES)


def _count_alike(one: Observation, other: Observation) -> bool:
    """Tell whether sky and stars have the same counts in two exposures: of one band, camera and pixel size."""
    same = ("filter_band", "telescope_id", "camera", "binning", "gain_e_per_adu")
    is_same = all(getattr(one, name) == getattr(other, name) for name in same)
    return is_same and are_alike(one.pixel_scale, other.pixel_scale)


@jobs.writing()
def _fail(row: PreprocessRun, code: FailureCode, sentence: str) -> None:
    reason = {"failure_code": code, "error_message": sentence}
    PreprocessRun.objects.filter(pk=row.pk).update(status=RunStatus.FAILED, completed_at=timezone.now(), **reason)
    Observation.objects.filter(pk=row.observation_id).update(status=ObservationStatus.FAILED, **reason)


@jobs.writing()
def _anchor(field: Field, runs: list[PreprocessRun], bounds: Limits) -> PreprocessRun:
    """Return the field's anchor; the first is the frame of the best WCS, earliest night and most stars, and stays.

    Where stars are lines it serves where there is no other.
    """
    field = Field.objects.select_for_update().get(pk=field.pk)
    known = [row for row in runs if row.observation_id == field.anchor_id]
    if known:
        return known[0]
    best = min(
        runs,
        key=lambda row: (
            _RANK[WcsQuality(row.observation.wcs_quality)],
            # As if the nights had come one after the other.
            row.observation.night,
            (row.ellipticity or 0.0) > bounds.ellipticity,
            -(row.star_count or 0),
            row.observation.mjd_utc,
        ),
    )
    field.anchor = best.observation
    field.save(update_fields=["anchor", "updated_at"])
    return best


def _register(row: PreprocessRun, anchor: Anchor, config: Snapshot) -> None:
    """Match one frame to the anchor and write its WCS into product and rows, unless that has been done."""
    identity = _identity(anchor)
    if all(row.wcs_info.get(name) == value for name, value in identity.items()):
        return
    is_anchor = row.pk == anchor.row.pk
    frame = anchor.frame if is_anchor else load_frame(row)
    info: dict[str, object] = {**identity, "solution": anchor.solution} if is_anchor else dict(identity)
    claimed = anchor.claimed if is_anchor else _claimed(row, frame)
    info |= {"claimed_wcs": "" if claimed is None else wcs_to_text(claimed)}
    info |= {"no_psf": True} if frame.psf is None else {}
    try:
        expected = None if is_anchor else _expected(frame, anchor.frame.wcs if row.wcs_aligned else anchor.claimed)
        found = _match(frame, anchor.frame, expected, is_anchor=is_anchor)
        # Known also for a frame that scatters too much: a cloud is the reason that it is to be told.
        row.transparency = info["transparency"] = found.transparency
        # What centroids are good to goes with the larger of both pixels.
        if found.rms_px * min(1.0, found.transform.scale) > config["preprocessing.max_anchor_rms_px"]:
            raise MatchFailed(f"the matched stars scatter by {found.rms_px:.2f} px")
        if anchor.frame.wcs is None:
            raise WcsInvalid("the anchor has no world coordinates")
        solved = wcs_from_match(anchor.frame.wcs, found.transform, frame.shape)
    except (MatchFailed, WcsInvalid) as error:
        info |= {"reason": str(error)}
        _save(row, info, aligned=False, quality=delivered_quality(row.observation), doubts=anchor.doubts)
        return
    of_zero_point = _write(row, replace(frame, wcs=solved.wcs), anchor)
    dx, dy = found.transform.offset_px
    error_px = float(np.hypot(found.error_px, _error_of_anchor(anchor) / found.transform.scale))
    info |= {
        "rms_px": found.rms_px,
        "stars": found.stars,
        "offset_px": [dx, dy],
        "rotation_deg": found.transform.rotation_deg,
        "scale": found.transform.scale,
        "fit_rms_px": solved.rms_px,
        "error_px": error_px,
    }
    row.registration_quality = registration_quality(found.rms_px, row.fwhm_px or 0.0)
    doubts = (*anchor.doubts, *_doubts(row, claimed, solved.wcs, anchor, error_px), *of_zero_point)
    _save(row, info, aligned=True, wcs=solved.wcs, quality=anchor.quality, doubts=doubts)


def _claimed(row: PreprocessRun, frame: Frame) -> WCS | None:
    """Return the WCS that a frame was delivered with; its product has another one once it is registered."""
    if "claimed_wcs" in row.wcs_info:
        return wcs_from_text(row.wcs_info["claimed_wcs"]) if row.wcs_info["claimed_wcs"] else None
    return None if row.wcs_aligned else frame.wcs


def _doubts(row: PreprocessRun, claimed: WCS | None, solved: WCS, anchor: Anchor, error_px: float) -> tuple[Doubt, ...]:
    """Return what the sky says against a header's own position; a nominal one claims nothing of the kind."""
    is_header = row.observation.delivered_wcs_quality == WcsQuality.HEADER
    if claimed is None or not is_header or anchor.quality != WcsQuality.SOLVED:
        return ()
    shape = row.observation.delivered.shape
    return doubts_of_header(claimed, solved, shape, error_px * check_wcs(solved, shape))


def _error_of_anchor(anchor: Anchor) -> float:
    """Return the error of the anchor's own solution, pixels; 0 where it has none, or none that says how good it is."""
    rms, stars = anchor.solution.get("rms_px"), anchor.solution.get("stars")
    return solution_error_px(rms, stars) if isinstance(rms, float) and isinstance(stars, int) else 0.0


def _identity(anchor: Anchor) -> dict[str, object]:
    """Return what a registration rests on; a catalogue that is not there now takes nothing back."""
    identity = {
        "algorithm": VERSION,
        "anchor": str(anchor.row.observation_id),
        "anchor_inputs": anchor.row.inputs_hash,
        "solving": anchor.solving,
    }
    return identity | ({"star_catalog": anchor.catalog.sha256} if anchor.catalog else {})


def _write(row: PreprocessRun, frame: Frame, anchor: Anchor) -> tuple[Doubt, ...]:
    """Write the product again with its WCS and, where that is solved, with its true scale and its zero point.

    Returns what is doubtful about that.
    """
    is_solved = anchor.quality == WcsQuality.SOLVED
    frame, doubts = set_zero_point(row, frame, anchor.catalog if is_solved else None)
    if is_solved and frame.wcs is not None:
        frame = replace(frame, pixel_scale_arcsec=check_wcs(frame.wcs, frame.shape))
    storage.write_atomically(row.processed_fits_path, encode_frame(frame))
    return doubts


def _match(frame: Frame, anchor: Frame, expected: Transform | None, *, is_anchor: bool) -> _Registered:
    """Match stars with the anchor's; fluxes per second give the transparency relative to it."""
    own, target = stars_of(frame), stars_of(anchor)
    if is_anchor:
        return _Registered(Transform.shift(0.0, 0.0), 0.0, len(own), 0.0, 1.0)
    found = match_frames((frame, own), (anchor, target), MatchParameters(guess=expected))
    mine, theirs = own[found.source_index], target[found.target_index]
    clean = ~mine.is_saturated & ~theirs.is_saturated
    seconds = (frame.exposure_s or 1.0, anchor.exposure_s or 1.0)
    light = relative_transparency(mine.flux[clean] / seconds[0], theirs.flux[clean] / seconds[1])
    residuals = np.column_stack(found.transform(mine.x, mine.y)) - theirs.xy
    noise = np.hypot(found.transform.scale * centroid_errors_px(mine), centroid_errors_px(theirs))
    own_px = found.transform.scale
    error = match_error_px(residuals, noise, found.transform.coefficients.shape[1]) / own_px
    return _Registered(found.transform, found.rms_px / own_px, found.count, error, None if light is None else light[0])


def _expected(frame: Frame, anchor: WCS | None) -> Transform | None:
    """Return the transform that the frames' own WCS claim: a clouded one shows too few stars to search without."""
    if frame.wcs is None or anchor is None:
        return None
    ny, nx = frame.shape
    x, y = np.array([0.0, nx - 1.0, 0.0]), np.array([0.0, 0.0, ny - 1.0])
    ra, dec = frame.wcs.all_pix2world(x, y, 0)
    there = np.stack(anchor.wcs_world2pix(ra, dec, 0))
    if not np.isfinite(there).all():
        return None
    return Transform(np.linalg.solve(np.column_stack([np.ones(3), x, y]), there.T).T)


@jobs.writing()
def _save(
    row: PreprocessRun,
    info: dict[str, object],
    *,
    aligned: bool,
    quality: str,
    wcs: WCS | None = None,
    doubts: tuple[Doubt, ...] = (),
) -> None:
    row.wcs_info, row.wcs_aligned = info, aligned
    row.save()
    store_doubts(row.observation, DoubtOrigin.SKY, doubts)
    row.observation.wcs_quality = quality
    if wcs is None:
        Observation.objects.filter(pk=row.observation_id).update(wcs_quality=quality)
        return
    height, width = row.observation.delivered.shape
    corners = wcs.all_pix2world([-0.5, width - 0.5, width - 0.5, -0.5], [-0.5, -0.5, height - 0.5, height - 0.5], 0)
    footprint = [[float(ra) % 360.0, float(dec)] for ra, dec in zip(*corners, strict=True)]
    Observation.objects.filter(pk=row.observation_id).update(
        footprint=footprint, wcs_quality=quality, **_of_the_sky(row, wcs, quality)
    )
    if quality == WcsQuality.SOLVED:
        settle_by_sky([row.observation_id])


def _of_the_sky(row: PreprocessRun, wcs: WCS, quality: str) -> dict[str, float]:
    """Return what the sky tells better than any header: where the frame is, its scale, and the seeing by that."""
    if quality != WcsQuality.SOLVED:
        return {}
    shape = row.observation.delivered.shape
    ra, dec = centre_of(wcs, shape)
    scale = check_wcs(wcs, shape)
    seeing = {} if row.fwhm_px is None else {"seeing": row.fwhm_px * scale}
    return {"ra": ra, "dec": dec, "healpix": int(position_index(ra, dec)), "pixel_scale": scale, **seeing}


def _set_transparency(runs: list[PreprocessRun]) -> None:
    """Bring transparencies, measured against the anchor, to the clearest frame of each band and camera."""
    measured = [row for row in runs if row.wcs_info.get("transparency")]
    for row in measured:
        others = [other for other in measured if _count_alike(other.observation, row.observation)]
        relative = row.wcs_info["transparency"] / max(other.wcs_info["transparency"] for other in others)
        if abs(relative - (row.transparency or 0.0)) > 1e-12:
            row.transparency = relative
            with jobs.writing():
                row.save(update_fields=["transparency", "updated_at"])
