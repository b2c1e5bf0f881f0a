"""Pages of archives: what is asked is said, tried before it is switched on, and refused in words."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from catalog.failures import NotPossible, StageFailure
from catalog.models import AuditLog
from catalog.people.audit import MACHINE
from observations.archives import keeping
from observations.archives.door import authorization
from observations.archives.question import Question, QuestionRefused, shape_of
from observations.models import Archive, ArchiveKind, ArchiveProduct, ArchiveRun, ProductState, RunPurpose, Survey
from tests.browsers import staff_of
from tests.clients import client_of
from tests.factories import ArchiveFactory, ArchiveProductFactory

pytestmark = pytest.mark.django_db
GIVEN = {
    "survey": "distant", "kind": "sia2", "place": "https://vo.example.org/sia2/query", "begins_at": "2026-01-01",
    "positions": "CIRCLE 83.63 22.01 0.5\n\n", "collections": "A, B", "most_rows": "500", "depth": "2",
    "every_minutes": "30", "overlap_hours": "48", "most_per_night": "100", "calib_levels": ["1", "2"],
}  # fmt: skip


def test_an_archive_is_made_off_tried_and_switched_on():
    browser = staff_of("administrator")
    answer = browser.post(reverse("observations:new_archive"), GIVEN)
    row = Archive.objects.get()
    assert answer["Location"] == reverse("observations:one_archive", args=[row.pk])
    assert not row.is_on and row.next_at is None
    assert row.survey.api_endpoint == GIVEN["place"]
    assert row.question["positions"] == ["CIRCLE 83.63 22.01 0.5"] and row.question["calib_levels"] == [1, 2]
    order = reverse("observations:order_archive", args=[row.pk, "preview"])
    browser.post(order)
    browser.post(order)
    assert ArchiveRun.objects.get().purpose == RunPurpose.PREVIEW, "twice is once"
    text = browser.post(reverse("observations:order_archive", args=[row.pk, "fetch"]), follow=True).content.decode()
    assert "This archive is off" in text
    browser.post(reverse("observations:order_archive", args=[row.pk, "on"]))
    assert Archive.objects.get(is_on=True).next_at is not None
    actions = set(AuditLog.objects.values_list("action", flat=True))
    assert {"add_archive", "ask_archive", "switch_archive_on"} <= actions
    browser.post(reverse("observations:edit_archive", args=[row.pk]), GIVEN | {"place": "https://vo.example.org/other"})
    assert Survey.objects.get(name="distant").api_endpoint.endswith("/other")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"place": "ftp://vo.example.org"}, "web address"),
        ({"positions": "CIRCLE 400 0 1"}, "not on the sky"),
        ({"positions": "CIRCLE 4 0"}, "needs 3 numbers"),
        ({"band_from_nm": "900", "band_to_nm": "400"}, "the shorter one first"),
        ({"nightly_at": "14:00"}, "not both"),
        ({"survey": "local"}, "not &#x27;local&#x27;"),
        ({"kind": "folder", "place": "night"}, "whole path"),
        ({"kind": "folder", "place": "/"}, "own data"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words_and_makes_nothing(wrong, words):
    answer = staff_of("administrator").post(reverse("observations:new_archive"), GIVEN | wrong)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Archive.objects.exists() and not Survey.objects.filter(name="distant").exists()


def test_a_token_is_named_and_must_be_there_and_goes_by_https_alone(settings):
    settings.ASTRID_ARCHIVE_TOKENS = {"mast": "abc"}
    wish = keeping.Wish(
        "distant", ArchiveKind.SIA2, "https://vo.example.org/q", Question(), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    )
    with pytest.raises(keeping.Refused, match="eso"):
        keeping.keep(keeping.Wish(**{**vars(wish), "credential": "eso"}), MACHINE)
    row = keeping.keep(keeping.Wish(**{**vars(wish), "credential": "mast"}), MACHINE)
    assert "abc" not in str(vars(row)) + str(list(AuditLog.objects.values()))
    assert authorization(row, "https://vo.example.org/f") == {"Authorization": "Bearer abc"}
    assert authorization(row, "https://elsewhere.example.org/f") == {}
    row.survey.api_endpoint = "http://vo.example.org/q"
    with pytest.raises(StageFailure, match="plain text"):
        authorization(row, "http://vo.example.org/f")


def test_another_question_begins_at_its_begin_and_another_time_of_day_does_not():
    row = ArchiveFactory(seen_until=dt.datetime(2026, 1, 5, tzinfo=dt.UTC))
    wish = keeping.Wish(row.survey.name, ArchiveKind.SIA2, row.address, Question(), row.begins_at, every_minutes=5)
    keeping.keep(wish, MACHINE, row)
    first = Archive.objects.get().seen_until
    keeping.keep(keeping.Wish(**{**vars(wish), "every_minutes": 7}), MACHINE, Archive.objects.get())
    assert Archive.objects.get().seen_until == first
    keeping.keep(
        keeping.Wish(**{**vars(wish), "question": Question(collections=("B",))}), MACHINE, Archive.objects.get()
    )
    assert Archive.objects.get().seen_until is None


def test_the_page_tells_what_became_of_files_and_lets_one_be_tried_again():
    product = ArchiveProductFactory(reason="A web page under a FITS name.")
    browser = staff_of("operator")
    text = browser.get(reverse("observations:one_archive", args=[product.archive_id])).content.decode()
    assert "A web page under a FITS name." in text
    assert product.archive.survey.name in browser.get(reverse("observations:archives")).content.decode()
    browser.post(reverse("observations:try_product_again", args=[product.archive_id, product.pk]))
    assert ArchiveProduct.objects.get().state == ProductState.FOUND


def test_clients_ask_an_archive_that_is_on():
    row = ArchiveFactory()
    client = client_of("operator")
    assert client.post(f"/api/v1/archives/{row.pk}/run/").status_code == 409
    keeping.switch(row, is_on=True, actor=MACHINE)
    answer = client.post(f"/api/v1/archives/{row.pk}/run/")
    assert (answer.status_code, answer.json()["purpose"]) == (202, "fetch")
    with pytest.raises(NotPossible):
        keeping.order(ArchiveFactory(), RunPurpose.FETCH, MACHINE)


@pytest.mark.parametrize(
    "text", ["", "BOX 1 2 3", "CIRCLE a b c", "RANGE 10 5 0 1", "POLYGON 1 2 3 4", "CIRCLE 1 2 nan"]
)
def test_no_position_is_taken_that_is_none(text):
    with pytest.raises(QuestionRefused):
        shape_of(text)
