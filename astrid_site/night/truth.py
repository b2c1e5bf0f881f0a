"""What was detected in simulated nights beside what is truly in them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from astrid_site.night.summary import Document, Row

# A detection this near a source is that source's: a seeing disc of the simulated nights is 2.6 to 3.6 px wide.
MATCH_RADIUS_PX = 3.0
# Sources above this are beyond doubt: what is lost there is the pipeline's fault and not the noise's.
CLEAR_SNR = 10.0


@dataclass(frozen=True)
class Match:
    """One injected source and what became of it; `expected_snr` is None where the frame has no measured noise."""

    source: Row
    detection: Row | None
    candidate: Row | None
    expected_snr: float | None

    @property
    def is_clear(self) -> bool:
        return self.expected_snr is not None and self.expected_snr > CLEAR_SNR


@dataclass(frozen=True)
class FrameComparison:
    """One frame: its observation, its injected sources, and the detections that are none of them, with what they are.

    The name of a false detection is that of the artefact which the simulation put there, else "false".
    """

    observation: Row
    matches: tuple[Match, ...]
    false: tuple[tuple[str, Row], ...]

    @property
    def is_usable(self) -> bool:
        return bool(self.observation["status"] == "differenced")


def compare(whole: Document, truth: Row) -> list[FrameComparison]:
    """Compare a document with the simulation's truth, frame by frame."""
    frames = []
    for observation in whole["observations"]:
        known = truth["files"].get(observation["file"])
        if known is not None:
            detections = [row for row in whole["detections"] if row["file"] == observation["file"]]
            candidates = [row for row in whole["candidates"] if row["file"] == observation["file"]]
            frames.append(_compare_frame(observation, known, detections, candidates))
    return frames


def _compare_frame(observation: Row, known: Row, detections: list[Row], candidates: list[Row]) -> FrameComparison:
    error = median(row["flux_error"] for row in candidates) if candidates else None
    matches = [
        Match(
            source,
            _nearest(source, detections),
            _nearest(source, candidates),
            abs(source["change_adu"]) / error if error else None,
        )
        for source in known["sources"]
    ]
    taken = {id(match.detection) for match in matches}
    false = [(_artefact_at(row, known), row) for row in detections if id(row) not in taken]
    return FrameComparison(observation, tuple(matches), tuple(false))


def _artefact_at(detection: Row, known: Row) -> str:
    """Return what a false detection is; nights that an earlier version simulated name no artefacts."""
    near = [each for each in known.get("artefacts", ()) if _distance(each, detection) <= MATCH_RADIUS_PX]
    return str(near[0]["kind"]) if near else "false"


def _nearest(source: Row, rows: list[Row]) -> Row | None:
    """Return the nearest row within the matching radius."""
    near = min(rows, key=lambda row: _distance(source, row), default=None)
    return near if near is not None and _distance(source, near) <= MATCH_RADIUS_PX else None


def _distance(source: Row, row: Row) -> float:
    return math.hypot(row["pixel_x"] - source["x"], row["pixel_y"] - source["y"])


def table(frames: list[FrameComparison]) -> Iterator[str]:
    """Yield the comparison as lines: each frame, each source in it, and what was made of it."""
    for frame in frames:
        row = frame.observation
        if not frame.is_usable:
            yield f"{row['file']}  {row['status']}: {row['error_message']}"
            continue
        found = f"{_found(list(frame.matches))} injected sources found" if frame.matches else "nothing injected"
        yield f"{row['file']}  {found}, {len(frame.false)} false"
        for match in frame.matches:
            yield f"    {_source_words(match.source):<24} {_outcome(match)}"
        for name, d in frame.false:
            place = f"x {d['pixel_x']:.1f}, y {d['pixel_y']:.1f}"
            yield f"    {name:<24} false   S/N {d['snr']:5.1f}   {place}   score {d['confidence_score']:.2f}"


def _source_words(source: Row) -> str:
    return f"{source['name']} on a galaxy" if source["is_on_host"] else str(source["name"])


def _outcome(match: Match) -> str:
    d = match.detection
    if d is not None:
        ratio = d["flux"] / match.source["change_adu"]
        return (
            f"found   S/N {d['snr']:5.1f}   flux / truth {ratio:5.2f}   {_distance(match.source, d):4.2f} px off   "
            f"score {d['confidence_score']:.2f}"
        )
    if match.candidate is not None:
        flags = [name for name in ("dipole", "reference_ghost") if match.candidate[f"is_{name}"]]
        why = f"flagged as {' and '.join(flags).replace('_', ' ')}" if flags else "scored below the threshold"
        return f"MISSED  S/N {match.candidate['snr']:5.1f}   a candidate, but {why}"
    if match.expected_snr is None:
        return "MISSED  no candidate"
    return f"MISSED  no candidate; expected S/N about {match.expected_snr:.0f}"


def totals(frames: list[FrameComparison]) -> Iterator[str]:
    """Yield the comparison in a few lines."""
    used = [frame for frame in frames if frame.is_usable]
    matches = [match for frame in used for match in frame.matches]
    clear = [match for match in matches if match.is_clear]
    ratios = [m.detection["flux"] / m.source["change_adu"] for m in matches if m.detection is not None]
    yield f"{_found(matches)} injected sources found; with an expected S/N above {CLEAR_SNR:g}, {_found(clear)}"
    false = [len(frame.false) for frame in used]
    yield f"{sum(false)} false detections in {len(used)} frames, at most {max(false, default=0)} in one"
    if ratios:
        yield f"median of measured over true flux: {median(ratios):.3f}"
    for frame in frames:
        if not frame.is_usable:
            row = frame.observation
            yield f"{row['file']} was not compared ({row['failure_code']}); its sources are not counted"


def _found(matches: list[Match]) -> str:
    return f"{sum(match.detection is not None for match in matches)} of {len(matches)}"


def names_of(frames: list[FrameComparison]) -> dict[tuple[str, float, float], str]:
    """Return the true name of each detection, by file and position; the false ones are called so."""
    names = {}
    for frame in frames:
        for match in frame.matches:
            if match.detection is not None:
                names[place_of(match.detection)] = _source_words(match.source)
        names |= {place_of(row): name for name, row in frame.false}
    return names


def place_of(row: Row) -> tuple[str, float, float]:
    return (row["file"], row["pixel_x"], row["pixel_y"])
