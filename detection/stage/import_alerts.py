"""Alerts of other surveys as rows of ours, with their cutouts and our score beside theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction

from catalog.files import storage
from catalog.people import audit
from detection.cutouts.pictures import path_of
from detection.imported import rows
from detection.imported.rows import Scored, candidate_key, observation_key
from detection.models import Model
from detection.numerics.infer import judge
from detection.numerics.packets.files import Found, Refused, files_under, packets_in
from detection.numerics.packets.packet import Packet
from detection.numerics.stamp_width import width_of
from detection.registry.weights import ensure_default_model, weights_path
from detection.sources.association import alone, refresh
from detection.sources.telling import tell_types
from detection.stage.detect import as_file
from detection.stage.ranking import rank
from differencing.models import Candidate
from observations.models import Observation

# Packets that are read, scored and written together: 8 MB of cutouts, and one transaction.
_AT_ONCE = 128
_NO_SCORE = "our model gives it no score: too little of its cutouts is known about the source, or one is constant"


@dataclass
class Imported:
    """What became of the packets so far."""

    files: int = 0
    imported: int = 0
    known: int = 0
    refused: list[Refused] = field(default_factory=list)

    @property
    def packets(self) -> int:
        """All that were looked at."""
        return self.imported + self.known + len(self.refused)


def import_alerts(paths: Iterable[Path]) -> Iterator[Imported]:
    """Import the packets of files and folders; yield what became of them so far, at last all.

    A packet that is there already is left as it is, whatever people have said of it since. Each part of the packets is
    written in one transaction, so that whoever stops it and begins again goes on where it was. Raises StageFailure
    `model_missing` where there is no model to score with.
    """
    done = Imported()
    model = ensure_default_model()
    reads = _reads(paths, done)
    while batch := list(islice(reads, _AT_ONCE)):
        done.refused += [one for one in batch if isinstance(one, Refused)]
        _import([one for one in batch if isinstance(one, Found)], model, done)
        yield done
    yield done


def _reads(paths: Iterable[Path], done: Imported) -> Iterator[Found | Refused]:
    for path in paths:
        files = files_under(path)
        if not files:
            yield Refused(str(path), "the folder holds no .avro and no .parquet file")
        for file in files:
            done.files += 1
            yield from packets_in(file)


def _import(found: Sequence[Found], model: Model, done: Imported) -> None:
    new = _new_among(found)
    done.known += len(found) - len(new)
    scored = []
    for one, result in zip(new, _scored([one.packet for one in new], model), strict=True):
        if result is None:
            done.refused.append(Refused(one.name, _NO_SCORE))
        else:
            scored.append(result)
    if not scored:
        return
    storage.write_all({_cutouts_of(one.packet): as_file(one.packet.stamps) for one in scored})
    with transaction.atomic():
        alone()
        done.imported += _write(scored, model)


def _new_among(found: Sequence[Found]) -> list[Found]:
    """Return the packets that are not there yet, each once."""
    by_key = {candidate_key(one.packet): one for one in reversed(found)}
    known = set(Candidate.objects.filter(pk__in=by_key).values_list("pk", flat=True))
    return [one for key, one in reversed(by_key.items()) if key not in known]


def _scored(packets: Sequence[Packet], model: Model) -> list[Scored | None]:
    """Score the cutouts of packets; None where the model cannot."""
    if not packets:
        return []
    widths = [_width_of(packet) for packet in packets]
    stamps = np.stack([packet.stamps for packet in packets])
    fwhm_px = np.array([width for width, _ in widths])
    judged = judge(stamps, weights_path(model), fwhm_px=fwhm_px, threads=settings.ASTRID_THREADS)
    return [
        Scored(packet, float(score), None if np.isnan(unlike) else float(unlike), said, *width) if said else None
        for packet, score, unlike, said, width in zip(
            packets, judged.confidence, judged.anomaly, judged.of_each(), widths, strict=True
        )
    ]


def _width_of(packet: Packet) -> tuple[float, str]:
    """Return how wide a star is in the cutouts, pixels, and who says so: the packet, its pixels, or the survey."""
    if packet.exposure.fwhm_px is not None:
        return packet.exposure.fwhm_px, "packet"
    try:
        return width_of(packet.stamps[None]), "pixels"
    except ValueError:
        return rows.SURVEYS[packet.survey].usual_fwhm_px, "survey"


def _cutouts_of(packet: Packet) -> str:
    return path_of(observation_key(packet), candidate_key(packet))


def _write(scored: Sequence[Scored], model: Model) -> int:
    """Write the rows of packets, in the caller's transaction; return how many are new."""
    # Two imports at the same time: what the other one has written since is left to it.
    there = Candidate.objects.filter(pk__in=[candidate_key(one.packet) for one in scored])
    known = set(there.values_list("pk", flat=True))
    new = [one for one in scored if candidate_key(one.packet) not in known]
    if not new:
        return 0
    observations = rows.write_exposures([one.packet for one in new])
    sources = rows.write_detections(new, observations, model)
    refresh(sources)
    rank(*observations.values())
    tell_types(*observations.values())
    _record(observations.values(), new)
    return len(new)


def _record(observations: Iterable[Observation], new: Sequence[Scored]) -> None:
    """Leave a line in the audit log for each exposure."""
    counts: dict[UUID, int] = {}
    for one in new:
        key = observation_key(one.packet)
        counts[key] = counts.get(key, 0) + 1
    for row in observations:
        audit.record(row, "import_alerts", new={"alerts": counts[row.pk]}, summary=f"{row.survey} {row}")
