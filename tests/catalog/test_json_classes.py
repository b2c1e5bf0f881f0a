"""Frozen classes as JSON: what was written is read, and what does not fit is as if it were not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import pytest

from catalog.json_classes import JsonOf, KeyOf, Misfit, as_json, read_as, schema_of

KEY = UUID("01a22086-9457-74d2-8641-ae18b538e848")


class Mode(StrEnum):
    FAST = "fast"
    SLOW = "slow"


@dataclass(frozen=True)
class Step:
    at: datetime
    mode: Mode | None


@dataclass(frozen=True)
class Walk:
    key: Annotated[UUID | None, KeyOf("walks")]
    length_km: float | None
    count: int | None
    is_done: bool | None
    steps: tuple[Step, ...]
    by: Mapping[UUID, Mode]
    first: Step | None


WALK = Walk(KEY, 1.5, 3, True, (Step(datetime(2024, 3, 1, 21, tzinfo=UTC), Mode.FAST),), {KEY: Mode.SLOW}, None)


def test_what_was_written_is_read_as_it_was():
    stored = json.loads(json.dumps(as_json(WALK)))
    assert stored["steps"] == [{"at": "2024-03-01T21:00:00+00:00", "mode": "fast"}]
    assert stored["by"] == {str(KEY): "slow"}
    assert read_as(Walk, stored) == WALK


@pytest.mark.parametrize(
    "changed",
    [
        {"key": "x"},
        {"key": 5},
        {"length_km": "1"},
        {"length_km": True},
        {"length_km": float("nan")},
        {"count": 1.0},
        {"count": True},
        {"is_done": 1},
        {"first": {"mode": "fast"}},
        {"first": []},
    ],
    ids=str,
)
def test_a_value_of_another_type_is_not_known(changed: dict[str, Any]):
    ((name, value),) = changed.items()
    found = read_as(Walk, {**json.loads(json.dumps(as_json(WALK))), name: value})
    assert getattr(found, name) is None
    assert found.steps == WALK.steps


def test_entries_of_lists_and_maps_that_do_not_fit_are_left_out():
    found = read_as(Walk, {"steps": [3, {"at": "2024-03-01T21:00:00+00:00", "mode": "?"}], "by": {"x": "slow"}})
    assert [step.mode for step in found.steps] == [None]
    assert found.by == {}


def test_what_must_be_there_and_is_not_is_refused():
    with pytest.raises(Misfit):
        read_as(Step, {"mode": "fast"})


def test_the_schema_tells_types_what_may_be_null_and_which_list_a_key_is_of():
    properties: Any = schema_of(Walk)["properties"]
    assert properties["key"] == {"type": "string", "format": "uuid", "nullable": True, "x-resource": "walks"}
    assert properties["length_km"] == {"type": "number", "format": "double", "nullable": True}
    assert properties["steps"]["items"]["properties"]["at"] == {"type": "string", "format": "date-time"}
    assert "fast" in properties["by"]["additionalProperties"]["description"]
    assert schema_of(Annotated[Mapping[str, object], JsonOf(Step)]) == schema_of(Step)
