from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db.models import CheckConstraint, Field, FloatField, Q
from django.utils.choices import CallableChoiceIterator

from catalog.models import Record

FIELDS = [field for model in apps.get_models() if issubclass(model, Record) for field in model._meta.concrete_fields]
FLOATS = [field for field in FIELDS if isinstance(field, FloatField)]
# failure_code is a reason and not a state: its choices are a function, and a new code needs no migration.
STATES = [field for field in FIELDS if field.choices and not isinstance(field._choices, CallableChoiceIterator)]


def conditions(field: Field[Any, Any]) -> dict[str, Any]:
    """Return what one AND of conditions says of the field, over all checks of its model: {lookup: value}."""
    found: dict[str, Any] = {}
    for constraint in field.model._meta.constraints:
        condition = constraint.condition if isinstance(constraint, CheckConstraint) else None
        if not isinstance(condition, Q) or condition.connector != Q.AND or condition.negated:
            continue
        for child in condition.children:
            if isinstance(child, tuple) and child[0].startswith(f"{field.name}__"):
                found[child[0].removeprefix(f"{field.name}__")] = child[1]
    return found


def test_there_are_floats_and_states_to_look_at() -> None:
    assert len(FLOATS) > 50
    assert len(STATES) > 20


@pytest.mark.parametrize("field", FLOATS, ids=str)
def test_no_column_of_numbers_takes_nan_or_infinity(field: Field[Any, Any]) -> None:
    # NaN sorts above all numbers in PostgreSQL: only an upper bound refuses it.
    lookups = conditions(field).keys()
    assert lookups & {"lt", "lte"}
    assert lookups & {"gt", "gte"}


@pytest.mark.parametrize("field", STATES, ids=str)
def test_the_database_knows_the_same_states_as_the_code(field: Field[Any, Any]) -> None:
    allowed = set(conditions(field)["in"])
    assert allowed - {""} == {value for value, _ in field.flatchoices}
    # Numbers are unknown as null.
    assert ("" in allowed) == (field.blank and not field.null)
