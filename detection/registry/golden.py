"""What models make of the golden set, kept by workers who can score, and asked before a model is put to use."""

from __future__ import annotations

import io
from functools import lru_cache
from zipfile import BadZipFile

import numpy as np

from catalog.files import storage
from detection.models import DataSet, Model
from detection.numerics.guard import Comparison, compare
from detection.numerics.measured import Measured

# At which detections are made unless a site wants it otherwise; recall there is what both models are asked for.
THRESHOLD = 0.5
_COLUMNS = ("score", "is_real", "kind", "camera", "snr", "group")


def keep(model: Model, golden: DataSet, measured: Measured) -> None:
    """Keep what a model makes of a data set: the same weights and examples give the same."""
    buffer = io.BytesIO()
    columns = {name: getattr(measured, name) for name in _COLUMNS}
    np.savez_compressed(buffer, allow_pickle=False, **columns)
    storage.write_atomically(_path(model, golden), buffer.getvalue())


def known(model: Model, golden: DataSet) -> Measured | None:
    """Return what was kept; None where it was not measured, or what was kept cannot be read."""
    try:
        return _read(_path(model, golden))
    except (OSError, ValueError, KeyError, BadZipFile):
        return None


def comparison(candidate: Model, active: Model, golden: DataSet) -> Comparison | None:
    """Return both models side by side; None where one of them was not measured yet."""
    try:
        return _compared(_path(candidate, golden), _path(active, golden))
    except (OSError, ValueError, KeyError, BadZipFile):
        return None


@lru_cache(maxsize=32)
def _compared(candidate: str, active: str) -> Comparison:
    """Compare what was kept: a path names weights and examples, so that it never becomes another one."""
    return compare(_read(candidate), _read(active), THRESHOLD)


def _read(path: str) -> Measured:
    with np.load(storage.open_stored(path), allow_pickle=False) as file:
        return Measured(**{name: file[name] for name in _COLUMNS})


def _path(model: Model, golden: DataSet) -> str:
    return f"measured/{golden.sha256[:16]}/{model.weights_sha256[:16]}.npz"
