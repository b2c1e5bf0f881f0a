"""Train a new version of the real/bogus network in the background, and enter it in the registry."""

from __future__ import annotations

import logging

from django.conf import settings

from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.work import jobs
from detection.models import DataSet, Model
from detection.registry.ordering import ANSWERED, Asked, asked_by, labels_path
from detection.registry.weights import active_model, read_card, register
from detection.stage.datasets.building import Recipe, build
from detection.stage.tracking import track
from detection.stage.training import Order, train_model

logger = logging.getLogger(__name__)

# Simulated beside the answers, so that the network keeps what it knows: it goes on from what it has learned of four
# times as many. Another seed than that of the model that comes with AstrID, which has seen those.
_PAIRS, _SEED = 60, 1001


def run(key: str) -> None:
    """Train "<name> <version>[ from <data set>]" as `manage.py train_model` does; nothing is scored by it yet.

    A repeat with the same code gives the same weights, and one that ended goes on after its last epoch. A data set of
    answers that is not there yet is made first. Raises StageFailure where the version is taken, or the data do not do.
    """
    asked = asked_by(key)
    if Model.objects.filter(name=asked.name, version=asked.version).exists():
        name = f"{asked.name} {asked.version}"
        raise StageFailure(FailureCode.BAD_VALUE, f"{name} is already registered: give another version.")
    folder = storage.resolve(f"training/{asked.name}-{asked.version}")
    try:
        _make_data_set(asked)
        order = Order(
            folder, name=asked.name, version=asked.version, data_set=asked.data_set, threads=settings.ASTRID_THREADS
        )
        written = train_model(order, _say)
        card = read_card(written.card)
        run_id = track(card, _say)
        with jobs.writing(last=True):
            register(card, mlflow_run_id=run_id)
    except ValueError as refusal:  # also what the registry refuses
        raise StageFailure(FailureCode.BAD_VALUE, f"{refusal}.") from refusal


def _make_data_set(asked: Asked) -> None:
    """Make a data set of answers: with what the model in use learned from, or newly simulated nights."""
    name, _, version = asked.data_set.partition(":")
    if name != ANSWERED or DataSet.objects.filter(name=name, version=version).exists():
        return
    active = active_model()
    base = active.data_set if active is not None else None
    include = () if base is None or base.name == ANSWERED else (str(base),)
    recipe = Recipe(
        name, version, labels=(storage.open_stored(labels_path(version)),), with_injected=True, include=include,
        simulated_pairs=0 if include else _PAIRS, seed=_SEED,
    )  # fmt: skip
    build(recipe, _say)


def _say(line: str) -> None:
    jobs.check()
    logger.info("%s", line)
