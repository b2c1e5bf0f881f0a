"""Tags in use: those that are given most are offered first."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from curation.judgements import tags
from tests.clients import account
from tests.factories import ValidationEventFactory

pytestmark = pytest.mark.django_db


def said(minutes_ago: int, *given: str) -> None:
    ValidationEventFactory(tags=list(given), created_at=timezone.now() - dt.timedelta(minutes=minutes_ago))


def test_those_used_most_come_first_and_of_equal_ones_the_one_used_last():
    for ago, *given in ((50, "old"), (40, "often", "twice"), (30, "often"), (20, "twice", "often"), (10, "new")):
        said(ago, *given)
    assert tags.tags_in_use(account("curator")) == ["often", "twice", "new", "old"]


def test_what_was_used_long_ago_only_is_not_offered_and_of_many_only_some(monkeypatch):
    monkeypatch.setattr(tags, "_LOOKED_THROUGH", 2)
    monkeypatch.setattr(tags, "_MOST_OFFERED", 2)
    said(30, "forgotten")
    said(20, "b", "c")
    said(10, "a", "b")
    assert tags.tags_in_use(account("curator")) == ["b", "a"]
