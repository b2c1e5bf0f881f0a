"""What models make of the golden set, kept by workers who can score, and asked before a model is put to use."""

from __future__ import annotations

import io
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
        with np.load(storage.open_stored(_path(model, golden)), allow_pickle=False) as file:
            return Measured(**{name: file[name] for name in _COLUMNS})
    except (OSError, ValueError, KeyError, BadZipFile):
        return None


def comparison(candidate: Model, active: Model, golden: DataSet) -> Comparison | None:
    """Return both models side by side; None where one of them was not measured yet."""
    found = [known(model, golden) for model in (candidate, active)]
    if found[0] is None or found[1] is None or len(found[0]) != len(found[1]):
        return None
    return compare(found[0], found[1], THRESHOLD)


def _path(model: Model, golden: DataSet) -> str:
    return f"measured/{golden.sha256[:16]}/{model.weights_sha256[:16]}.npz"
