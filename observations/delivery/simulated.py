"""Simulated nights on disk with the star catalogue of their sky, for the demo and for tests of the whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from observations.delivery.simulated_folder import SimulatedFolder
from observations.numerics.fits.synthetic import night_files, truth
from observations.numerics.simulate.nights import NightParameters, simulate_nights
from observations.numerics.simulate.star_catalog import catalog_lines


def write_synthetic_nights(path: Path, parameters: NightParameters) -> Iterator[str]:
    """Write the star catalogue, every frame of the nights, and their truth at the end; yield each file's name."""
    folder = SimulatedFolder(path)
    path.mkdir(parents=True, exist_ok=True)
    yield write_star_catalog(folder, parameters)
    nights = simulate_nights(parameters)
    for night in nights:
        for name, content in night_files(night, parameters):
            (path / name).write_bytes(content)
            yield name
    folder.truth.write_text(json.dumps(truth(nights, parameters), indent=1), encoding="utf-8")
    yield folder.truth.name


def write_star_catalog(folder: SimulatedFolder, parameters: NightParameters) -> str:
    """Write the star catalogue of the nights' sky and return the file's name."""
    content = "".join(f"{line}\n" for line in catalog_lines(parameters))
    folder.star_catalog.write_text(content, encoding="utf-8")
    return folder.star_catalog.name


def parameters_of(*, seed: int, size: int, nights: int, frames: int) -> NightParameters:
    """Return the parameters of simulated nights that a command may choose."""
    return NightParameters(seed=seed, size=size, nights=nights, frames=frames)
