"""`make bench-movers`: how deep a night's moving objects are found, in single frames and in frames shifted and added.

Each seed is a field of its own with one night as the reference and some nights after it, twelve good frames each, that
go through the whole pipeline in a process of its own, with the shipped configuration but for shift-and-stack. Fields
with movers tell completeness; all fields, those without above all, tell how many moving objects are none. Seeds from
71 on are for stating results; tune on others.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.movers.judging import (
    Limit,
    Mover,
    Night,
    Processed,
    SimulatedFile,
    SimulatedSource,
    Truth,
    judge,
    limit_of,
)
from benchmarks.movers.processing import processed_apart

FRAMES = 12
NIGHTS = 5
MOVERS = 40
GAIN_GOAL_MAG = 0.8
FALSE_GOAL = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[71, 72], help="fields with movers")
    parser.add_argument("--blank-seeds", type=int, nargs="*", default=[81], help="fields without movers")
    parser.add_argument("--size", type=int, default=1024, help="side of the frames in pixels")
    parser.add_argument("--nights", type=int, default=NIGHTS, help="nights of each field beside the reference's")
    parser.add_argument("--keep", type=Path, help="folder of frames and products, which a second run reuses")
    parser.add_argument("--json", type=Path, help="file for the same figures as JSON")
    options = parser.parse_args()
    fields = [(seed, MOVERS) for seed in options.seeds] + [(seed, 0) for seed in options.blank_seeds]
    nights: dict[int, list[Night]] = {MOVERS: [], 0: []}
    for seed, movers in fields:
        kept = nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory(prefix="astrid-bench-")
        with kept as folder:
            found, seconds = _field(Path(folder) / f"{movers}-movers-{seed}", options, seed, movers)
        nights[movers] += found
        print(f"seed {seed}: {len(found)} nights with {movers} movers, {_seconds(seconds)}", flush=True)
    for line in _lines(nights):
        print(line)
    if options.json:
        rows = {str(movers): [asdict(night) for night in several] for movers, several in nights.items()}
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def _seconds(seconds: list[float]) -> str:
    return f"shift-and-stack took {np.median(seconds):.0f} CPU s a night (at most {max(seconds):.0f})"


def _field(folder: Path, options: argparse.Namespace, seed: int, movers: int) -> tuple[list[Night], list[float]]:
    """Simulate a field's nights where they are not there yet, process them, and judge every night but the first."""
    frames = folder / "frames"
    parameters = {
        "seed": seed, "size": options.size, "nights": options.nights + 1, "frames": FRAMES, "movers": movers,
    }  # fmt: skip
    _simulate(frames, parameters)
    processed = processed_apart(frames, folder / "root", frames / "star_catalog.csv", "--shift-and-stack")
    truth = json.loads((frames / "truth.json").read_text(encoding="utf-8"))
    return list(_judged(truth["files"], processed)), processed["seconds"]


def _simulate(folder: Path, parameters: dict[str, int]) -> None:
    """Write the nights of one field, in a process that has only this to do."""
    import django

    django.setup()
    from observations.delivery.simulated import write_synthetic_nights
    from observations.numerics.simulate.nights import NightParameters

    if not (folder / "truth.json").exists():
        for _ in write_synthetic_nights(folder, NightParameters(**parameters)):  # type: ignore[arg-type]
            continue


def _judged(truth: dict[str, SimulatedFile], processed: Processed) -> Iterable[Night]:
    """Yield every night but the first, which is the reference's."""
    status = {row["file"]: row["status"] for row in processed["observations"]}
    positive = [row for row in processed["candidates"] if not row["is_negative"]]
    for number in sorted({entry["night"] for entry in truth.values()} - {1}):
        files = {
            name: entry
            for name, entry in truth.items()
            if entry["night"] == number and status.get(name) == "differenced"
        }
        if files:
            yield judge(
                _truths(files),
                [row for row in positive if row["file"] in files],
                [row for row in processed["tracklets"] if row["members"] and row["members"][0]["file"] in files],
            )


def _truths(files: dict[str, SimulatedFile]) -> list[Truth]:
    rows: dict[str, dict[str, SimulatedSource]] = {}
    for file, entry in files.items():
        for source in entry["sources"]:
            if source["kind"] in ("mover", "asteroid"):
                rows.setdefault(source["name"], {})[file] = source
    truths = []
    for name, places in rows.items():
        first, last = (pick(places, key=lambda file: files[file]["mjd_utc"]) for pick in (min, max))
        a, b = places[first], places[last]
        minutes = 1440.0 * (files[last]["mjd_utc"] - files[first]["mjd_utc"])
        east = (b["ra"] - a["ra"]) * np.cos(np.radians(a["dec"]))
        rate = 3600.0 * float(np.hypot(east, b["dec"] - a["dec"])) / minutes
        truths.append(Truth(name, a["magnitude"], rate, {file: (s["x"], s["y"]) for file, s in places.items()}))
    return truths


def _lines(nights: dict[int, list[Night]]) -> Iterable[str]:
    """Yield the figures, the goal beside what was measured."""
    movers = [mover for night in nights[MOVERS] for mover in night.movers]
    if movers:
        yield from _depth(movers, "all")
        middle = float(np.median([mover.rate_arcsec_per_min for mover in movers]))
        yield from _depth([m for m in movers if m.rate_arcsec_per_min < middle], f"below {middle:.2f} arcsec/min")
        yield from _depth([m for m in movers if m.rate_arcsec_per_min >= middle], f"above {middle:.2f} arcsec/min")
    for count, several in nights.items():
        if several:
            linked, stacked = ([getattr(n, f"false_{kind}") for n in several] for kind in ("linked", "stacked"))
            yield (
                f"{len(several)} nights with {count} movers: false moving objects a night, linked "
                f"{np.mean(linked):.2f} {linked}, shifted and added {np.mean(stacked):.2f} {stacked} "
                f"(goal {FALSE_GOAL:g})"
            )


def _depth(movers: list[Mover], which: str) -> Iterable[str]:
    magnitudes = np.array([m.magnitude for m in movers])
    once = np.ones(len(movers), dtype=np.int64)

    def limit(found: Iterable[int], tried: Iterable[int] = once) -> Limit:
        return limit_of(magnitudes, np.array(list(tried)), np.array(list(found)))

    single = limit((m.seen for m in movers), (m.frames for m in movers))
    linked = limit(int(m.is_linked) for m in movers)
    stacked = limit(int(m.is_linked or m.is_stacked) for m in movers)
    rates = [m.rate_arcsec_per_min for m in movers]
    yield f"{len(movers)} movers of {min(rates):.2f} to {max(rates):.2f} arcsec/min ({which}); half are found at"
    rows = (("5 sigma in one frame", single), ("linked", linked), ("linked or shifted and added", stacked))
    for name, row in rows:
        yield f"  {name:28} {row.magnitude:6.2f} ± {row.error:.2f} mag, of the brightest quarter {row.bright:.2f}"
    gains = stacked.magnitude - single.magnitude, stacked.magnitude - linked.magnitude
    yield f"  deeper by {gains[0]:.2f} than one frame (goal {GAIN_GOAL_MAG:g}), by {gains[1]:.2f} than what is linked"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
    main()
