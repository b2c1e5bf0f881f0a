"""Train a new version of the real/bogus network in the background, and enter it in the registry."""

from __future__ import annotations

import logging

from django.conf import settings

from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.work import jobs
from detection.models import Model
from detection.registry.weights import read_card, register
from detection.stage.training import Order, train_model

logger = logging.getLogger(__name__)


def run(name_and_version: str) -> None:
    """Train "<name> <version>" as `manage.py train_model` does; it scores nothing until somebody activates it.

    A repeat with the same code gives the same weights. Raises StageFailure where the version is taken by others.
    """
    name, _, version = name_and_version.rpartition(" ")
    if Model.objects.filter(name=name, version=version).exists():
        raise StageFailure(FailureCode.BAD_VALUE, f"{name_and_version} is already registered: give another version.")
    folder = storage.resolve(f"training/{name}-{version}")
    try:
        written = train_model(Order(folder, name=name, version=version, threads=settings.ASTRID_THREADS), _say)
        with jobs.writing(last=True):
            register(read_card(written.card))
    except ValueError as refusal:  # also what the registry refuses
        raise StageFailure(FailureCode.BAD_VALUE, f"{refusal}.") from refusal


def _say(line: str) -> None:
    jobs.check()
    logger.info("%s", line)
