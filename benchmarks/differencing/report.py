"""One table and one JSON document of what was measured."""

from __future__ import annotations

import json
import math
import os
import platform
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy import fft

from benchmarks.differencing.costs import Cost, costing
from benchmarks.differencing.injections import RealFigures
from benchmarks.differencing.judging import Figures
from benchmarks.differencing.vetoes import VetoRow, table_of

# Of one pair: background, stars and PSF of the science frame; the reference brought onto its grid; the subtraction,
# which is all that peers do; the candidates.
STAGES = ("measure", "align", "subtract", "peaks")
# Shares are given as parts of the limit's on the same pair.
RATIOS = ("share", "share_1", "share_20", "far", "host", "faint", "plus", "minus")
COLUMNS = {
    "limit": ("limit", "{:.3f}"),
    "share": ("whole@5", "{:.3f}"),
    "share_1": ("@1", "{:.3f}"),
    "share_20": ("@20", "{:.3f}"),
    "far": ("far@5", "{:.3f}"),
    "host": ("host", "{:.3f}"),
    "faint": ("faint", "{:.3f}"),
    "plus": (">5s new", "{:.3f}"),
    "minus": ("faded", "{:.3f}"),
    "false": ("false", "{:.1f}"),
    "bias": ("bias %", "{:+.2f}"),
    "bias_less": ("- limit", "{:+.2f}"),
    "noise": ("noise", "{:.3f}"),
    "noise_before": ("before", "{:.3f}"),
    "mean": ("mean", "{:+.3f}"),
    "position_px": ("pos px", "{:.3f}"),
    "subtract_s": ("cpu s", "{:.3f}"),
    "subtract_mb": ("MB", "{:.0f}"),
}
REAL_COLUMNS = {
    "algorithm": "s", "injected": "d", "found": ".3f", "limit": ".3f", "ratio": ".3f", "bias": "+.3f",
    "position_px": ".3f", "noise_before": ".3f", "mean": "+.3f", "peaks": "d", "clean": "d",
}  # fmt: skip
LEGEND = """limit: completeness of the ideal filter at 5 false peaks per Mpx; whole, far (>= 20 px from masks), host,
faint (ideal S/N < 8): completeness at 5 false per Mpx as share of the limit's, @1 and @20 at 1 and 20; >5s new, faded:
found at 5 sigma, of those that appear or fade, likewise; false: peaks beyond 5 sigma of both signs per Mpx; bias: of
fluxes, and less the limit's own, which shares their noise; noise, before, mean: of the score on blank sky, as it is,
before its last rescaling; pos: scatter of positions in one axis; cpu, MB: of the subtraction alone (hotpants: of the
whole process)."""


@dataclass(frozen=True)
class Row:
    """One method on one pair, or the mean of several with its scatter."""

    scenario: str
    size: int
    seed: int
    method: str
    values: dict[str, float]


def row_of(figures: Figures, best: Figures, costs: dict[str, Cost]) -> dict[str, float]:
    """Return what is said of one method on one pair: shares as parts of the limit's, its costs."""
    values = asdict(figures)
    limits = asdict(best)
    values |= {name: values[name] / limits[name] if limits[name] else math.nan for name in RATIOS}
    values |= {"limit": best.share, "bias": 100 * figures.bias, "bias_error": 100 * figures.bias_error}
    # Both measure the same transients under the same noise, which all but cancels.
    values |= {"bias_less": 100 * (figures.bias - best.bias)}
    nothing = Cost(math.nan, math.nan, math.nan)
    for stage in STAGES:
        cost = costs.get(stage, nothing)
        values |= {f"{stage}_s": cost.seconds, f"{stage}_wall_s": cost.wall_s, f"{stage}_mb": cost.extra_mb}
    return {name: float(value) for name, value in values.items()}


def floor_s(size: int) -> Cost:
    """Return what six real transforms of the whole image cost: no subtraction by transforms does with fewer."""
    image = np.random.default_rng(1).normal(size=(size, size)).astype(np.float32)

    def six() -> None:
        for _ in range(3):
            fft.irfft2(fft.rfft2(image), image.shape)

    return costing(six, repeats=5)[1]


def header() -> str:
    return f"{'scenario':13} {'size':>4} {'seed':>4} {'method':17}" + "".join(
        f" {name:>8}" for name, _ in COLUMNS.values()
    )


def line(scenario: str, size: int, seed: str, method: str, values: dict[str, float]) -> str:
    cells = (
        pattern.format(values[name]) if math.isfinite(values[name]) else "-" for name, (_, pattern) in COLUMNS.items()
    )
    return f"{scenario:13} {size:4d} {seed:>4} {method:17}" + "".join(f" {cell:>8}" for cell in cells)


@dataclass
class Report:
    """Rows as they come, printed at once, and their means at the end."""

    absent: dict[str, str]
    rows: list[Row] = field(default_factory=list)
    real: list[dict[str, object]] = field(default_factory=list)
    vetoes: list[VetoRow] = field(default_factory=list)

    def begin(self, sizes: Iterable[int]) -> None:
        print(LEGEND)
        for name, why in self.absent.items():
            print(f"{name} is absent: {why}.")
        self.floors = {size: floor_s(size) for size in sizes}
        for size, cost in self.floors.items():
            print(f"floor: six real transforms of {size} x {size}: {1000 * cost.seconds:.1f} ms of the processor")
        print("\n" + header(), flush=True)

    def add(self, row: Row) -> None:
        self.rows.append(row)
        print(line(row.scenario, row.size, str(row.seed), row.method, row.values), flush=True)

    def begin_real(self) -> None:
        print("\nreal pairs: sources of S/N 7 to 50 added; without them, peaks beyond 5 sigma and those on clean sky")
        print(f"{'folder':26} {'file':32}" + "".join(f" {name:>12}" for name in REAL_COLUMNS), flush=True)

    def add_real(self, folder: str, file: str, figures: RealFigures) -> None:
        values = asdict(figures)
        self.real.append({"folder": folder, "file": file, **values})
        cells = "".join(f" {format(values[name], pattern):>12}" for name, pattern in REAL_COLUMNS.items())
        print(f"{folder:26} {file[-32:]:32}{cells}", flush=True)

    def means(self) -> list[dict[str, object]]:
        """Return mean and scatter of every figure over the seeds."""
        groups: dict[tuple[str, int, str], list[Row]] = defaultdict(list)
        for row in self.rows:
            groups[row.scenario, row.size, row.method].append(row)
        out: list[dict[str, object]] = []
        for (scenario, size, method), rows in groups.items():
            table = {name: [row.values[name] for row in rows] for name in rows[0].values}
            out.append(
                {
                    "scenario": scenario, "size": size, "method": method, "seeds": [row.seed for row in rows],
                    "mean": {name: _mean(values) for name, values in table.items()},
                    "scatter": {name: _scatter(values) for name, values in table.items()},
                }
            )  # fmt: skip
        return out

    def _print_costs(self, means: list[dict[str, object]]) -> None:
        """Print what each stage takes, over all scenarios, beside the floor of its size."""
        print(
            "\nseconds of the processor and megabytes of each stage, mean of all pairs; whole as multiple of the floor"
        )
        print(f"{'size':>4} {'method':17}" + "".join(f" {name:>16}" for name in (*STAGES, "whole")))
        for size, method in dict.fromkeys((each["size"], each["method"]) for each in means):
            rows = [each for each in means if (each["size"], each["method"]) == (size, method)]
            seconds = [_mean_cost(rows, f"{stage}_s") for stage in STAGES]
            if not np.isfinite(seconds).any():
                continue
            megabytes = [_mean_cost(rows, f"{stage}_mb") for stage in STAGES]
            cells = [
                f"{s:.3f} s {m:4.0f} MB" if math.isfinite(s) else "-" for s, m in zip(seconds, megabytes, strict=True)
            ]
            whole = float(np.nansum(seconds))
            floor = self.floors[int(str(size))].seconds
            cells.append(f"{whole:.3f} s {whole / floor:4.0f} x")
            print(f"{size:>4} {method:17}" + "".join(f" {cell:>16}" for cell in cells))

    def end(self, path: Path | None) -> None:
        """Print the means and write everything to one JSON document, NaN as null."""
        means = self.means()
        print("\nmean and scatter over the seeds\n" + header())
        for each in means:
            scenario, size, method = str(each["scenario"]), int(str(each["size"])), str(each["method"])
            for label, key in (("mean", "mean"), ("±", "scatter")):
                values = each[key]
                if isinstance(values, dict) and (label == "mean" or len(self.rows) > len(means)):
                    print(line(scenario, size, label, method, values))
        self._print_costs(means)
        if self.vetoes:
            print("\n".join(table_of(self.vetoes)))
        if path is not None:
            document = {
                "measured_at_utc": datetime.now(UTC).isoformat(timespec="seconds"),
                "machine": {"processor": _processor(), "system": platform.platform(), "cores": os.cpu_count()},
                "absent": self.absent,
                "floor_s": {str(size): cost.seconds for size, cost in self.floors.items()},
                "rows": [asdict(row) for row in self.rows],
                "means": means,
                "real": self.real,
                "vetoes": [asdict(row) for row in self.vetoes],
            }
            path.write_text(json.dumps(_without_nan(document), indent=1, allow_nan=False))


def _mean(values: list[float]) -> float:
    """Return the mean of those that are known."""
    known = [value for value in values if math.isfinite(value)]
    return float(np.mean(known)) if known else math.nan


def _scatter(values: list[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.std(known, ddof=1)) if len(known) > 1 else math.nan


def _mean_cost(rows: list[dict[str, object]], name: str) -> float:
    return _mean([float(str(table[name])) for table in (row["mean"] for row in rows) if isinstance(table, dict)])


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [text.split(":", 1)[1].strip() for text in lines if text.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
