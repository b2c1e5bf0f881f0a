"""Simulated fields of a site: their frames as files, named so that none has another's name, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.detection.nights import CONDITIONS, Condition, changed
from observations.numerics.fits.synthetic import night_files
from observations.numerics.simulate.nights import NightParameters, Source, simulate_nights

_DAYS_APART, _DEG_APART = 20.0, 1.0


@dataclass(frozen=True)
class Field:
    """A field of the sky: one night that is its reference, and later ones in which things change.

    kind : of `benchmarks.detection.nights.CONDITIONS`. trains : rows of a satellite's flashes a frame.
    """

    name: str
    kind: str
    seed: int
    place: int
    nights: int = 1
    trains: int = 0

    @property
    def condition(self) -> Condition:
        of_kind = CONDITIONS[self.kind]
        return replace(of_kind, trains=self.trains, night=self.parameters)

    @property
    def parameters(self) -> NightParameters:
        """Return how it is simulated: where no other field is, and in nights of its own."""
        own = CONDITIONS[self.kind].night
        return replace(
            own, size=640, frames=3, transients=14, transient_snr=(4.0, 60.0),
            seed=self.seed, nights=1 + self.nights, ra_deg=own.ra_deg + _DEG_APART * self.place,
            first_mjd_utc=own.first_mjd_utc + _DAYS_APART * self.place,
        )  # fmt: skip


# By the names of files as they were delivered.
Truth = dict[str, tuple[Source, ...]]


def write_field(folder: Path, field: Field) -> Truth:
    """Write the frames of a field; return what is in each."""
    truth: Truth = {}
    for name, content, sources in _files(field):
        (folder / name).write_bytes(content)
        if sources is not None:
            truth[name] = sources
    return truth


def _files(field: Field) -> Iterator[tuple[str, bytes, tuple[Source, ...] | None]]:
    rng = np.random.default_rng([field.seed, 77])
    for night in simulate_nights(field.parameters):
        spoilt = changed(night, field.condition, rng)
        sources = {f"{light.name}.fits": light.sources for light in spoilt.lights}
        for name, content in night_files(spoilt, field.parameters):
            yield f"{field.name.replace(' ', '_')}_{name}", content, sources.get(name)
