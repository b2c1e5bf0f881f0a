"""What speaks against candidates: what of it rejects them, and what only the frames of a night together can tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from uuid import UUID

import numpy as np

from catalog.configuration.values import Snapshot
from differencing.models import Candidate, CandidateStatus
from differencing.numerics.vetoes.fixed_pixels import Seen, recurrences
from differencing.numerics.vetoes.veto import CODES, Veto
from observations.models import Observation
from observations.numerics.sphere import project

READS = tuple(f"detection.veto_{code}" for code in CODES)
_FIXED = "fixed_pixel"
_ARCSEC = 3600.0


def refused_by(config: Snapshot, candidates: Iterable[Candidate]) -> set[UUID]:
    """Return which candidates become no detection, whatever their score: ghosts, dipoles, and what a veto rejects."""
    rejecting = frozenset(code for code in CODES if config[f"detection.veto_{code}"])
    return {c.pk for c in candidates if c.is_reference_ghost or c.is_dipole or c.veto_codes & rejecting}


def note_fixed_pixels(observation: Observation) -> list[Candidate]:
    """Say of the candidates of a frame, and of the same camera's others of that night, which stay on their pixel.

    In the caller's transaction. Returns those of other frames of which this was not known before: their frames have
    been judged without it.
    """
    changed = []
    for is_negative in (False, True):
        rows = list(_of_the_night(observation, is_negative=is_negative))
        counts = recurrences(_seen(rows, observation)) if observation.pixel_scale else [0] * len(rows)
        for row, count in zip(rows, counts, strict=True):
            is_own = row.observation_id == observation.pk
            was_known = _FIXED in row.veto_codes
            if (is_own and (was_known or count)) or (count and not was_known):
                others = [veto for veto in row.vetoes if veto["code"] != _FIXED]
                row.vetoes = [*others, *([asdict(_veto(int(count)))] if count else [])]
                row.save(update_fields=["vetoes", "updated_at"])
                changed += [] if is_own else [row]
    return changed


def _veto(count: int) -> Veto:
    frames = "another frame" if count == 1 else f"{count} other frames"
    return Veto(
        _FIXED,
        float(count),
        f"It stands on the same pixel of the detector in {frames} of the night, though the sky has moved: a fault of "
        "the detector or of its optics.",
    )


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
        area_px=float(observation.image_width * observation.image_height),
    )
