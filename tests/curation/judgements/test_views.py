"""Pages of labels and of known items, and what experts show to others."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import AuditLog, SystemConfig, User
from catalog.people import audit
from curation.judgements.gold import mark_known
from curation.models import EventKind, GoldItem, LabelDefinition, LabelExample, ValidationEvent
from detection.models import Detection
from tests.clients import account
from tests.curation.cutouts import detection_with_cutouts
from tests.curation.looks import judge
from tests.factories import DetectionFactory, GoldAnswerFactory, GoldItemFactory, InjectedFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


def browser(who: User | str) -> Client:
    client = Client()
    client.force_login(account(who) if isinstance(who, str) else who)
    return client


def shown(client: Client, label: str = "comet") -> list[Detection]:
    """Return the examples of a label, in order."""
    found = client.get(reverse("curation:labels")).context["labels"]
    return next(list(one.examples) for one in found if one.label.label == label)


def comet(person: User | None = None) -> Detection:
    row = detection_with_cutouts()
    judge(row, True, label="comet", person=person)
    return row


def test_each_label_is_shown_with_what_it_means_and_what_people_called_so():
    row, other = comet(), detection_with_cutouts()
    judge(other, True, label="variable_star")
    client = browser("viewer")
    page = client.get(reverse("curation:labels")).content.decode()
    for label in LabelDefinition.objects.filter(is_active=True):
        assert f'id="{label.label}"' in page
    assert shown(client) == [row]
    judge(row, False, "expert", label="cosmic_ray")
    assert shown(client) == [], "people decided otherwise"


def test_what_experts_have_chosen_comes_first_and_four_are_enough():
    rows = [comet() for _ in range(5)]
    expert = browser("expert")
    assert expert.post(reverse("curation:example", args=[rows[0].pk])).status_code == 302
    found = shown(browser("curator"))
    assert (len(found), found[0]) == (4, rows[0])
    expert.post(reverse("curation:example", args=[rows[0].pk]), {"end": ""})
    assert rows[0] not in shown(browser("curator"))
    assert set(AuditLog.objects.values_list("action", flat=True)) >= {"choose_example", "end_example"}


def test_what_is_not_decided_is_no_example():
    row = DetectionFactory()
    answer = browser("expert").post(reverse("curation:example", args=[row.pk]), follow=True)
    assert "review it first" in answer.content.decode()
    assert not LabelExample.objects.exists()


def test_who_judges_blind_sees_what_they_called_so_and_what_was_chosen_for_all():
    SystemConfig.objects.create(key="curation.blind", value=True)
    person = account("curator")
    own, others, chosen = comet(), comet(), comet()
    judge(own, True, label="comet", person=person)
    expert = account("expert")
    judge(chosen, True, label="comet", person=expert)
    browser(expert).post(reverse("curation:example", args=[chosen.pk]))
    assert shown(browser(person)) == [chosen, own]
    assert set(shown(browser("viewer"))) == {own, others, chosen}


def test_who_has_taken_their_answer_back_does_not_see_here_that_others_said_the_same():
    SystemConfig.objects.create(key="curation.blind", value=True)
    person, row = account("curator"), comet()
    judge(row, True, label="comet", person=person)
    own = ValidationEvent.objects.get(validator=person)
    assert shown(browser(person)) == [row]
    judge(row, None, person=person, kind=EventKind.WITHDRAWAL, supersedes_id=own.pk)
    assert shown(browser(person)) == []


def test_what_is_known_is_no_example_for_those_who_may_be_given_it():
    row, expert = comet(), account("expert")
    mark_known(row, expert, audit.Actor(expert))
    assert shown(browser("curator")) == []


def test_experts_mark_what_is_decided_as_known_on_its_page_once_it_is_switched_on():
    row, expert = comet(), browser("expert")
    address, page = reverse("curation:mark_gold", args=[row.pk]), reverse("curation:detection", args=[row.pk])
    assert "Mark as known" not in expert.get(page).content.decode()
    SystemConfig.objects.create(key="curation.gold_share", value=0.1)
    assert "Mark as known" in expert.get(page).content.decode()
    assert "Mark as known" not in browser("curator").get(page).content.decode()
    expert.post(address)
    assert GoldItem.objects.get(is_active=True).detection == row
    assert "No longer give" in expert.get(page).content.decode()
    expert.post(address, {"end": ""})
    assert not GoldItem.objects.get().is_active


def test_people_see_how_well_they_review_and_experts_see_all():
    ann, bob = account("curator"), UserFactory(username="bobby")
    item = GoldItemFactory(label="comet")
    GoldAnswerFactory(item=item, person=ann, is_valid=True)
    GoldAnswerFactory(item=item, person=bob, is_valid=False)
    own = browser(ann).get(reverse("curation:known_items")).content.decode()
    assert "1 of 1" in own and "0 of 1" not in own and "bobby" not in own
    assert "bobby" in browser("expert").get(reverse("curation:known_items")).content.decode()
    link = reverse("curation:detection", args=[item.detection_id])
    assert link not in own and link in browser("expert").get(reverse("curation:known_items")).content.decode()


def test_how_well_people_do_is_told_at_a_glance_with_the_table_as_csv():
    person = account("curator")
    for snr, kind, said in ((6.0, "sky", True), (6.5, "galaxy", False), (30.0, "sky", True)):
        GoldAnswerFactory(item=InjectedFactory(kind=kind, injected_snr=snr), person=person, is_valid=said)
    GoldAnswerFactory(item=GoldItemFactory(is_valid=False, label="ghost"), person=person, is_valid=False)
    page = re.sub(r"\s+", " ", browser(person).get(reverse("curation:known_items")).content.decode())
    heads = re.findall(r'<th scope="col" class="figure">(S/N [^<]+)</th>', page)
    assert heads == ["S/N below 7", "S/N 20 to 50"]
    assert re.findall(r'<strong>(\d+)\W+%</strong> <span class="quiet nowrap">([^<]+)<', page) == [
        ("50", "1 of 2"), ("100", "1 of 1"), ("67", "2 of 3"), ("100", "1 of 1"), ("100", "1 of 1"),
    ]  # fmt: skip
    for slug in ("injected", "completeness"):
        assert reverse("curation:statistic", args=[slug]) in page


def test_a_detections_page_says_how_many_answers_it_awaits_and_who_ends_a_conflict():
    SystemConfig.objects.create(key="curation.required_answers", value=2)
    SystemConfig.objects.create(key="curation.conflict_after", value=2)
    row = detection_with_cutouts()
    page = reverse("curation:detection", args=[row.pk])
    viewer = browser("viewer")
    judge(row, True)
    assert "1 of at least 2 people has answered" in viewer.get(page).content.decode()
    judge(row, False)
    assert "an expert decides" in viewer.get(page).content.decode()
