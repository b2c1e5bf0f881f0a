"""Measure a model, and the one in use, on the golden set: what is asked before a model is put to use."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import numpy as np
from django.conf import settings

from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.people import audit
from detection.models import DataSet, Model
from detection.numerics.compact import chosen_evenly
from detection.numerics.infer import WeightsRefused, score
from detection.numerics.measured import Measured
from detection.numerics.parts import TEST
from detection.registry import golden
from detection.registry.weights import active_model, weights_path
from detection.stage.datasets.building import manifest_of
from detection.stage.datasets.stored import DataSetRefused, find, mark_golden, packed_small, read, unpacked, write

# Simulated stamps of cameras of many kinds; a site's own golden set takes its place.
SHIPPED = Path(__file__).parent.parent / "weights" / "golden-1.npz"
_NAME, _VERSION = "golden", "1"


def run(model_id: UUID | str) -> None:
    """Measure a model and the one in use, where that was not done; raises StageFailure where one cannot be scored."""
    model = Model.objects.filter(pk=model_id).first()
    if model is None:
        raise StageFailure(FailureCode.BAD_VALUE, "There is no such model any more.")
    measure(model)


def measure(model: Model) -> None:
    """Do what `run` does, of a row."""
    try:
        of_all = golden_set()
        active = active_model(model.model_type)
        examples = None
        for one in [model] if active is None else [model, active]:
            if golden.known(one, of_all) is None:
                examples = examples or read(of_all)
                own = examples.examples
                stamps = own.stamps.astype(np.float32)
                scores = score(stamps, weights_path(one), fwhm_px=own.fwhm_px, threads=settings.ASTRID_THREADS)
                measured = Measured(scores, own.is_real, own.kind, examples.camera, own.snr, own.group)
                golden.keep(one, of_all, measured)
    except DataSetRefused as refusal:
        raise StageFailure(FailureCode.BAD_VALUE, f"The golden set cannot be used: {refusal}.") from refusal
    except WeightsRefused as refusal:
        raise StageFailure(FailureCode.MODEL_MISSING, f"The model cannot be measured: {refusal}.") from refusal


def golden_set() -> DataSet:
    """Return the golden set; where there is none, the one that comes with the code, which it then is."""
    row = DataSet.objects.golden().first()
    if row is not None:
        return row
    row = DataSet.objects.filter(name=_NAME, version=_VERSION).first()
    if row is None:
        of = unpacked(SHIPPED.read_bytes())
        told = [{"origin": "comes with AstrID", "file": SHIPPED.name, "examples": len(of)}]
        return write(of, _NAME, _VERSION, manifest_of(of, told), is_golden=True, actor=audit.MACHINE)
    mark_golden(row, audit.MACHINE)
    return row


def ship(asked: str, count: int, path: Path) -> tuple[int, int]:
    """Write some examples of the data set NAME:VERSION in few bytes; return how many bytes, of how many examples."""
    some = chosen_evenly(read(find(asked)), count)
    content = packed_small(some.divided(np.full(len(some), TEST)))
    storage.write_whole(path, content)
    return len(content), len(some)
