"""Whether enough people's answers have come since the model in use learned, that training anew is worth proposing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from catalog.configuration.values import snapshot
from catalog.models import ProcessingJob
from catalog.people import audit
from curation.labels.export import decided_since, keep_labels
from detection.models import Model
from detection.registry.ordering import ANSWERED, DEFAULT_NAME, Asked, OrderRefused, new_version, order_training
from detection.registry.weights import active_model


@dataclass(frozen=True)
class Proposal:
    """Settled answers from which the model in use has not learned, and from how many on training is proposed.

    since : when it last learned from answers; None if never.
    """

    model: Model | None
    since: datetime | None
    answers: int
    needed: int

    @property
    def is_due(self) -> bool:
        """Tell whether there are enough."""
        return self.answers >= self.needed


def proposal() -> Proposal:
    """Count the answers that no model in use has learned from."""
    model = active_model()
    data_set = model.data_set if model is not None else None
    since = data_set.made_at if data_set is not None and data_set.name == ANSWERED else None
    return Proposal(model, since, decided_since(since).count(), int(snapshot()["curation.answers_until_retraining"]))


def retrain(actor: audit.Actor) -> ProcessingJob:
    """Write the labels to a file, and order a data set of them and a training on it. Raises OrderRefused."""
    version = new_version()
    _, count = keep_labels(version)
    if not count:
        raise OrderRefused("Nobody has decided about any detection yet: there is nothing to learn from.")
    return order_training(Asked(DEFAULT_NAME, version, f"{ANSWERED}:{version}"), actor)
