"""`python -m benchmarks.detection.nights FOLDER`: simulated nights of seven kinds through the whole pipeline, labelled.

Each night is processed in a process of its own, with a data root of its own. Everything that the pipeline finds in its
later nights becomes a labelled stamp in one file for each kind and seed, which networks are measured with.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detection.numerics import faults
from detection.numerics.examples import Examples
from observations.numerics.simulate.nights import Light, Night, NightParameters, simulate_nights


@dataclass(frozen=True)
class Condition:
    """A kind of nights. trails : satellites' trails a frame, of all brightnesses, one in two flashing along its way.
    trains : rows of a satellite's flashes a frame. is_calibrated : whether bias, dark and flat are there."""

    night: NightParameters = field(default_factory=NightParameters)
    trails: int = 0
    trains: int = 0
    is_calibrated: bool = True


_MANY = NightParameters(transients=40, transient_snr=(4.0, 60.0))
CONDITIONS = {
    "typical": Condition(_MANY),
    "bad seeing": Condition(replace(_MANY, fwhm_px=(4.6, 6.6), transients=30)),
    "undersampled": Condition(replace(_MANY, fwhm_px=(1.6, 2.1))),
    "crowded": Condition(replace(_MANY, stars_per_mpx=4000, transients=20)),
    "no calibration": Condition(_MANY, is_calibrated=False),
    "trails": Condition(_MANY, trails=4),
    "flash trains": Condition(_MANY, trains=2),
}


@dataclass(frozen=True)
class Labelled:
    """Stamps of all that was found, and what the pipeline said of each: which any veto, ghost or dipole refuses."""

    examples: Examples
    is_vetoed: NDArray[np.bool_]


def labelled(condition: str, seed: int, folder: Path) -> Labelled:
    """Return the labelled stamps of a kind and a seed, made where the folder does not have them yet."""
    path = folder / f"{condition.replace(' ', '_')}-{seed}.npz"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="astrid-bench-") as root:
            environment = os.environ | {
                "ASTRID_DATA_ROOT": root,
                "ASTRID_THREADS": "1",
                "DJANGO_SETTINGS_MODULE": "astrid_site.settings",
            }
            command = [sys.executable, "-m", "benchmarks.detection.nights", str(path), "--make", condition]
            subprocess.run([*command, "--seed", str(seed)], env=environment, check=True, stdout=subprocess.DEVNULL)
    with np.load(path, allow_pickle=False) as file:
        columns = dict(file)
    return Labelled(is_vetoed=columns.pop("is_vetoed"), examples=Examples(**columns))


def changed(night: Night, condition: Condition, rng: np.random.Generator) -> Night:
    """Return a night with its trails and trains of flashes; the first, of the reference, stays as it is."""
    if night.number == 0 or not (condition.trails or condition.trains):
        return night
    return replace(night, lights=tuple(_spoilt(light, condition, rng) for light in night.lights))


def _spoilt(light: Light, condition: Condition, rng: np.random.Generator) -> Light:
    data = light.data.astype(np.float32)
    sigma = float(np.percentile(data, 50) - np.percentile(data, 15.87))
    for trail in faults.trails(rng, data.shape, condition.trails, sigma, light.fwhm_px):
        data += trail
    data += faults.flashes(rng, data.shape, condition.trains, sigma, light.fwhm_px)
    top = np.iinfo(light.data.dtype).max
    return replace(light, data=np.clip(np.rint(data), 0, top).astype(light.data.dtype))


def _make(path: Path, name: str, seed: int) -> None:
    import django

    django.setup()
    from astrid_site.night.foreground import process_paths
    from astrid_site.running import database
    from observations.delivery.ingest import Overrides

    condition = CONDITIONS[name]
    parameters = replace(condition.night, seed=seed)
    rng = np.random.default_rng([seed, 77])
    nights = [changed(night, condition, rng) for night in simulate_nights(parameters)]
    with tempfile.TemporaryDirectory(prefix="astrid-bench-") as folder, database.usable(_quiet):
        _write(Path(folder), nights, parameters, is_calibrated=condition.is_calibrated)
        process_paths([Path(folder)], Overrides(), _quiet)
        lights = {f"{light.name}.fits": light for night in nights[1:] for light in night.lights}
        parts = list(_found(lights, f"{name} {seed}"))
    columns = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    np.savez(path, allow_pickle=False, **columns)


def _write(folder: Path, nights: list[Night], parameters: NightParameters, *, is_calibrated: bool) -> None:
    from observations.numerics.fits.synthetic import night_files

    for night in nights:
        for name, content in night_files(night, parameters):
            if is_calibrated or "light" in name:
                (folder / name).write_bytes(content)


def _found(lights: dict[str, Light], origin: str) -> Iterator[dict[str, NDArray[np.generic]]]:
    """Yield the columns of each frame's candidates."""
    from detection.stage.datasets.origins import Change, candidates_of, labelled, truth_of
    from observations.models import Observation

    for observation in Observation.objects.order_by("mjd_utc"):
        light = lights.get(observation.original_name)
        found = None if light is None else candidates_of(observation)
        if light is None or found is None:
            continue
        changes = [
            Change(name=s.name, kind=s.kind, x=s.x, y=s.y, change_adu=s.change_adu, is_on_host=s.is_on_host)
            for s in light.sources
        ]
        examples, keep = labelled(found, truth_of(changes), f"{origin} {light.name}")
        yield {**vars(examples), "is_vetoed": found.is_vetoed[keep]}


def _quiet(line: str) -> None:
    """Progress is of no interest here."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=90211)
    parser.add_argument("--make", choices=CONDITIONS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        _make(options.folder, options.make, options.seed)
        return
    for name in CONDITIONS:
        night = labelled(name, options.seed, options.folder)
        real = night.examples.is_real
        print(f"{name:16} {real.sum()} real, {(~real).sum()} bogus, of these {night.is_vetoed[~real].sum()} vetoed")


if __name__ == "__main__":
    main()
