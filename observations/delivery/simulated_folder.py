"""What a folder of simulated nights holds besides frames; asked without loading what simulates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SimulatedFolder:
    """A folder of simulated nights, there already or to come."""

    path: Path

    @property
    def truth(self) -> Path:
        """What is truly in the frames."""
        return self.path / "truth.json"

    @property
    def star_catalog(self) -> Path:
        """The star catalogue of the simulated sky; ASTRID_STAR_CATALOG can name it."""
        return self.path / "star_catalog.csv"
