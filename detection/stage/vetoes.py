"""What speaks against candidates: what of it rejects them, and what only the frames of a night together can tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from catalog.configuration.values import Snapshot
from differencing.models import Candidate, CandidateStatus
from differencing.numerics.vetoes.fixed_pixels import Seen, recurrences, reflections
from differencing.numerics.vetoes.veto import CODES, Veto
from observations.models import Observation, WcsQuality
from observations.numerics.sphere import project

READS = tuple(f"detection.veto_{code}" for code in CODES)
_OF_DETECTOR = {
    "fixed_pixel": "It stands on the same pixel of the detector in {frames} of the night, though the sky has moved: a "
    "fault of the detector or of its optics.",
    "reflection": "In {frames} of the night something stands where the same place of the sky is mirrored at the middle "
    "of the detector, though the sky has moved: light of a star that the optics throw back.",
}
_ARCSEC = 3600.0
_CORNERS = 4


def refused_by(config: Snapshot, candidates: Iterable[Candidate]) -> set[UUID]:
    """Return which candidates become no detection, whatever their score: ghosts, dipoles, and what a veto rejects."""
    rejecting = frozenset(code for code in CODES if config[f"detection.veto_{code}"])
    return {c.pk for c in candidates if c.is_reference_ghost or c.is_dipole or c.veto_codes & rejecting}


def note_detector(observation: Observation) -> list[Candidate]:
    """Say of the candidates of a frame, and of the same camera's others of that night, which keep to the detector.

    In the caller's transaction. Returns those of other frames of which this was not known before: their frames have
    been judged without it.
    """
    changed = []
    for is_negative in (False, True):
        rows = list(_of_the_night(observation, is_negative=is_negative))
        if not rows or not observation.pixel_scale:
            continue
        seen = _seen(rows, observation)
        counts = {
            "fixed_pixel": recurrences(seen),
            "reflection": reflections(seen, _mirrored(rows, observation.pixel_scale)),
        }
        for k, row in enumerate(rows):
            found = [_veto(code, int(of_each[k])) for code, of_each in counts.items() if of_each[k]]
            is_own = row.observation_id == observation.pk
            known = row.veto_codes & _OF_DETECTOR.keys()
            is_news = bool({veto.code for veto in found} - known)
            if is_news or (is_own and (known or found)):
                others = [veto for veto in row.vetoes if veto["code"] not in _OF_DETECTOR]
                row.vetoes = [*others, *map(asdict, found)]
                row.save(update_fields=["vetoes", "updated_at"])
                changed += [] if is_own else [row]
    return changed


def _veto(code: str, count: int) -> Veto:
    frames = "another frame" if count == 1 else f"{count} other frames"
    return Veto(code, float(count), _OF_DETECTOR[code].format(frames=frames))


def _of_the_night(observation: Observation, *, is_negative: bool) -> list[Candidate]:
    """Return the candidates of one sign that a camera gave in one night, of frames of one size."""
    rows = Candidate.objects.filter(
        observation__survey=observation.survey_id,
        observation__camera=observation.camera,
        observation__night=observation.night,
        observation__image_width=observation.image_width,
        observation__image_height=observation.image_height,
        is_negative=is_negative,
    ).exclude(status=CandidateStatus.DUPLICATE)
    return list(rows.select_related("observation").order_by("pk"))


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


def _mirrored(rows: list[Candidate], scale_arcsec: float) -> NDArray[np.float64]:
    """Return what of the sky, as in `seen`, stands at each candidate's place mirrored at the middle of its frame.

    Arrays (n, 2), px; NaN where a frame's corners on the sky are not known, or its position is only nominal.
    """
    out = np.full((len(rows), 2), np.nan)
    ra0, dec0 = rows[0].ra, rows[0].dec
    for k, row in enumerate(rows):
        frame = row.observation
        if frame.wcs_quality == WcsQuality.NOMINAL or len(frame.footprint) != _CORNERS:
            continue
        ra, dec = np.array(frame.footprint).T
        first, along_x, _, along_y = np.column_stack(project(ra, dec, ra0, dec0)) * _ARCSEC / scale_arcsec
        height, width = frame.delivered.shape
        x, y = width - 0.5 - row.pixel_x, height - 0.5 - row.pixel_y
        out[k] = first + (along_x - first) * x / width + (along_y - first) * y / height
    return out
