from __future__ import annotations

import pytest

from catalog.configuration import values
from catalog.configuration.keys import DECLARED, ConfigRefused
from catalog.failures import FailureCode, StageFailure
from catalog.models import AuditLog, SystemConfig
from catalog.people.audit import Actor
from tests.factories import UserFactory

THRESHOLD = "detection.confidence_threshold"


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_a_declared_default_lies_within_its_own_bounds_and_is_explained(name: str) -> None:
    key = DECLARED[name]
    assert key.checked(key.default) == key.default
    assert key.explanation.endswith(".")
    is_bounded = key.choices or key.longest or key.is_secret or None not in (key.minimum, key.maximum)
    assert isinstance(key.default, bool) or is_bounded


def test_a_tile_is_never_narrower_than_two_overlaps() -> None:
    tile, overlap = DECLARED["differencing.tile_px"], DECLARED["differencing.tile_overlap_px"]
    assert tile.minimum is not None
    assert overlap.maximum is not None
    assert tile.minimum >= 2 * overlap.maximum


@pytest.mark.django_db
def test_without_rows_a_snapshot_holds_the_defaults() -> None:
    snapshot = values.snapshot()
    assert snapshot[THRESHOLD] == DECLARED[THRESHOLD].default
    assert snapshot.detection.confidence_threshold == snapshot[THRESHOLD]
    assert dict(snapshot.values).keys() == DECLARED.keys()
    with pytest.raises(AttributeError, match="no configuration group"):
        snapshot.detections  # noqa: B018
    with pytest.raises(TypeError):
        snapshot.values[THRESHOLD] = 0.1


@pytest.mark.django_db
def test_the_hash_changes_with_a_value_and_comes_back_with_it() -> None:
    actor = Actor(UserFactory())
    before = values.snapshot()
    values.set_value(THRESHOLD, 0.8, actor)
    changed = values.snapshot()
    assert changed[THRESHOLD] == 0.8
    assert changed.hash != before.hash
    # A snapshot that a run holds does not move under it.
    assert before[THRESHOLD] == DECLARED[THRESHOLD].default
    values.clear_value(THRESHOLD, actor)
    assert values.snapshot().hash == before.hash


@pytest.mark.django_db
def test_the_hash_of_some_keys_does_not_know_the_others() -> None:
    actor = Actor(UserFactory())
    read = values.snapshot().only([THRESHOLD])
    values.set_value("curation.blind", True, actor)
    assert values.snapshot().only([THRESHOLD]).hash == read.hash
    values.set_value(THRESHOLD, 0.8, actor)
    assert values.snapshot().only([THRESHOLD]).hash != read.hash


@pytest.mark.django_db
def test_a_key_that_was_not_declared_to_be_read_cannot_be_read() -> None:
    with pytest.raises(KeyError, match="blind"):
        values.snapshot().only([THRESHOLD])["curation.blind"]


@pytest.mark.django_db
def test_a_whole_number_stored_for_a_real_one_has_the_same_hash() -> None:
    actor = Actor(UserFactory())
    values.set_value(THRESHOLD, 1, actor)
    first = values.snapshot().hash
    values.set_value(THRESHOLD, 1.0, actor)
    assert values.snapshot().hash == first


@pytest.mark.django_db
def test_a_change_leaves_who_and_both_values_in_the_audit_log() -> None:
    user = UserFactory(username="ada")
    values.set_value(THRESHOLD, 0.8, Actor(user))
    values.set_value(THRESHOLD, 0.9, Actor(user))
    last = AuditLog.objects.order_by("id").last()
    assert last is not None
    assert (last.user, last.old_values, last.new_values) == ("ada", {"value": 0.8}, {"value": 0.9})
    assert AuditLog.objects.count() == 2
    assert SystemConfig.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("key", "value"), [("no.such_key", 1), (THRESHOLD, -0.1), (THRESHOLD, "0.5")])
def test_a_refused_value_leaves_no_row_at_all(key: str, value: object) -> None:
    with pytest.raises(ConfigRefused):
        values.set_value(key, value, Actor(UserFactory()))
    assert not SystemConfig.objects.exists()
    assert not AuditLog.objects.exists()


@pytest.mark.django_db
def test_a_bad_stored_row_stops_a_run_instead_of_becoming_a_default() -> None:
    SystemConfig.objects.create(key=THRESHOLD, value=7)
    with pytest.raises(StageFailure, match="at most 1") as caught:
        values.snapshot()
    assert caught.value.code == FailureCode.BAD_CONFIGURATION


@pytest.mark.django_db
def test_a_snapshot_is_one_query(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(1):
        values.snapshot()


@pytest.mark.django_db
def test_within_one_snapshot_the_configuration_is_read_once_and_stays_what_it_was(django_assert_num_queries) -> None:
    with values.one_snapshot():
        with django_assert_num_queries(1):
            before = values.snapshot()["curation.lease_minutes"]
            values.snapshot()
        values.set_value("curation.lease_minutes", before + 1, Actor())
        assert values.snapshot()["curation.lease_minutes"] == before
    assert values.snapshot()["curation.lease_minutes"] == before + 1
