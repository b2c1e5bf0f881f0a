"""How many items lie ready in a window: enough for an outage, and nobody starves anybody."""

from __future__ import annotations

from uuid import uuid4

import pytest

from catalog.configuration.values import one_snapshot
from catalog.models import SystemConfig
from curation.judgements.leases import Holder
from curation.models import Lease
from curation.triage.ahead import Bounds, bounds, windows_here
from tests.curation.triage.test_views import Window
from tests.factories import DetectionFactory, SourceFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_one_person_alone_has_fifty_ready_where_there_are_that_many_and_leaves_some_for_whoever_comes():
    assert bounds(1000, 1) == Bounds(50, 16)
    assert bounds(57, 1) == Bounds(50, 3)
    assert [bounds(left, 1).ahead for left in (40, 10, 4, 1, 0)] == [35, 5, 3, 0, 0]


@pytest.mark.parametrize("windows", [1, 2, 3, 8, 32, 100])
def test_what_all_windows_hold_is_never_more_than_there_is(windows: int):
    with one_snapshot():
        limits_of = {left: bounds(left, windows) for left in range(windows, 3000)}
    for left, limits in limits_of.items():
        assert windows * (limits.ahead + limits.bundle) <= left


def test_thirty_two_people_with_a_setting_beyond_their_share_have_equal_shares():
    SystemConfig.objects.create(key="curation.fetched_ahead", value=80)
    assert bounds(1000, 1).ahead == 80
    assert bounds(1000, 32) == Bounds(30, 1)


def test_a_window_that_holds_its_share_gets_no_more_and_one_that_holds_nothing_gets_something():
    limits = Bounds(50, 8)
    assert [limits.may_take(8, held) for held in (0, 50, 54, 58, 90)] == [8, 8, 4, 0, 0]
    assert limits.may_take(0, 10) == 0
    assert Bounds(0, 1).may_take(4, 0) == 1


def test_windows_count_that_hold_something_now_and_this_one_at_any_rate():
    holder = Holder(UserFactory(), uuid4())
    assert windows_here(holder) == 1
    for row in (DetectionFactory(), DetectionFactory()):
        Lease.objects.create(
            detection=row, item=row.pk, holder=UserFactory(), window=uuid4(), expires_at="2100-01-01T00Z"
        )
    assert windows_here(holder) == 3
    Lease.objects.update(expires_at="2020-01-01T00:00:00Z")
    assert windows_here(holder) == 1


def test_who_comes_finds_something_however_much_another_has_fetched_ahead():
    for number in range(30):
        DetectionFactory(source=SourceFactory(), confidence_score=0.9 - number / 100)
    first, second = Window(), Window()
    held: list[str] = []
    for _ in range(6):
        held += [item["id"] for item in first.take(8, holding=held)["items"]]
    assert len(held) < 30
    given = second.take(8)
    assert given["items"]
    assert given["windows"] == 2
    assert first.take(0, holding=held)["ahead"] < len(held), "the first one learns that it holds more than its share"
