"""Where labelled stamps come from: simulation, frames of known truth, injections, people's answers, other surveys."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from catalog.configuration.values import defaults
from catalog.files import storage
from detection.models import Detection
from detection.numerics.compact import simulated_cameras
from detection.numerics.examples import Examples, standardised
from detection.numerics.gathered import Gathered, gathered, together, weight_of
from detection.numerics.stamp_width import width_of
from detection.numerics.stamps import CHANNELS, STAMP_SIZE_PX, Stamps
from detection.numerics.training_set import TrainingSetParameters, Truth, label, make_training_set
from detection.numerics.views import network_input
from detection.stage.datasets.stored import DataSetRefused
from differencing.models import Candidate, DifferenceRun
from differencing.numerics.peaks import Peaks
from differencing.parameters import zogy_parameters
from observations.models import Observation
from preprocessing.models import PreprocessRun

Say = Callable[[str], object]
SIMULATED, TRUTH, INJECTED, ANSWERS, IMPORTED = "simulated", "truth", "injected", "answers", "imported"
# A peak within the first of a truth is it; one between them is its wing, and neither real nor bogus. In FWHM.
MATCH_FWHM, DROP_FWHM = 0.6, 2.5
_SHAPE = (len(CHANNELS), STAMP_SIZE_PX, STAMP_SIZE_PX)


class Change(TypedDict):
    """What `manage.py simulate` says of one thing that changed in a frame."""

    name: str
    kind: str
    x: float
    y: float
    change_adu: float
    is_on_host: bool


class _Line(TypedDict):
    """What is read of one line of exported labels."""

    detection: str
    is_valid: bool
    label: str
    inclusion_probability: float
    look: str
    model_version: str
    model_sha256: str


@dataclass(frozen=True)
class _Answer:
    """What is used of one line of exported labels."""

    is_valid: bool
    kind: str
    probability: float
    look: str
    model: str


@dataclass(frozen=True)
class Origin:
    """What one origin gave: its examples, and for the manifest what it was and what could not be used, and why."""

    examples: Gathered | None
    told: dict[str, object]


@dataclass(frozen=True)
class Found:
    """The candidates of a frame with their stamps, raw; vetoed : what any veto, ghost or dipole refuses."""

    rows: list[Candidate]
    stamps: Stamps
    fwhm_px: float

    @property
    def peaks(self) -> Peaks:
        names = ("pixel_x", "pixel_y", "significance", "is_negative")
        return Peaks(*(np.array([getattr(row, name) for row in self.rows]) for name in names))

    @property
    def is_vetoed(self) -> NDArray[np.bool_]:
        return np.array([bool(r.vetoes) or r.is_reference_ghost or r.is_dipole for r in self.rows], dtype=bool)


def simulated(pairs: int, seed: int, say: Say) -> Origin:
    """Simulate pairs of frames of many cameras, subtract them, and label what is found."""
    parameters = TrainingSetParameters(zogy_parameters(defaults()), seed=seed, pairs=pairs)

    def report(done: int, examples: int) -> None:
        if done % 10 == 0 or done == pairs:
            say(f"{done} of {pairs} pairs, {examples} examples")

    examples = make_training_set(parameters, report)
    found = gathered(examples, SIMULATED, camera=simulated_cameras(examples.fwhm_px))
    return Origin(found, {"origin": SIMULATED, "examples": len(found), "parameters": asdict(parameters)})


def by_truth(folder: Path) -> Origin:
    """Label what the pipeline found in simulated frames that this site has processed. Raises DataSetRefused."""
    path = folder / "truth.json"
    try:
        content = path.read_bytes()
        files: dict[str, list[Change]] = {name: e["sources"] for name, e in json.loads(content)["files"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataSetRefused(
            f"{path} is no truth of simulated frames as `manage.py simulate` writes it: {error}"
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    parts, frames = [], 0
    for observation in (
        Observation.objects.filter(original_name__in=list(files)).select_related("survey").order_by("mjd_utc", "pk")
    ):
        found = candidates_of(observation)
        if found is None:
            continue
        frames += 1
        sources = files[observation.original_name]
        examples, keep = labelled(found, truth_of(sources), str(observation.pk))
        names = _names_near(found.peaks, sources, MATCH_FWHM * found.fwhm_px + 0.5)
        known = {
            "key": [str(row.pk) for row in found.rows],
            "source": [f"{digest[:8]} {name}" if name else "" for name in names],
        }
        chosen = {name: np.array(values)[keep] for name, values in known.items()}
        parts.append(gathered(examples, TRUTH, **_of_frame(observation), **chosen))
    told = {"origin": TRUTH, "truth": folder.name, "sha256": digest, "frames": frames}
    return _told(parts, told, Counter())


def injected() -> Origin:
    """Return the sources that were injected into this site's real frames; each is real."""
    rows = Detection.with_injected.filter(is_injected=True).select_related("candidate", "observation__survey")
    return _of_detections([(row, True, "injected", 1.0) for row in rows.order_by("pk")], INJECTED, {"origin": INJECTED})


def answers(path: Path) -> Origin:
    """Return what people have answered about, of a file of `manage.py export_labels`. Raises DataSetRefused."""
    content, records = _records(path)
    digest = hashlib.sha256(content).hexdigest()
    rows = Detection.objects.select_related("candidate", "observation__survey").in_bulk(list(records))
    known = [(rows[key], one.is_valid, one.kind, one.probability) for key, one in records.items() if key in rows]
    looks = Counter(one.look for one in records.values())
    models = Counter(one.model for one in records.values())
    told = {"origin": ANSWERS, "file": path.name, "sha256": digest, "looks": dict(looks), "models": dict(models)}
    return _of_detections(known, ANSWERS, told, Counter({"not in this database": len(records) - len(known)}))


def imported(path: Path) -> Origin:
    """Return stamps of another survey with their labels, of an .npz file. Raises DataSetRefused.

    triplets : (n, 3, 63, 63), NaN where unknown. is_real : (n,) bool. Where they are known: kind, exposure, night,
    source, camera : (n,) text; snr, fwhm_px : (n,).
    """
    try:
        content = path.read_bytes()
        with np.load(path, allow_pickle=False) as file:
            columns = {name: file[name] for name in file.files}
        triplets, is_real = columns["triplets"], columns["is_real"].astype(bool)
    except (OSError, ValueError, KeyError) as error:
        raise DataSetRefused(
            f"{path.name} is no .npz file with the arrays `triplets` and `is_real`: {error}"
        ) from error
    count = len(triplets)
    if triplets.shape[1:] != (3, *_SHAPE[1:]) or any(len(column) != count for column in columns.values()):
        raise DataSetRefused(
            f"`triplets` of {path.name} is {triplets.shape}, not (n, 3, 63, 63), or other arrays are not as long"
        )
    stamps = np.zeros((count, *_SHAPE), dtype=np.float32)
    stamps[:, :3] = triplets
    digest = hashlib.sha256(content).hexdigest()
    fwhm = columns["fwhm_px"] if "fwhm_px" in columns else np.full(count, width_of(stamps))
    text = {name: columns[name].astype(str) for name in ("source", "night", "camera") if name in columns}
    exposure = columns.get("exposure", np.array([f"{digest[:8]} {k}" for k in range(count)])).astype(str)
    kind = columns.get("kind", np.where(is_real, "real", "bogus")).astype(str)
    snr = columns.get("snr", np.full(count, np.nan))
    _, is_usable = network_input(stamps, fwhm)
    examples = Examples(
        standardised(stamps), fwhm.astype(np.float32), is_real, kind, exposure, np.abs(snr).astype(np.float32)
    )
    found = gathered(examples, IMPORTED, **{"camera": path.stem, **text}).select(is_usable)
    told = {"origin": IMPORTED, "file": path.name, "sha256": digest}
    return _told([found], told, Counter({"core unknown or image constant": int((~is_usable).sum())}))


def candidates_of(observation: Observation) -> Found | None:
    """Return what the newest subtraction of a frame found, with the stamps that were kept; None without any."""
    run, before = DifferenceRun.objects.newest_for(observation), PreprocessRun.objects.newest_for(observation)
    if run is None or before is None or before.fwhm_px is None:
        return None
    rows = list(Candidate.objects.filter(difference_run=run).order_by("-significance", "id"))
    stamps = [_stamp(f"cutouts/{observation.pk}/{row.pk}.npy") for row in rows]
    there = [(row, stamp) for row, stamp in zip(rows, stamps, strict=True) if stamp is not None]
    return Found([row for row, _ in there], np.stack([s for _, s in there]), before.fwhm_px) if there else None


def labelled(found: Found, truth: Truth, exposure: str) -> tuple[Examples, NDArray[np.bool_]]:
    """Return the examples that the truth of a frame makes of what was found in it, and which candidates they are."""
    match_px, drop_px = MATCH_FWHM * found.fwhm_px + 0.5, DROP_FWHM * found.fwhm_px
    is_real, kind, keep = label(found.peaks, truth, match_px, drop_px)
    count = len(found.rows)
    examples = Examples(
        standardised(found.stamps),
        np.full(count, found.fwhm_px, dtype=np.float32),
        is_real,
        kind,
        np.full(count, exposure),
        np.abs(found.peaks.score).astype(np.float32),
    )
    return examples.select(keep), keep


def truth_of(sources: Sequence[Change]) -> Truth:
    """Return the truth of a frame, of what `manage.py simulate` writes about its sources."""
    return Truth(
        np.array([each["x"] for each in sources], dtype=np.float64),
        np.array([each["y"] for each in sources], dtype=np.float64),
        np.array([each["change_adu"] < 0 for each in sources], dtype=np.bool_),
        np.array(["on host" if each["is_on_host"] else each["kind"] for each in sources], dtype="U12"),
    )


def _names_near(peaks: Peaks, sources: Sequence[Change], match_px: float) -> list[str]:
    """Return for each peak the name of what changed there, "" where nothing did."""
    names = [""] * len(peaks)
    for each in sources:
        for place in np.flatnonzero(np.hypot(peaks.x - each["x"], peaks.y - each["y"]) <= match_px):
            names[int(place)] = each["name"]
    return names


def _stamp(path: str) -> Stamps | None:
    """Return a stored stamp; None where it is gone, was never written, or is not one."""
    try:
        stamp: Stamps = np.load(storage.open_stored(path), allow_pickle=False)
    except (OSError, ValueError, storage.OutsideStorage):
        return None
    return stamp if stamp.shape == _SHAPE else None


def _of_frame(observation: Observation) -> dict[str, str]:
    return {"night": observation.night.isoformat(), "camera": observation.camera or observation.survey.name}


def _records(path: Path) -> tuple[bytes, dict[UUID, _Answer]]:
    try:
        content = path.read_bytes()
        lines = [json.loads(line) for line in content.decode().splitlines() if line.strip()]
        return content, {UUID(str(line["detection"])): _answer(line) for line in lines}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataSetRefused(f"{path.name} is no file of `manage.py export_labels`: {error}") from error


def _answer(line: _Line) -> _Answer:
    if not isinstance(line["is_valid"], bool):
        raise ValueError(f"is_valid of {line['detection']} is neither true nor false")
    kind = str(line["label"] or ("real" if line["is_valid"] else "bogus"))
    model = f"{line['model_version']} {line['model_sha256'][:12]}"
    return _Answer(line["is_valid"], kind[:32], float(line["inclusion_probability"]), str(line["look"]), model)


def _of_detections(
    known: Sequence[tuple[Detection, bool, str, float]],
    origin: str,
    told: Mapping[str, object],
    skipped: Counter[str] | None = None,
) -> Origin:
    """Return the examples of detections whose label is known, with what could not be used and why."""
    skipped = Counter() if skipped is None else skipped
    widths = _widths({row.observation_id for row, *_ in known})
    kept, stamps, fwhm = [], [], []
    for one in known:
        row = one[0]
        stamp = _stamp(row.cutouts_path) if row.cutouts_path else None
        if stamp is None:
            skipped["stamps are gone"] += 1
            continue
        width = widths.get(row.observation_id) or _own_width(stamp)
        if width is None:
            skipped["seeing is not known"] += 1
            continue
        kept.append(one)
        stamps.append(stamp)
        fwhm.append(width)
    if not kept:
        return _told([], told, skipped)
    every = np.stack(stamps)
    _, is_usable = network_input(every, fwhm)
    skipped["core unknown or image constant"] += int((~is_usable).sum())
    rows = [row for row, *_ in kept]
    significances = [row.candidate.significance if row.candidate else None for row in rows]
    snr = [np.nan if value is None else abs(value) for value in significances]
    examples = Examples(
        standardised(every),
        np.array(fwhm, dtype=np.float32),
        np.array([is_real for _, is_real, *_ in kept]),
        np.array([kind for _, _, kind, _ in kept]),
        np.array([str(row.observation_id) for row in rows]),
        np.array(snr, dtype=np.float32),
    )
    frames = [_of_frame(row.observation) for row in rows]
    found = gathered(
        examples, origin,
        source=[str(row.source_id or "") for row in rows],
        night=[frame["night"] for frame in frames],
        camera=[frame["camera"] for frame in frames],
        key=[str(row.pk) for row in rows],
        weight=weight_of(np.array([probability for *_, probability in kept])),
    )  # fmt: skip
    return _told([found.select(is_usable)], told, skipped)


def _widths(observations: set[UUID]) -> dict[UUID, float]:
    """Return the FWHM of a star in each of these frames, by its newest preprocessing that measured it."""
    runs = PreprocessRun.objects.filter(observation__in=observations, fwhm_px__isnull=False).order_by(
        "created_at", "id"
    )
    return dict(runs.values_list("observation", "fwhm_px"))


def _own_width(stamp: Stamps) -> float | None:
    try:
        return width_of(stamp[None])
    except ValueError:
        return None


def _told(parts: Sequence[Gathered], told: Mapping[str, object], skipped: Counter[str]) -> Origin:
    found = together(parts) if parts else None
    left_out = {reason: count for reason, count in skipped.items() if count}
    return Origin(found, {**told, "examples": len(found) if found else 0, "not_used": left_out})
