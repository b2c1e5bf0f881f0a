"""A state looks the same wherever it is shown."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.models import Field

from catalog.admin import columns
from catalog.states import KIND_OF, Kind, kind_of
from catalog.templatetags.astrid import state

STATES = {
    value
    for model in apps.get_models()
    for field in model._meta.concrete_fields
    if field.name in ("status", "outcome") and isinstance(field, Field) and field.choices
    for value, _ in field.flatchoices
}


def test_every_state_of_every_model_has_its_place_in_the_table():
    assert {"pending", "cancelled", "retried"} <= STATES
    assert set(KIND_OF) >= STATES


@pytest.mark.parametrize("name", sorted(STATES))
def test_pages_and_admin_agree_on_a_state(name):
    colour = {Kind.GOOD: "success", Kind.BAD: "danger", Kind.BUSY: "info"}.get(kind_of(name))
    assert columns._COLOURS.get(name) == colour
    assert f'class="state {kind_of(name)}"' in state(name)
