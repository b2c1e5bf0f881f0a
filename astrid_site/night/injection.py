"""Inject sources into the frame of a model's run, and make of them what the pipeline makes of what it finds."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from catalog.configuration.values import Snapshot, snapshot
from catalog.failures import StageFailure
from catalog.files import storage
from detection.cutouts.pictures import path_of
from detection.models import Detection, ForcedPhotometry, ModelRun, Source
from detection.numerics.infer import WeightsRefused, score
from detection.numerics.injection import Ground, Injected, add_sources, draw_sources
from detection.numerics.stamps import Stamps, cut_stamps
from detection.registry.weights import weights_path
from detection.sources.unmeasured import Target, at_places
from detection.stage import vetoes
from detection.stage.detect import READS, as_file, bright_among, describe
from detection.stage.forced_pixels import rows_of
from detection.thresholds.in_force import of_run
from differencing.models import Candidate, CandidateStatus, DifferenceRun
from differencing.stage.candidates import position_error_arcsec
from differencing.stage.candidates import rows_of as candidates_of
from differencing.stage.changed import subtract_changed
from differencing.stage.difference import Result
from observations.models import WcsQuality
from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.mapped import map_images
from observations.numerics.frame import Frame
from preprocessing.models import PreprocessRun

logger = logging.getLogger(__name__)

# Flux over its error: fainter ones the pipeline does not find, brighter ones nobody misses.
SNR_RANGE = (5.0, 50.0)
# For each that is wanted so many are put in: some are not found, or rejected by the model or a veto.
_TRIED = 3
# A peak so near to the place is the source: 0.6 FWHM / S/N is one sigma.
_SAME_FWHM = 0.7
# Other frames in which its place is measured, the latest: as many as triage shows.
_MOST_FRAMES = 60


@dataclass(frozen=True)
class Found:
    """A source that was injected and found: a detection with its candidate, not saved, and what was put in.

    stamp : its cutouts, (4, 63, 63) counts. history : forced photometry of its place in other frames, not saved.
    """

    detection: Detection
    candidate: Candidate
    truth: Injected
    stamp: NDArray[np.float32]
    history: list[ForcedPhotometry]

    def write_cutouts(self) -> None:
        """Keep its cutouts where those of any candidate lie."""
        storage.write_atomically(self.detection.cutouts_path, as_file(self.stamp))


def seed_of(run: ModelRun) -> int:
    """Return the seed of what is injected into the frame of a run: the same run gives the same sources."""
    return int.from_bytes(hashlib.sha256(run.pk.bytes).digest()[:8])


def inject(run: ModelRun, wanted: int) -> list[Found]:
    """Return sources that were injected into the frame of a run and that the pipeline shows to people.

    The frame is subtracted again with the sources in it, so that they are measured, scored and vetoed as everything
    is; what the pipeline would not have shown is left out. None where the frame cannot carry any: without PSF, gain or
    level of saturation, where its files are gone, or where it would be compared otherwise today.
    """
    difference = DifferenceRun.objects.newest_for(run.observation)
    if difference is None or difference.difference_image_path != run.input_image_path:
        return []
    put_in = _PutIn(difference, _TRIED * wanted, np.random.default_rng(seed_of(run)))
    try:
        result = subtract_changed(difference, put_in)
        if result is None or not put_in.sources:
            return []
        found = _found(run, difference, result, put_in.sources)
    except (StageFailure, FileNotFoundError, FitsRefused, WeightsRefused) as failure:
        logger.warning("nothing is injected into %s: %s", run.observation, failure)
        return []
    return [_with_history(one) for one in found[:wanted]]


@dataclass
class _PutIn:
    """Puts sources into a frame, and remembers which."""

    difference: DifferenceRun
    count: int
    random: np.random.Generator
    sources: list[Injected] = field(default_factory=list)

    def __call__(self, frame: Frame) -> Frame:
        images, scores = (
            map_images(storage.open_stored(path))
            for path in (self.difference.difference_image_path, self.difference.significance_map_path)
        )
        ground = Ground(images.plane("MASK"), scores.plane("FLUX"), scores.plane(), self._taken(frame))
        self.sources = draw_sources(frame, ground, self.count, SNR_RANGE, self.random)
        return add_sources(frame, self.sources, self.random)

    def _taken(self, frame: Frame) -> NDArray[np.float64]:
        """Return x and y of the candidates of the frame and of all sources known near it."""
        own = Candidate.objects.filter(observation=self.difference.observation_id)
        places = [np.array(own.values_list("pixel_x", "pixel_y"), dtype=float).reshape(-1, 2)]
        of_field = self.difference.observation.field
        if frame.wcs is not None and of_field is not None:
            near = Source.objects.cone(of_field.ra, of_field.dec, 3600.0 * of_field.radius_deg)
            sky = np.array(near.values_list("ra", "dec"), dtype=float).reshape(-1, 2)
            if len(sky):
                places.append(np.column_stack(frame.wcs.all_world2pix(sky[:, 0], sky[:, 1], 0, quiet=True)))
        taken = np.vstack(places)
        return taken[np.isfinite(taken).all(axis=1)]


def _found(run: ModelRun, difference: DifferenceRun, result: Result, sources: Sequence[Injected]) -> list[Found]:
    """Return those of the sources that were found and not rejected, in the order in which they were drawn."""
    config = snapshot().only(READS)
    rows = candidates_of(difference, result.measurements, result.wcs, result.vetoes)
    own = [(row, one) for one in sources if (row := _peak_of(one, rows)) is not None]
    if not own:
        return []
    candidates = [row for row, _ in own]
    subtracted = result.difference
    x, y = [row.pixel_x for row in candidates], [row.pixel_y for row in candidates]
    stamps = cut_stamps(subtracted.science, subtracted.reference, subtracted.difference, subtracted.mask, (x, y))
    scores = _scores(run, stamps)
    shown = _shown(candidates, scores, of_run(run), config)
    out = []
    for (row, one), stamp, value in zip(own, stamps, scores, strict=True):
        if row.pk in shown:
            row.is_injected, row.status = True, CandidateStatus.DETECTED
            detection = Detection(candidate=row, observation=run.observation, is_injected=True)
            describe(detection, run, row, float(value), path_of(row.observation_id, row.pk))
            out.append(Found(detection, row, one, stamp, []))
    return out


def _peak_of(one: Injected, rows: Sequence[Candidate]) -> Candidate | None:
    """Return the nearest positive peak to a place, if it is near enough to be its source."""
    positive = [row for row in rows if not row.is_negative]
    nearest = min(positive, key=lambda row: np.hypot(row.pixel_x - one.x, row.pixel_y - one.y), default=None)
    if nearest is None:
        return None
    reach = max(1.0, _SAME_FWHM * (nearest.fwhm or 0.0))
    return nearest if np.hypot(nearest.pixel_x - one.x, nearest.pixel_y - one.y) < reach else None


def _scores(run: ModelRun, stamps: Stamps) -> NDArray[np.float64]:
    preprocessed = PreprocessRun.objects.newest_for(run.observation)
    fwhm = preprocessed.fwhm_px if preprocessed else None
    return score(stamps, str(weights_path(run.model)), fwhm_px=fwhm) if fwhm else np.full(len(stamps), np.nan)


def _shown(candidates: list[Candidate], scores: NDArray[np.float64], least: float, config: Snapshot) -> set[UUID]:
    """Return the keys of those that the pipeline would have made detections of."""
    refused = vetoes.refused_by(config, candidates)
    known = {row.pk for row, value in zip(candidates, scores, strict=True) if np.isfinite(value)}
    convincing = {row.pk for row, value in zip(candidates, scores, strict=True) if value >= least}
    return ((convincing | bright_among(candidates, config)) & known) - refused


def _with_history(found: Found) -> Found:
    """Measure the place of a source in other frames, as is done for any source."""
    row, frame = found.detection, found.detection.observation
    error = position_error_arcsec(found.candidate)
    is_nominal = frame.wcs_quality == WcsQuality.NOMINAL
    if frame.field is not None and np.isfinite(error):
        nominal_in = frame.field_id if is_nominal else None
        target = Target(row.pk, row.ra, row.dec, error_arcsec=error, reach_arcsec=error, nominal_in=nominal_in)
        for work in islice(at_places(frame.field, [target], but=frame), _MOST_FRAMES):
            found.history.extend(rows_of(work))
    return found
