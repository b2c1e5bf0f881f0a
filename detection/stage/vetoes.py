"""What speaks against candidates: what of it rejects them, and what only the frames of a night together can tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.db.models import Q, QuerySet
from numpy.typing import NDArray

from catalog.configuration.values import Snapshot
from differencing.models import Candidate, CandidateStatus, DifferenceRun
from differencing.numerics.vetoes.fixed_pixels import Seen, recurrences, reflections
from differencing.numerics.vetoes.seen_once import Frames, Peaks, seen_once
from differencing.numerics.vetoes.veto import CODES, Veto
from observations.models import Observation, WcsQuality
from observations.numerics.sphere import project
from observations.numerics.statistics import FWHM_PER_SIGMA
from preprocessing.models import PreprocessRun

READS = tuple(f"detection.veto_{code}" for code in CODES)
_OF_NIGHT = {
    "fixed_pixel": "It stands on the same pixel of the detector in {frames} of the night, though the sky has moved: a "
    "fault of the detector or of its optics.",
    "reflection": "In {frames} of the night something stands where the same place of the sky is mirrored at the middle "
    "of the detector, though the sky has moved: light of a star that the optics throw back.",
    "seen_once": "{frames} of the night would have shown it, and nothing is there, nor anything that moves like it: a "
    "flash of a satellite, or light that went astray.",
}
_OF_DEPTH = ("transparency", "background_noise", "fwhm_px")
# So far from the rim of another frame a place is well within it.
_RIM_PX = 20.0
# What is faster leaves a trail, or is linked over the frames: no chance neighbour must speak for a flash.
_FASTEST_ARCSEC_PER_MIN = 2.0
_ARCSEC = 3600.0
_CORNERS = 4


def refused_by(config: Snapshot, candidates: Iterable[Candidate]) -> set[UUID]:
    """Return which candidates become no detection, whatever their score: ghosts, dipoles, and what a veto rejects."""
    rejecting = frozenset(code for code in CODES if config[f"detection.veto_{code}"])
    return {c.pk for c in candidates if c.is_reference_ghost or c.is_dipole or c.veto_codes & rejecting}


def note_night(observation: Observation) -> list[Candidate]:
    """Say what the frames of one camera and night together tell of their candidates.

    Which keep to the detector, and which one frame alone shows where the others would have shown them.

    In the caller's transaction. Returns those of other frames of which this was not known before: their frames have
    been judged without it.
    """
    changed = []
    compared = _compared(observation)
    for is_negative in (False, True):
        rows = list(_of_the_night(observation, is_negative=is_negative))
        if not rows or not observation.pixel_scale:
            continue
        seen = _seen(rows, observation)
        counts = {
            "fixed_pixel": recurrences(seen),
            "reflection": reflections(seen, _mirrored(rows, observation.pixel_scale)),
            "seen_once": _once(rows, seen, compared),
        }
        for k, row in enumerate(rows):
            found = [_veto(code, int(of_each[k])) for code, of_each in counts.items() if of_each[k]]
            is_own = row.observation_id == observation.pk
            known = row.veto_codes & _OF_NIGHT.keys()
            now = {veto.code for veto in found}
            # What another frame has shown again is no flash any more.
            is_news = bool(now - known) or bool((known - now) & {"seen_once"})
            if is_news or (is_own and (known or found)):
                others = [veto for veto in row.vetoes if veto["code"] not in _OF_NIGHT]
                row.vetoes = [*others, *map(asdict, found)]
                row.save(update_fields=["vetoes", "updated_at"])
                changed += [] if is_own else [row]
    return changed


def _veto(code: str, count: int) -> Veto:
    frames = "another frame" if count == 1 else f"{count} other frames"
    return Veto(code, float(count), _OF_NIGHT[code].format(frames=frames))


def _of_the_night(observation: Observation, *, is_negative: bool) -> list[Candidate]:
    """Return the candidates of one sign that a camera gave in one night, of frames of one size."""
    rows = Candidate.objects.filter(observation__in=_like(observation), is_negative=is_negative)
    return list(rows.exclude(status=CandidateStatus.DUPLICATE).select_related("observation").order_by("pk"))


def _like(observation: Observation) -> QuerySet[Observation]:
    """Return the frames of one size that the camera of this one gave in the same night."""
    return Observation.objects.filter(
        survey=observation.survey_id,
        camera=observation.camera,
        night=observation.night,
        image_width=observation.image_width,
        image_height=observation.image_height,
    )


def _seen(rows: list[Candidate], observation: Observation) -> Seen:
    ra, dec, x, y = (np.array([getattr(row, name) for row in rows]) for name in ("ra", "dec", "pixel_x", "pixel_y"))
    frames = {pk: k for k, pk in enumerate({row.observation_id: None for row in rows})}
    scale = observation.pixel_scale or 1.0
    east, north = project(ra, dec, ra[0], dec[0]) if len(rows) else (ra, dec)
    return Seen(
        x=x,
        y=y,
        sky_x=_ARCSEC * east / scale,
        sky_y=_ARCSEC * north / scale,
        mjd=np.array([row.observation.mjd_utc for row in rows]),
        frame=np.array([frames[row.observation_id] for row in rows], dtype=np.int64),
        area_px=float(observation.delivered.width_px * observation.delivered.height_px),
    )


class _Compared(NamedTuple):
    """The frames of a night whose candidates are known, and what was measured of each."""

    frames: list[Observation]
    runs: dict[UUID, PreprocessRun]


def _compared(observation: Observation) -> _Compared:
    of_night = {"observation__in": _like(observation)}
    compared = DifferenceRun.objects.completed().filter(**of_night).values("observation")
    # While a frame is compared anew its former candidates are known.
    known = Candidate.objects.filter(**of_night).values("observation")
    frames = list(Observation.objects.filter(Q(pk__in=compared) | Q(pk__in=known)).order_by("pk"))
    newest = PreprocessRun.objects.filter(observation__in=frames).newest_of_each()
    return _Compared(frames, {run.observation_id: run for run in newest.only("observation_id", *_OF_DEPTH)})


def _once(rows: list[Candidate], seen: Seen, compared: _Compared) -> NDArray[np.int64]:
    """Return for each candidate, as in `seen`, how many other frames would have shown it and do not."""
    frames, runs = compared
    place = {frame.pk: k for k, frame in enumerate(frames)}
    light = {frame.pk: _light(frame, runs.get(frame.pk)) for frame in frames}
    fluxes = [
        np.nan if row.flux is None or row.trail_length_arcsec is not None else abs(row.flux) / light[row.observation_id]
        for row in rows
    ]
    faintest = [_faintest(runs.get(frame.pk)) / light[frame.pk] for frame in frames]
    peaks = Peaks(
        seen.sky_x, seen.sky_y, _mag(fluxes), np.array([place[row.observation_id] for row in rows], dtype=np.int64)
    )
    nights = Frames(
        mjd=np.array([frame.mjd_utc for frame in frames]),
        limit_mag=_mag(faintest),
        # Transparencies of two fields have nothing to do with each other.
        band=np.array([f"{frame.field_id} {frame.filter_band}" for frame in frames]),
    )
    scale = rows[0].observation.pixel_scale or 1.0
    covers = np.column_stack([_is_within(frame, rows[0], seen, scale) for frame in frames])
    return seen_once(peaks, nights, covers, _FASTEST_ARCSEC_PER_MIN / scale)


def _light(frame: Observation, run: PreprocessRun | None) -> float:
    """Return what a source's counts are proportional to within a field: seconds and clouds; NaN where not known."""
    if run is None or not run.transparency or not frame.exposure_time:
        return float("nan")
    return float(run.transparency * frame.exposure_time)


def _faintest(run: PreprocessRun | None) -> float:
    """Return the counts of a point source that is found at 5 sigma of the sky's noise; NaN where that is not known."""
    if run is None or not run.background_noise or not run.fwhm_px:
        return float("nan")
    return float(5.0 * run.background_noise * np.sqrt(4.0 * np.pi) * run.fwhm_px / FWHM_PER_SIGMA)


def _mag(light: list[float]) -> NDArray[np.float64]:
    """Return magnitudes of one unknown zero point, the same for all frames of a night."""
    with np.errstate(divide="ignore"):  # no light is infinitely faint
        return -2.5 * np.log10(np.array(light, dtype=np.float64))


def _is_within(frame: Observation, origin: Candidate, seen: Seen, scale: float) -> NDArray[np.bool_]:
    """Tell which places of the sky lie well within a frame; none where its position is only nominal."""
    along = _plane(frame, origin, scale)
    if along is None:
        return np.zeros(len(seen.x), dtype=bool)
    corner, matrix = along
    height, width = frame.delivered.shape
    x, y = np.linalg.solve(matrix, np.stack([seen.sky_x, seen.sky_y]) - corner[:, None])
    return (x > _RIM_PX) & (x < width - _RIM_PX) & (y > _RIM_PX) & (y < height - _RIM_PX)


def _plane(
    frame: Observation, origin: Candidate, scale_arcsec: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return where a frame's first corner lies on the plane of `seen`, px, and what a pixel along x and y is there."""
    if frame.wcs_quality == WcsQuality.NOMINAL or len(frame.footprint) != _CORNERS:
        return None
    ra, dec = np.array(frame.footprint).T
    corners = np.column_stack(project(ra, dec, origin.ra, origin.dec)) * _ARCSEC / scale_arcsec
    height, width = frame.delivered.shape
    return corners[0], np.column_stack([(corners[1] - corners[0]) / width, (corners[3] - corners[0]) / height])


def _mirrored(rows: list[Candidate], scale_arcsec: float) -> NDArray[np.float64]:
    """Return what of the sky, as in `seen`, stands at each candidate's place mirrored at the middle of its frame.

    Arrays (n, 2), px; NaN where a frame's corners on the sky are not known, or its position is only nominal.
    """
    out = np.full((len(rows), 2), np.nan)
    for k, row in enumerate(rows):
        along = _plane(row.observation, rows[0], scale_arcsec)
        if along is not None:
            corner, matrix = along
            height, width = row.observation.delivered.shape
            out[k] = corner + matrix @ np.array([width - 0.5 - row.pixel_x, height - 0.5 - row.pixel_y])
    return out
