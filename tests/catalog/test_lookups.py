"""Rows by many keys: one array in the place of a placeholder for each, with the same answer."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from curation.models import Note
from detection.models import Detection
from tests.factories import DetectionFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_as_many_keys_as_there_are_make_the_same_statement():
    rows = [DetectionFactory() for _ in range(3)]
    texts = []
    for count in (1, 3):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert Detection.objects.filter(pk__in=[row.pk for row in rows[:count]]).count() == count
        texts.append(asked.captured_queries[0]["sql"].partition("ANY")[0])
    assert texts[0] == texts[1] != ""


def test_what_is_found_is_what_the_keys_name():
    first, second, third = (DetectionFactory() for _ in range(3))
    note = Note.objects.create(detection=second, author=UserFactory(), text="Look.")

    def found(**asked: object) -> set[object]:
        return set(Detection.objects.filter(**asked).values_list("pk", flat=True))

    assert found(pk__in=[first.pk, first.pk, third.pk]) == {first.pk, third.pk}
    assert found(pk__in={str(first.pk), third.pk}) == {first.pk, third.pk}, "keys as texts too"
    assert found(pk__in=[]) == found(pk__in=[None]) == found(pk__in=[uuid4()]) == set()
    assert found(pk__in=[None, first.pk]) == {first.pk}
    assert found(pk__in=Detection.objects.filter(pk=second.pk).values("pk")) == {second.pk}, "a query stays one"
    assert found(people_notes__in=[note]) == {second.pk}
    assert found(observation__in=[first.observation, third.observation_id]) == {first.pk, third.pk}
    assert set(Detection.objects.exclude(pk__in=[first.pk, second.pk])) == {third}
    assert set(Note.objects.exclude(detection__in=[first.pk])) == {note}
    assert Detection.objects.in_bulk([first.pk, third.pk]) == {first.pk: first, third.pk: third}


def test_keys_that_are_numbers_are_asked_for_as_ever():
    kinds = list(ContentType.objects.order_by("pk")[:2])
    found = Permission.objects.filter(content_type__in=[kind.pk for kind in kinds])
    assert {one.content_type_id for one in found} == {kind.pk for kind in kinds}
    assert " IN (" in str(found.query)
