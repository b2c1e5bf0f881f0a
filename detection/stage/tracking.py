"""Tell an MLflow server of a training, where the site has one (`MLFLOW_TRACKING_URI`)."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings
from django.utils import timezone

from catalog.files.addresses import AddressRefused
from catalog.files.outgoing import DownloadFailed, Limits, fetch
from detection.registry.weights import Card

_EXPERIMENT = "AstrID"
_LIMITS = Limits(max_bytes=1_000_000, stall_seconds=15.0, whole_seconds=60.0)
# What the server takes at most of the value of a parameter.
_LONGEST = 500


def track(card: Card, say: Callable[[str], object]) -> str:
    """Return the id of the run under which the server keeps the card's figures; "" without a server.

    A server that does not answer keeps no training from its end: that is said, and the id is empty.
    """
    if not settings.MLFLOW_TRACKING_URI:
        return ""
    try:
        return _track(card)
    except (AddressRefused, DownloadFailed, OSError, ValueError) as error:
        say(f"MLflow was not told of this training: {error}")
        return ""


def _track(card: Card) -> str:
    now = int(timezone.now().timestamp() * 1000)
    name = f"{card.name} {card.version}"
    begun = {"experiment_id": _experiment(), "run_name": name, "start_time": now}
    run_id = _named(_ask("runs/create", begun), "run", "info", "run_id")
    _ask("runs/log-batch", {"run_id": run_id, "metrics": list(_metrics(card, now)), "params": list(_params(card))})
    _ask("runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": now})
    return run_id


def _experiment() -> str:
    try:
        found = _ask("experiments/get-by-name?" + urlencode({"experiment_name": _EXPERIMENT}))
        return _named(found, "experiment", "experiment_id")
    except DownloadFailed:
        return _named(_ask("experiments/create", {"name": _EXPERIMENT}), "experiment_id")


def _metrics(card: Card, moment: int) -> Iterator[dict[str, object]]:
    for key, value in card.metrics.items():
        if value is not None and math.isfinite(value):
            yield {"key": key, "value": value, "timestamp": moment, "step": 0}
    epochs = card.report.get("epochs")
    for epoch in epochs if isinstance(epochs, list) else ():
        for key in ("loss", "calibration_loss"):
            yield {"key": key, "value": epoch[key], "timestamp": moment, "step": epoch["number"]}


def _params(card: Card) -> Iterator[dict[str, str]]:
    values = {"sha256": card.sha256, "trained_on": card.training_dataset, **card.hyperparameters}
    for key, value in values.items():
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        yield {"key": key, "value": text[:_LONGEST]}


def _ask(what: str, told: Mapping[str, object] | None = None) -> object:
    """Ask the server's REST interface, and return what it answers."""
    address = f"{settings.MLFLOW_TRACKING_URI.rstrip('/')}/api/2.0/mlflow/{what}"
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "answer.json"
        fetch(address, target, _LIMITS, body=None if told is None else json.dumps(told).encode())
        answer: object = json.loads(target.read_bytes() or b"{}")
    return answer


def _named(answer: object, *path: str) -> str:
    """Return what an answer has under these names, one within the other. ValueError where it has none."""
    for name in path:
        if not isinstance(answer, dict) or name not in answer:
            raise ValueError(f"its answer has no {name}")
        answer = answer[name]
    return str(answer)
