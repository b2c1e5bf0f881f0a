"""Training as an order: what is trained, under which name and version, from which data set."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from catalog.models import ProcessingJob
from catalog.people import audit
from catalog.work import jobs
from detection.models import Model

TRAIN, DEFAULT_NAME = "train", "realbogus"
# The data sets that are made of what people have answered, and where what they said waits until it is made.
ANSWERED = "answers"
_FROM = " from "
_LONGEST = 64


class OrderRefused(ValueError):
    """This cannot be ordered; the sentence says why."""


@dataclass(frozen=True)
class Asked:
    """What is to be trained. data_set : NAME:VERSION, "" for newly simulated nights."""

    name: str
    version: str
    data_set: str = ""

    @property
    def key(self) -> str:
        """Return it as the key of a job, which people read in lists."""
        return f"{self.name} {self.version}" + (f"{_FROM}{self.data_set}" if self.data_set else "")


def asked_by(key: str) -> Asked:
    """Return what the key of a job asks for."""
    model, _, data_set = key.partition(_FROM)
    name, _, version = model.rpartition(" ")
    return Asked(name, version, data_set)


def new_version() -> str:
    """Return a version that is given once: the time."""
    return f"{timezone.now():%Y%m%d-%H%M%S}"


def labels_path(version: str) -> str:
    """Return where labels are kept until the data set of this version is made of them, relative to the data root."""
    return f"labels/{version}.jsonl"


@transaction.atomic
def order_training(asked: Asked, actor: audit.Actor) -> ProcessingJob:
    """Let the training worker train a model and register it; nobody is scored by it before it is activated."""
    if not asked.name.strip() or " " in asked.version or not asked.version:
        raise OrderRefused("A model needs a name, and a version without spaces.")
    if len(asked.key) > _LONGEST:
        raise OrderRefused(f"“{asked.key}” is too long: {_LONGEST} letters are kept. Give shorter names.")
    if Model.objects.filter(name=asked.name, version=asked.version).exists():
        raise OrderRefused(f"{asked.name} {asked.version} is already registered: give another version.")
    job = jobs.enqueue(TRAIN, "model", asked.key)
    audit.record(job, "order_training", actor=actor, new={"data_set": asked.data_set}, summary=asked.key)
    return job
