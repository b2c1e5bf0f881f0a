"""Rows that are read the short way are those that Django would have made."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.models import Model
from django.db.models.signals import post_init, pre_init

from catalog.models import Record
from tests.rows import rows_of_every_kind

MODELS = sorted((model for model in apps.get_models() if issubclass(model, Record)), key=lambda model: model.__name__)


@pytest.fixture
def rows(db):
    rows_of_every_kind()


def states(row):
    values = {name: value for name, value in vars(row).items() if name != "_state"}
    return values, {"fields_cache": {}, **vars(row._state)}


def test_a_row_of_each_kind_is_the_one_that_django_makes(rows):
    seen = 0
    for model in MODELS:
        row = model._base_manager.first()
        if row is None:
            continue
        names = [field.attname for field in model._meta.concrete_fields]
        values = list(model._base_manager.filter(pk=row.pk).values_list(*names).get())
        # By Django's own way, which is behind ours.
        plain = Model.from_db.__func__(model, "default", names, values)
        assert states(row) == states(plain), model
        assert row == plain and not row._state.adding
        seen += 1
    assert seen > 40, seen


def test_what_is_left_out_is_read_when_it_is_asked_for(rows, django_assert_num_queries):
    model = next(model for model in MODELS if model.__name__ == "Observation")
    with django_assert_num_queries(1):
        row = model._base_manager.only("id").first()
    assert row.get_deferred_fields() == {field.attname for field in model._meta.concrete_fields} - {"id"}
    with django_assert_num_queries(1):
        assert row.status


def test_nobody_listens_to_the_making_of_rows():
    assert [signal for signal in (pre_init, post_init) if signal.receivers] == []
