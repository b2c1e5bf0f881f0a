"""What of candidates is shown to people who judge, while something is mixed in to see how well they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string

from catalog.models import Visitor
from differencing.models import Candidate, DifferenceRun
from differencing.pictures.put_in import Put


class Asked(Protocol):
    """A filter of one field."""

    field_name: str
    lookup_expr: str


@dataclass(frozen=True)
class Rules:
    """The rules of a higher app, each for one person.

    cover : takes out of candidates, which are shown and never saved, what would mark one. found_as : what finds those
    that are shown with this value of a field; None where nothing is covered. scored : which scores are shown.
    given : the candidates of injected sources that they were given and have not answered about. put_into : the pixels
    of these in a run.
    """

    cover: Callable[[Sequence[Candidate], Visitor], None]
    found_as: Callable[[Visitor, Asked, object], Q | None]
    scored: Callable[[Visitor], Q]
    given: Callable[[Visitor], QuerySet[Candidate]]
    put_into: Callable[[DifferenceRun, Visitor], list[Put]]


def rules() -> Rules:
    """Return the rules."""
    found: Rules = import_string(settings.SHOWN_TO_JUDGES)
    return found
