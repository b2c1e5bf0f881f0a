"""`make bench-movers-extended`: comas and trails of up to 30 arcsec/min through the whole pipeline; false tracklets.

Each seed is a simulated field with comas and trails in its night, which go through the pipeline in a process of its own
with the shipped configuration. `--alone` nights are the field's first, whose reference are their own other frames, and
`--raw` nights have no calibration frames and many more particle hits. Blank seeds have nothing that is added: what
moves in them beside the simulator's asteroid is none. Seeds from 71 on are for stating results; tune on others.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np

from benchmarks.movers.judging import Candidate, Processed, SimulatedFile, Track
from benchmarks.movers.processing import processed_apart
from benchmarks.movers.wide import KINDS, Shown, WideParameters, draw_wide, minutes_of, rate_of, with_wide
from observations.delivery.simulated_folder import SimulatedFolder
from observations.numerics.fits.synthetic import night_files, truth
from observations.numerics.simulate.artefacts import Strays
from observations.numerics.simulate.nights import NightParameters, simulate_nights
from observations.numerics.simulate.star_catalog import catalog_lines

# Frames come fast, so that what is fast stays in the field.
CADENCE_MIN, EXPOSURE_S = 2.5, 60.0
GOAL, LEAST_SNR, FALSE_GOAL_FRAMES = 0.9, 10.0, 20
# A place is a thing's within so many px, or within half of its own FWHM beside the line along which it is drawn out.
NEAR_PX = 3.0
MANY_STRAYS = Strays(hits=8.0, ghost_share=3e-3)


class Thing(TypedDict):
    """What moves: rate in arcsec/min, width over a star's."""

    name: str
    kind: str
    rate: float
    width: float


class ShownRow(TypedDict):
    """The numbers of a `Shown`."""

    name: str
    x: float
    y: float
    snr: float
    star_snr: float


class Record(TypedDict):
    """What was written: the things, where each frame shows them, the simulator's asteroid, and the frames' seeing."""

    things: list[Thing]
    shown: dict[str, list[ShownRow]]
    asteroid: dict[str, tuple[float, float]]
    fwhm: dict[str, float]


@dataclass(frozen=True)
class Row:
    """One thing and what became of it: S/N are medians over its frames; members : in its best tracklet, 0 for none.

    seen : frames with a candidate at its place; lost : what else was said of those.
    """

    seed: int
    name: str
    kind: str
    rate_arcsec_per_min: float
    width: float
    snr: float
    star_snr: float
    frames: int
    seen: int
    members: int
    detections: int
    is_doubtful: bool
    lost: dict[str, int]


@dataclass(frozen=True)
class Outcome:
    """What one field's night gave: its things, its frames, and the tracklets that are none, by whether they count."""

    rows: tuple[Row, ...]
    frames: int
    false: int
    doubtful: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[71, 72, 73, 74])
    parser.add_argument("--blank-seeds", type=int, nargs="*", default=[81, 82, 83, 84])
    parser.add_argument("--size", type=int, default=768)
    parser.add_argument("--frames", type=int, default=4, help="good frames of a night; a clouded one comes on top")
    parser.add_argument("--each", type=int, default=3, help="things of each kind in a night")
    parser.add_argument("--still", action="store_true", help="comas do not move during an exposure")
    parser.add_argument("--alone", action="store_true", help="the field has no earlier night")
    parser.add_argument("--raw", action="store_true", help="no calibration frames, many particle hits and ghosts")
    parser.add_argument("--keep", type=Path, help="folder of frames, which a second run reuses")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    outcomes: dict[str, list[Outcome]] = {"with": [], "blank": []}
    for kind, seed in [("with", s) for s in options.seeds] + [("blank", s) for s in options.blank_seeds]:
        kept = nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory(prefix="astrid-bench-")
        with kept as folder:
            found = _field(Path(folder), options, seed, options.each if kind == "with" else 0)
        outcomes[kind].append(found)
        linked = sum(row.members > 0 for row in found.rows)
        print(
            f"seed {seed} ({kind}): {linked} of {len(found.rows)} in a tracklet; false tracklets {found.false}, "
            f"doubtful {found.doubtful}, in {found.frames} frames",
            flush=True,
        )
    for line in _lines(outcomes):
        print(line)
    if options.json:
        rows = {kind: [asdict(each) for each in several] for kind, several in outcomes.items()}
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def _field(folder: Path, options: argparse.Namespace, seed: int, each: int) -> Outcome:
    p = NightParameters(
        seed=seed, size=options.size, frames=options.frames, cadence_min=CADENCE_MIN, exposure_s=EXPOSURE_S,
        transients=6, strays=MANY_STRAYS if options.raw else Strays(),
    )  # fmt: skip
    w = WideParameters(each=each, is_smeared=not options.still)
    name = "-".join([f"{each}-each-{seed}", *(k for k in ("still", "alone", "raw") if getattr(options, k))])
    frames = folder / name
    if not (frames / "shown.json").exists():
        _write(frames, p, w, is_alone=options.alone, is_raw=options.raw)
    with tempfile.TemporaryDirectory(prefix="astrid-root-") as root:
        found = processed_apart(frames, Path(root), SimulatedFolder(frames).star_catalog)
    (frames / "processed.json").write_text(json.dumps(found), encoding="utf-8")
    return judged(seed, json.loads((frames / "shown.json").read_text(encoding="utf-8")), found)


def _write(folder: Path, p: NightParameters, w: WideParameters, *, is_alone: bool, is_raw: bool) -> None:
    """Write the nights of one field, and beside them where everything that moves is."""
    folder.mkdir(parents=True, exist_ok=True)
    nights = simulate_nights(p)
    minutes = minutes_of(nights[1], p)
    things = draw_wide(p, w, 1, minutes)
    nights[1], shown = with_wide(nights[1], p, w, things, minutes)
    for night in nights[1:] if is_alone else nights:
        for name, content in night_files(night, p):
            if not is_raw or "_light" in name:
                (folder / name).write_bytes(content)
    lines = "".join(f"{line}\n" for line in catalog_lines(p))
    SimulatedFolder(folder).star_catalog.write_text(lines, encoding="utf-8")
    files: dict[str, SimulatedFile] = json.loads(json.dumps(truth(nights, p)))["files"]
    asteroid = {
        name: [(each["x"], each["y"]) for each in entry["sources"] if each["kind"] == "asteroid"]
        for name, entry in files.items()
    }
    record = {
        "things": [asdict(thing) | {"rate": rate_of(thing, p)} for thing in things],
        "shown": {name: [asdict(each) for each in several] for name, several in shown.items()},
        "asteroid": {name: places[0] for name, places in asteroid.items() if places},
        "fwhm": {f"{light.name}.fits": light.fwhm_px for light in nights[1].lights},
    }
    (folder / "shown.json").write_text(json.dumps(record), encoding="utf-8")


def judged(seed: int, record: Record, found: Processed) -> Outcome:
    """Compare what was found with what was shown, in the frames that were compared."""
    used = {row["file"] for row in found["observations"] if row["status"] == "differenced"}
    shown = {name: [Shown(**s) for s in several] for name, several in record["shown"].items() if name in used}
    fwhm = record["fwhm"]
    rows = []
    owned: list[Track] = []
    for thing in record["things"]:
        places = {name: s for name, several in shown.items() for s in several if s.name == thing["name"]}
        reach = {name: max(NEAR_PX, 0.5 * thing["width"] * fwhm[name]) for name in places}
        row, own = _row(seed, thing, places, reach, found)
        rows.append(row)
        owned += own
    asteroid = {name: Shown("asteroid", x, y, 0.0, 0.0) for name, (x, y) in record["asteroid"].items()}
    owned += [t for t in found["tracklets"] if _is_of(t, asteroid, dict.fromkeys(asteroid, NEAR_PX))]
    others = [t for t in found["tracklets"] if t["kind"] == "linked" and not any(t is own for own in owned)]
    doubtful = sum(t["is_doubtful"] for t in others)
    return Outcome(tuple(rows), len(shown), len(others) - doubtful, doubtful)


def _row(
    seed: int, thing: Thing, places: dict[str, Shown], reach: dict[str, float], found: Processed
) -> tuple[Row, list[Track]]:
    own = [t for t in found["tracklets"] if _is_of(t, places, reach)]
    best = max(own, key=lambda t: (not t["is_doubtful"], len(t["members"])), default=None)
    seen = [c for c in (_nearest(found["candidates"], name, s, reach[name]) for name, s in places.items()) if c]
    lost = Counter(veto["code"] for c in seen for veto in c["vetoes"])
    detected = [_nearest(found["detections"], name, s, reach[name]) for name, s in places.items()]
    row = Row(
        seed=seed,
        name=thing["name"],
        kind=thing["kind"],
        rate_arcsec_per_min=thing["rate"],
        width=thing["width"],
        snr=float(np.median([s.snr for s in places.values()])) if places else 0.0,
        star_snr=float(np.median([s.star_snr for s in places.values()])) if places else 0.0,
        frames=len(places),
        seen=len(seen),
        members=len(best["members"]) if best else 0,
        detections=sum(each is not None for each in detected),
        is_doubtful=bool(best and best["is_doubtful"]),
        lost=dict(lost),
    )
    return row, own


def _nearest(rows: list[Candidate], file: str, shown: Shown, reach: float) -> Candidate | None:
    near = [c for c in rows if c["file"] == file and not c["is_negative"] and _distance(c, shown) < reach]
    return min(near, key=lambda c: _distance(c, shown), default=None)


def _distance(c: Candidate, shown: Shown) -> float:
    return float(np.hypot(c["pixel_x"] - shown.x, c["pixel_y"] - shown.y))


def _is_of(track: Track, places: dict[str, Shown], reach: dict[str, float]) -> bool:
    """Tell whether three members of a tracklet at least, and half of them, are at a thing's places."""
    near = [
        np.hypot(m["pixel_x"] - places[m["file"]].x, m["pixel_y"] - places[m["file"]].y) < reach[m["file"]]
        for m in track["members"]
        if m["file"] in places
    ]
    return sum(near) >= max(3, 0.5 * len(track["members"]))


def _lines(outcomes: dict[str, list[Outcome]]) -> Iterable[str]:
    rows = [row for each in outcomes["with"] for row in each.rows if row.frames >= 3]
    yield f"share in a tracklet that counts (any), of S/N >= {LEAST_SNR:g} (goal {GOAL:g})"
    names = ("by a star's filter", "by its own, below by a star's")
    for name, of_snr in zip(names, (True, False), strict=True):
        for kind in (*KINDS, "all"):
            own = [
                r for r in rows
                if kind in (r.kind, "all") and r.snr >= LEAST_SNR and (r.star_snr >= LEAST_SNR) == of_snr
            ]  # fmt: skip
            if own:
                counts = sum(r.members > 0 and not r.is_doubtful for r in own), sum(r.members > 0 for r in own)
                seen = sum(r.seen for r in own) / sum(r.frames for r in own)
                yield (
                    f"  S/N {name:32} {kind:16} {counts[0]:3} ({counts[1]}) of {len(own)}: "
                    f"{counts[0] / len(own):.2f}; seen in {seen:.2f} of the frames"
                )
    for kind, several in outcomes.items():
        frames = sum(each.frames for each in several)
        if frames:
            false, doubtful = sum(each.false for each in several), sum(each.doubtful for each in several)
            yield (
                f"{kind}: {false} false tracklets and {doubtful} doubtful ones in {frames} frames: "
                f"{false / frames * FALSE_GOAL_FRAMES:.2f} per {FALSE_GOAL_FRAMES} frames (goal 1)"
            )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
    import django

    django.setup()
    main()
