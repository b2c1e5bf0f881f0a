"""The page of statistics counts what there is, says how sure it is, and gives each table as CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.ids import uuid7
from catalog.models import SystemConfig
from curation.models import ValidationEvent
from curation.statistics import answers, waiting
from curation.statistics.answers import Period
from curation.statistics.missed import missed
from curation.statistics.tables import Bar, Column, Statistic
from curation.statistics.views import STATISTICS
from detection.models import Detection
from tests.clients import account
from tests.curation.looks import judge
from tests.factories import (
    DetectionFactory,
    GoldAnswerFactory,
    GoldItemFactory,
    InjectedFactory,
    LabelDefinitionFactory,
    ObservationFactory,
    UserFactory,
    ValidationEventFactory,
)

pytestmark = pytest.mark.django_db
URL = "/statistics/"


def drawn(probability: float, **given) -> Detection:
    return DetectionFactory(
        origin="sampled", inclusion_probability=probability, source=None, confidence_score=0.01, **given
    )  # fmt: skip


def table(slug: str, query: str = "") -> list[dict[str, str]]:
    """Return the rows of a CSV as somebody reads it who may only look."""
    browser = Client()
    browser.force_login(account("viewer"))
    answer = browser.get(f"{reverse('curation:statistic', args=[slug])}{query}")
    assert answer["Content-Type"].startswith("text/csv") and answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_the_columns_that_programs_read_stay():
    asked = Period(14, account("administrator"))
    assert {slug: [column.name for column in make(asked).columns] for slug, make in STATISTICS.items()} == {
        "waiting": ["age_from_days", "age_to_days", "detections", "is_more"],
        "pace": ["date_utc", "person", "answers", "judgements"],
        "people": ["person", "answers", "active_hours", "answers_per_active_hour"],
        "missed": ["model_version", "night", "drawn", "judged", "real", "missed_share", "missed_share_low_95",
                   "missed_share_high_95", "effective_count"],
        "labels": ["label", "verdict", "model_version", "judgements", "mean_score", "share_of_low_confidence"],
        "models": ["model_version", "judgements", "real", "share_real"],
        "agreement": ["first", "second", "share_same", "share_same_low", "share_same_high", "objects", "kappa",
                      "kappa_low", "kappa_high"],
        "disagreement": ["label", "share_differing", "share_differing_low", "share_differing_high", "pairs"],
        "completeness": ["person", "kind", "snr_from", "snr_to", "share_right", "share_right_low", "share_right_high",
                         "items"],
        "injected": ["person", "kind", "snr_from", "snr_to", "completeness", "completeness_low_95",
                     "completeness_high_95", "injected", "found"],
    }  # fmt: skip
    assert all(make(asked).slug == slug for slug, make in STATISTICS.items())


def test_each_that_was_drawn_counts_by_one_over_its_probability():
    frame = ObservationFactory()
    given = {"candidate__difference_run__observation": frame, "model_version": "net 2"}
    judge(drawn(0.5, **given), True)
    for _ in range(3):
        judge(drawn(0.1, **given), False)
    drawn(0.1, **given)
    whole, night = missed().rows
    assert whole[:5] == ["net 2", None, 5, 4, 1] and night[:5] == ["net 2", frame.night, 5, 4, 1]
    assert whole[5] == pytest.approx(2.0 / 32.0)
    assert 0.0 < whole[6] < whole[5] < whole[7] < 1.0


def test_nights_and_models_stand_apart_and_what_was_archived_does_not_count():
    judge(drawn(0.5, model_version="a"), True)
    judge(drawn(0.5, model_version="b"), False)
    DetectionFactory()
    archived = drawn(0.5, model_version="a")
    Detection.objects.filter(pk=archived.pk).update(status="archived")
    assert [(row[0], row[2], row[5]) for row in missed().rows if row[1] is None] == [("a", 1, 1.0), ("b", 1, 0.0)]


def test_of_none_real_among_few_the_interval_says_how_little_that_is():
    judge(drawn(0.1), False)
    [bar, _] = missed().bars
    assert (bar.value, bar.low) == (0.0, 0.0) and bar.high > 0.9
    assert "0 of 1" in bar.words


def test_what_waits_is_counted_by_age_up_to_a_bound(monkeypatch):
    ages = [0.1, 0.2, 3, 40, 50, 60]
    for days in ages:
        row = DetectionFactory()
        Detection.objects.filter(pk=row.pk).update(created_at=timezone.now() - dt.timedelta(days=days))
    DetectionFactory(status="rejected")
    assert [row["detections"] for row in table("waiting")] == ["2", "1", "0", "3"]
    monkeypatch.setattr(waiting, "_MOST", 2)
    assert waiting.waiting().rows[-1] == [30, None, 2, "yes"]
    assert waiting.waiting().bars[-1].words == "more than 2"


def test_one_answer_about_the_epochs_of_an_object_counts_once_and_an_hour_without_answers_not():
    person, group = UserFactory(username="ada"), uuid7()
    now = timezone.now().replace(minute=1)
    for hours, of in ((0, group), (0, group), (3, None)):
        ValidationEventFactory(validator=person, group=of, created_at=now - dt.timedelta(hours=hours))
    assert table("people") == [
        {"person": "ada", "answers": "2", "active_hours": "2", "answers_per_active_hour": "1.0"}
    ]  # fmt: skip
    assert sum(int(row["judgements"]) for row in table("pace")) == 3


def test_only_the_days_that_are_asked_for_count():
    ValidationEventFactory(created_at=timezone.now() - dt.timedelta(days=20))
    assert [len(table("pace", query)) for query in ("?days=7", "", "?days=x", "?days=30")] == [0, 0, 0, 1]


def test_of_very_many_answers_the_latest_are_counted(monkeypatch):
    for days in (1, 2, 3):
        ValidationEventFactory(created_at=timezone.now() - dt.timedelta(days=days))
    monkeypatch.setattr(answers, "MOST_EVENTS", 2)
    assert len(answers.pace(Period(14, account("administrator"))).rows) == 2
    assert ValidationEvent.objects.count() == 3


def test_labels_and_models_are_told_with_what_the_model_had_said():
    row = DetectionFactory(confidence_score=0.6, model_version="net 2")
    LabelDefinitionFactory(label="nova")
    judge(row, True, label="nova", level="low")
    judge(drawn(0.1), False)
    asked = Period(14, account("administrator"))
    labels = {row[0]: row[1:] for row in answers.labels(asked).rows}
    assert labels["nova"] == ["real", "net 2", 1, 0.6, 1.0]
    assert answers.models(asked).rows == [["net 2", 1, 1, 1.0]], "what the model did not show is not its"


def test_no_name_of_a_person_is_a_formula_of_a_spreadsheet():
    columns = (Column("person", "Person"), Column("share", "Share"))
    text = Statistic("s", "S", "", columns, [["=1+1", -0.5], ["ada", None]]).csv()
    assert text.splitlines() == ["person,share", "'=1+1,-0.5", "ada,"]


def test_bars_fill_the_chart_up_to_the_end_of_the_longest_interval():
    one = Statistic("s", "S", "", (), [], bars=[Bar("a", 1.0, "1", 0.5, 4.0), Bar("b", 2.0, "2")])
    assert [(placed.length, placed.low, placed.high) for placed in one.placed] == [
        (25.0, 12.5, 100.0),
        (50.0, None, None),
    ]
    assert Statistic("s", "S", "", (), [], bars=[Bar("a", 0.0, "0")]).placed[0].length == 0.0


def test_a_share_is_drawn_of_the_whole_and_what_there_is_no_room_for_is_told():
    bars = [Bar(f"{k}", 0.5, "50 %", 0.4, 0.6) for k in range(9)]
    one = Statistic("s", "S", "", (), [], bars=bars, full=1.0)
    assert {(placed.length, placed.low, placed.high) for placed in one.placed} == {(50.0, 40.0, 60.0)}
    assert (len(one.placed), one.left_out) == (7, 2)
    for _ in range(3):
        judge(DetectionFactory(), True)
    judge(DetectionFactory(), False)
    [bar] = STATISTICS["models"](Period(14, account("administrator"))).placed
    assert bar.length == 75.0


def test_the_chart_of_injected_sources_holds_all_places_and_ranges_and_the_table_each():
    one, other = account("curator"), account("curator")
    for kind, snr, said in (("sky", 6.0, False), ("galaxy", 6.0, True), ("star", 6.0, True), ("sky", 30.0, True)):
        item = InjectedFactory(kind=kind, injected_snr=snr)
        for person in (one, other):
            GoldAnswerFactory(item=item, person=person, is_valid=said)
    found = STATISTICS["injected"](Period(14, account("expert")))
    assert [(bar.label, bar.words) for bar in found.bars] == [
        ("S/N below 7", "67 % of 6"), ("S/N 20 to 50", "100 % of 2"),
    ]  # fmt: skip
    assert "of all people" in found.notes[0]
    assert len(found.rows) == 3 * 4
    own = STATISTICS["injected"](Period(14, one))
    assert [bar.words for bar in own.bars] == ["67 % of 3", "100 % of 1"]
    assert one.get_username() in own.notes[0]


def test_the_chart_of_known_items_is_by_person_and_verdict():
    person = account("curator")
    for is_valid, said in ((True, True), (True, False), (False, False)):
        item = GoldItemFactory(is_valid=is_valid, label="" if is_valid else "ghost")
        GoldAnswerFactory(item=item, person=person, is_valid=said)
    name = person.get_username()
    bars = STATISTICS["completeness"](Period(14, person)).bars
    assert [(bar.label, bar.words) for bar in bars] == [
        (f"{name}, real ones", "50 % of 2"), (f"{name}, bogus ones", "100 % of 1"),
    ]  # fmt: skip


def test_the_page_shows_every_statistic_with_its_table_and_asks_as_much_for_one_row_as_for_ten(
    django_assert_num_queries,
):
    browser = Client()
    browser.force_login(account("viewer"))
    for count in (1, 10):
        for _ in range(count):
            judge(drawn(0.5), True)
        with django_assert_num_queries(16):
            page = browser.get(URL).content.decode()
    for slug in STATISTICS:
        assert f"/statistics/{slug}.csv?days=14" in page
    assert "(95" not in page and "20 of 20" not in page and "11 of 11" in page
    assert Client().get(URL).status_code == 302
    assert browser.get("/statistics/nothing.csv").status_code == 404


def test_how_far_people_agree_is_told_with_its_interval():
    one, other = UserFactory(username="ann"), UserFactory(username="bob")
    for said in (True, True, False):
        row = DetectionFactory()
        judge(row, True, person=one)
        judge(row, said, person=other)
    found = STATISTICS["agreement"](Period(14, account("administrator")))
    pair = dict(zip([column.name for column in found.columns], found.rows[0], strict=True))
    assert (pair["first"], pair["second"], pair["objects"]) == ("ann", "bob", 3)
    assert pair["share_same"] == pytest.approx(2 / 3)
    assert 0.0 < pair["share_same_low"] < 2 / 3 < pair["share_same_high"] < 1.0
    assert "67 % of 3" in found.bars[0].words


def test_whoever_judges_blind_is_shown_nothing_that_is_made_of_the_answers_of_others():
    SystemConfig.objects.create(key="curation.blind", value=True)
    judge(DetectionFactory(), True, label=LabelDefinitionFactory(is_valid=True, title="Odd one").label)
    client = Client()
    client.force_login(account("curator"))
    page = client.get(URL).content.decode()
    assert "Answers a day" in page
    assert "Labels</h2>" not in page
    assert client.get(f"{URL}labels.csv").status_code == 404
    assert answers.pace(Period(14, account("curator"))).rows == []
