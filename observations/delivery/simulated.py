"""Simulated nights on disk, for the demo and for tests of the whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from observations.numerics.fits.synthetic import night_files, truth
from observations.numerics.simulate.nights import NightParameters, simulate_nights


def write_synthetic_nights(folder: Path, parameters: NightParameters) -> Iterator[str]:
    """Write every frame of the nights into a folder, with truth.json at the end; yield each file's name."""
    folder.mkdir(parents=True, exist_ok=True)
    nights = simulate_nights(parameters)
    for night in nights:
        for name, content in night_files(night, parameters):
            (folder / name).write_bytes(content)
            yield name
    (folder / "truth.json").write_text(json.dumps(truth(nights, parameters), indent=1), encoding="utf-8")
    yield "truth.json"


def parameters_of(*, seed: int, size: int, nights: int, frames: int) -> NightParameters:
    """Return the parameters of simulated nights that a command may choose."""
    return NightParameters(seed=seed, size=size, nights=nights, frames=frames)
