"""The crowd of objects that triage is measured with is one that the program itself could have made."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import Group

from benchmarks.triage import people
from benchmarks.triage.objects import EPOCHS, fill
from catalog.models import User
from curation.judgements.leases import Holder
from curation.models import ValidationEvent
from curation.triage.queue import Queue, take
from curation.triage.review import reviews
from detection.models import Detection, Source
from observations.numerics.healpix import position_index
from tests import factories

pytestmark = pytest.mark.django_db

COUNT = 2 * sum(EPOCHS)


@pytest.fixture
def person() -> User:
    user: User = factories.UserFactory()
    user.groups.add(Group.objects.get(name="curator"))
    return user


def test_every_detection_is_valid_and_lies_at_its_source(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.crowd.FRAMES", 200)
    fill(COUNT)
    rows = list(Detection.objects.select_related("source", "candidate", "observation", "model_run"))
    assert (len(rows), Source.objects.count()) == (COUNT, 2 * len(EPOCHS))
    for row in rows:
        row.full_clean(validate_unique=False)
        assert row.source is not None and abs(row.ra - row.source.ra) < 1e-4
        assert row.candidate is not None and row.candidate.observation == row.observation == row.model_run.observation
        assert row.healpix == int(position_index(row.ra, row.dec))
    of_source = [source.detections.values("observation").distinct().count() for source in Source.objects.all()]
    assert sorted(of_source) == sorted(2 * EPOCHS)
    assert ValidationEvent.objects.count() == sum(row.status != "pending" for row in rows) > 0

    taken = take(Queue("pending", Detection.objects.all()), Holder(person, uuid4()), 3).keys
    shown = reviews(taken, person)
    assert [len(review.members) for review in shown] == [
        review.detection.source.detections.count() for review in shown if review.detection.source
    ]
    assert all(member.version for review in shown for member in review.members)


def test_an_item_is_handed_twice_where_any_of_its_detections_is() -> None:
    one = ([["a", "b"], ["c"]], [1.0])
    assert people.twice([one, ([["d"]], [])]) == 0
    assert people.twice([one, ([["d", "b"]], [])]) == 1
