"""Rows of a survey of a team alone, marked so that any answer that tells of them is known by it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch

from django.db.models import Model
from factory.django import DjangoModelFactory

from catalog.hiding import KEPT
from catalog.models import User
from curation.models import LabelDefinition, SavedFilter, SigningSecret, Subscription, TriageSettings
from detection.models import Calibration, ContextArea, ContextSource, DataSet, Orbit, OrbitSet
from detection.models import Model as Network
from observations.models import Field, InstrumentProfile, Survey, Telescope
from observations.sky import SkyRecord
from tests import factories

# A word, a place and a night that nothing else has.
MARK = "zzsecret"
RA, DEC, NIGHT = 211.9876, -33.9876, dt.date(2024, 3, 17)
_NUMBERS = count()
_WORDS = ("original_name", "observation_id", "title", "message", "text", "notes", "object_name")
# Made along with what is of a survey, and of none itself.
OF_NO_SURVEY = (
    User, Network, DataSet, Calibration, OrbitSet, Orbit, ContextArea, ContextSource, InstrumentProfile,
    LabelDefinition, SavedFilter, Subscription, SigningSecret, TriageSettings,
)  # fmt: skip


@contextmanager
def within(survey: Survey, made: list[Model], *, is_marked: bool) -> Iterator[None]:
    """Let all that factories make be of one survey, and keep it; marked, with the word, the place and the night."""
    make = DjangoModelFactory.__dict__["_create"].__func__

    def _create(cls: Any, model: type[Model], /, *args: Any, **given: Any) -> Model:
        if model is Survey:
            return survey
        if is_marked:
            names = {field.name for field in model._meta.concrete_fields}
            given |= {name: f"{MARK}{next(_NUMBERS)}" for name in _WORDS if name in names}
            if "name" in names and model not in OF_NO_SURVEY:
                given["name"] = f"{MARK}{next(_NUMBERS)}"
            if "night" in names:
                given["night"] = NIGHT
            if issubclass(model, SkyRecord) and model not in OF_NO_SURVEY:
                given |= {"ra": RA, "dec": DEC}
        row: Model = make(cls, model, *args, **given)
        made.append(row)
        if isinstance(row, Field | Telescope):
            # Without a frame it would be of no survey.
            factories.ObservationFactory(**{row._meta.model_name: row})
        return row

    with patch.object(DjangoModelFactory, "_create", classmethod(_create)):
        yield


def marks_of(made: list[Model]) -> list[bytes]:
    """Return what tells of rows in whatever answer: their word, their place, and the key of each."""
    keys = {str(row.pk) for row in made if not isinstance(row, OF_NO_SURVEY)}
    return [text.encode() for text in (MARK, f"{RA}", f"{DEC}", *sorted(keys))]


def again(user: User) -> User:
    """Return an account as the next request would find it."""
    vars(user).pop(KEPT, None)
    return User.objects.get(pk=user.pk)
