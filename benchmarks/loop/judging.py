"""What is true of detections and candidates, looked up by position, as the pipeline's own training does it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from benchmarks.loop.nights import Truth
from observations.numerics.simulate.nights import Source

if TYPE_CHECKING:  # models are there once Django is
    from differencing.models import Candidate
    from observations.models import Observation


class Verdict(Enum):
    """What something is; in the wing of something real it is neither."""

    REAL, FALSE, UNCLEAR = "real", "false", "unclear"


@dataclass(frozen=True)
class Scored:
    """Candidates of nights, in one order: all but those in the wing of something real.

    scores : by model, (n,). is_clean : whether the score decides about it: neither a veto nor a flag rejects it.
    is_bright : whether it is shown at any score. frame : which exposure it is of. truths : how many real things all
    exposures hold.
    """

    scores: dict[str, NDArray[np.float64]]
    is_real: NDArray[np.bool_]
    is_clean: NDArray[np.bool_]
    is_bright: NDArray[np.bool_]
    frame: NDArray[np.int64]
    truths: int

    def shown(self, model: str, threshold: float) -> NDArray[np.bool_]:
        """Tell what a model shows: what it scores so high, and what is bright, unless something rejects it."""
        return self.is_clean & ((self.scores[model] >= threshold) | self.is_bright)


def verdict_of(detection: str, truths: Mapping[str, Truth]) -> Verdict:
    """Return what a detection is. truths : of each field, by the names of its files."""
    from detection.models import Detection

    row = Detection.objects.select_related("observation", "candidate").get(pk=detection)
    found = _verdicts(row.observation, _truth_of(row.observation.original_name, truths))
    return found.get(str(row.candidate_id), Verdict.UNCLEAR)


def scored(names: Sequence[str], truths: Mapping[str, Truth], models: Mapping[str, str]) -> Scored:
    """Return the candidates of some fields with what each of the models says of them."""
    from catalog.configuration.values import snapshot
    from detection.models import CandidateScore
    from detection.stage.detect import bright_among
    from detection.stage.vetoes import refused_by

    config = snapshot()
    rows, verdicts, frames, count = [], [], [], 0
    for number, (candidates, found, real) in enumerate(_frames(names, truths)):
        kept = [one for one in candidates if found[str(one.pk)] is not Verdict.UNCLEAR]
        rows += kept
        verdicts += [found[str(one.pk)] is Verdict.REAL for one in kept]
        frames += [number] * len(kept)
        count += real
    keys = [one.pk for one in rows]
    said = {
        name: dict(
            CandidateScore.objects.filter(model__pk=UUID(model), candidate__in=keys).values_list("candidate", "score")
        )
        for name, model in models.items()
    }
    known = np.array([all(key in of for of in said.values()) for key in keys], dtype=bool)
    bright, refused = bright_among(rows, config), refused_by(config, rows)
    return Scored(
        {name: np.array([of.get(key, np.nan) for key in keys])[known] for name, of in said.items()},
        np.array(verdicts, dtype=bool)[known],
        np.array([key not in refused for key in keys], dtype=bool)[known],
        np.array([key in bright for key in keys], dtype=bool)[known],
        np.array(frames, dtype=np.int64)[known],
        count,
    )


def _frames(
    names: Sequence[str], truths: Mapping[str, Truth]
) -> Iterator[tuple[list[Candidate], dict[str, Verdict], int]]:
    """Yield the candidates of each exposure that was compared, what each is, and how many real things are in it."""
    from detection.stage.detect import candidates_in
    from differencing.models import DifferenceRun
    from observations.models import Observation

    for name in names:
        for observation in Observation.objects.filter(original_name__in=truths[name]).order_by("mjd_utc"):
            run = DifferenceRun.objects.newest_for(observation)
            sources = truths[name][observation.original_name]
            if run is not None and sources:
                yield candidates_in(run), _verdicts(observation, sources), len(sources)


def _truth_of(name: str, truths: Mapping[str, Truth]) -> tuple[Source, ...]:
    return next(of[name] for of in truths.values() if name in of)


def _verdicts(observation: Observation, sources: Sequence[Source]) -> dict[str, Verdict]:
    """Return what each candidate of an exposure is."""
    from detection.numerics.training_set import label
    from detection.stage.datasets.origins import DROP_FWHM, MATCH_FWHM, Change, Found, truth_of
    from detection.stage.detect import candidates_in, newest_difference
    from preprocessing.models import PreprocessRun

    before = PreprocessRun.objects.newest_for(observation)
    fwhm = float(before.fwhm_px) if before is not None and before.fwhm_px else 0.0
    candidates = candidates_in(newest_difference(observation))
    changes = [
        Change(name=s.name, kind=s.kind, x=s.x, y=s.y, change_adu=s.change_adu, is_on_host=s.is_on_host)
        for s in sources
    ]
    peaks = Found(candidates, np.zeros(0, dtype=np.float32), fwhm).peaks
    is_real, _, keep = label(peaks, truth_of(changes), MATCH_FWHM * fwhm + 0.5, DROP_FWHM * fwhm)
    return {
        str(one.pk): Verdict.REAL if real else Verdict.FALSE if kept else Verdict.UNCLEAR
        for one, real, kept in zip(candidates, is_real, keep, strict=True)
    }
