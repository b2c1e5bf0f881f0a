"""Counts that stop."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import counting
from catalog.models import ProcessingJob
from tests.factories import ProcessingJobFactory


@pytest.mark.django_db
def test_a_count_stops_one_above_the_most_and_is_told_as_more(monkeypatch):
    monkeypatch.setattr(counting, "MOST_COUNTED", 2)
    told = []
    for _ in range(4):
        ProcessingJobFactory()
        with CaptureQueriesContext(connection) as asked:
            told.append(counting.counted(counting.count_bounded(ProcessingJob.objects.all())))
        assert "LIMIT 3" in asked[0]["sql"]
    assert told == ["1", "2", "more than 2", "more than 2"]
    assert counting.count_bounded(ProcessingJob.objects.all(), 3) == 4
