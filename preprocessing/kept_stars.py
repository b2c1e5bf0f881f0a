"""Stars as they are kept, for the many who only look some up: read without what reads catalogues of others."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from catalog.files import arrays, storage
from preprocessing.models import StarCatalogField

Column = NDArray[np.float64]

# A change of what is kept of a file, or how, makes those of an earlier version unreadable by name.
LAYOUT = "2"
_MAS_PER_DEGREE = 3.6e6


class About(TypedDict):
    """What is kept beside the stars of a file."""

    name: str
    bands: list[list[str]]
    colours: list[str]
    sha256: str


@dataclass(frozen=True)
class KeptStars:
    """Stars as kept, (n,) each: ICRS degrees at `epoch_year`, motions in mas a year, magnitudes (m, n)."""

    ra_deg: Column
    dec_deg: Column
    motion: tuple[Column, Column]
    magnitudes: Column


def unpack(row: StarCatalogField) -> KeptStars:
    """Return the stars of a row, sorted by declination."""
    kept = arrays.load_all(io.BytesIO(bytes(row.stars)))
    return KeptStars(kept["ra"], kept["dec"], (kept["pm_ra"], kept["pm_dec"]), kept["magnitudes"])


def moved(ra: Column, dec: Column, motion: tuple[Column, Column], years: float) -> tuple[Column, Column]:
    """Return positions some years later; a straight line on the sky is good to a milliarcsecond but at the poles."""
    east = years * motion[0] / np.maximum(np.cos(np.radians(dec)), 1e-3)
    return (ra + east / _MAS_PER_DEGREE) % 360.0, np.clip(dec + years * motion[1] / _MAS_PER_DEGREE, -90.0, 90.0)


def key_of(path: Path) -> str:
    """Return under which name the stars of a file are kept, as it is now. Raises OSError where it cannot be read."""
    state = path.stat()
    identity = f"{LAYOUT}|{path.resolve()}|{state.st_size}|{state.st_mtime_ns}"
    return f"star_catalog/{hashlib.sha256(identity.encode()).hexdigest()[:24]}"


def map_file(key: str) -> tuple[About, Column]:
    """Return what is kept of a file: its description, and rows declination, right ascension, magnitudes, colours."""
    about: About = json.loads(storage.open_stored(f"{key}.json").read_text())
    return about, arrays.load(storage.open_stored(f"{key}.npy"), is_mapped=True)
