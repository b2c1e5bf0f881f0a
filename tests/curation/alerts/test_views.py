"""Pages of alerts: the list, and one alert with what was published."""

from __future__ import annotations

import datetime as dt
import html as html_module
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog.ids import uuid7
from curation.alerts.facts import facts_told
from curation.alerts.publishing import publish_pending
from curation.alerts.words import facts_in_words
from curation.models import Alert
from tests.browsers import staff_of
from tests.curation.looks import AB, consider, judge, measured, moving, seen
from tests.factories import AlertFactory, DetectionFactory, PreprocessRunFactory, SourceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return staff_of("viewer")


def shown(client: Client, query: str = "") -> list[Alert]:
    answer = client.get(f"/alerts/?{query}")
    assert answer.context["form"].errors == {}
    return answer.context["page"].rows


def html_of(client: Client, row: Alert) -> str:
    answer = client.get(f"/alerts/{row.pk}/")
    assert answer.status_code == 200
    return html_module.unescape(answer.content.decode())


def told(**frame: Any) -> Alert:
    """Return the alert that the rule makes of a sure detection at a place that was empty before."""
    source = SourceFactory()
    measured(source, 0.0, **AB)
    row = seen(source, days=2.0, **frame)
    known = {"zero_point_mag": 25.0, "zero_point_error": 0.02, "zero_point_system": "AB"}
    PreprocessRunFactory(observation=row.observation, **known)
    consider(row.source)
    return Alert.objects.get(detection=row)


def test_the_newest_alert_is_first_with_its_number_in_the_feed(client: Client):
    first = AlertFactory(title="First told")
    publish_pending()
    second = AlertFactory(title="Second told")
    assert shown(client) == [second, first]
    html = client.get("/alerts/").content.decode()
    assert "№ 1" in html
    assert "not yet" in html


def test_alerts_are_narrowed_by_type_priority_state_and_time(client: Client):
    wanted = AlertFactory(alert_type="retraction", priority="critical", status="failed", error_message="refused")
    old = AlertFactory()
    Alert.objects.filter(pk=old.pk).update(created_at=timezone.now() - dt.timedelta(days=40))
    day = (timezone.now() - dt.timedelta(days=2)).date()
    for query in ("alert_type=retraction", "priority=critical", "status=failed", f"since={day}"):
        assert shown(client, query) == [wanted], query
    assert client.get("/alerts/?priority=loud").context["page"].rows == []


def test_the_list_asks_as_much_for_two_alerts_as_for_twenty(client: Client, django_assert_num_queries: Any):
    for _ in range(20):
        AlertFactory(detection=DetectionFactory(cutouts_path="c.npy"))
    publish_pending()
    with django_assert_num_queries(5):
        assert len(shown(client)) == 20
    with django_assert_num_queries(5):
        assert len(shown(client, f"since={timezone.now().date() + dt.timedelta(days=1)}")) == 0


def test_an_empty_list_says_what_makes_an_alert(client: Client):
    assert "An alert is issued when people judge a source real" in client.get("/alerts/").content.decode()
    assert "No alert matches." in client.get("/alerts/?priority=low").content.decode()


def test_an_alert_is_read_with_its_evidence_in_words_and_units(client: Client):
    html = html_of(client, told(original_name="it.fits"))
    for words in (
        "New or brighter source", "17.26 ± 0.05 (AB)", "+1,250 ± 50 ADU", "+25.0", "0.30″ (1 sigma)",
        "solved against a star catalogue", "R, 60 s", "it.fits", "limit 19.0 mag (5 sigma), day0.fits",
        "1 frame on 1 night", "the real/bogus score alone", "nobody yet", "none seen",
    ):  # fmt: skip
        assert words in html, words


def test_motion_and_judges_are_told(client: Client):
    rows = [seen(days=2.0 + k / 1000.0) for k in range(3)]
    moving(*rows)
    judge(rows[0], True, label="asteroid")
    consider(rows[0].source)
    facts = dict(facts_in_words(facts_told(Alert.objects.latest("created_at"))))
    assert facts["Motion"] == "0.36″ a minute, towards 81° east of north, from 3 positions"
    assert facts["Reviewed by"].endswith(": real (high confidence)")
    assert facts["Based on"] == "human review"
    assert facts["Classification"].startswith("asteroid")


def test_metadata_that_others_wrote_may_hold_anything(client: Client):
    odd = {"ra_deg": "north", "mag": True, "flags": 3, "judged_by": ["me", {"is_valid": 1}], "last_non_detection": []}
    html = html_of(client, AlertFactory(alert_metadata=odd, message="<script>alert(1)</script>"))
    assert "not known" in html
    raw = client.get(f"/alerts/{Alert.objects.get().pk}/").content.decode()
    assert "<script>alert" not in raw
    assert all(isinstance(value, str) and value for _, value in facts_in_words(facts_told(Alert())))


def test_a_published_alert_shows_what_went_out_and_stays(client: Client):
    row = AlertFactory(title="As it went out")
    assert "Not published yet." in html_of(client, row)
    publish_pending()
    Alert.objects.filter(pk=row.pk).update(title="Changed since")
    html = html_of(client, row)
    assert '"title": "As it went out"' in html
    assert "Number in the feed" in html


def test_a_cancelled_alert_never_went_out(client: Client):
    assert "cancelled before it was published" in html_of(client, AlertFactory(status="cancelled"))


def test_earlier_and_later_alerts_of_the_source_are_listed(client: Client):
    first = AlertFactory(title="First told")
    again = DetectionFactory(source=first.detection.source)
    second = AlertFactory(title="Then updated", alert_type="update", detection=again)
    AlertFactory(title="Of another source")
    html = html_of(client, first).split("Earlier and later")[1]
    assert "Then updated" in html
    assert "This alert" in html
    assert "Of another source" not in html
    assert "First told" in html_of(client, second)


def test_an_alert_of_a_detection_without_source_has_a_page(client: Client):
    row = AlertFactory(detection=DetectionFactory(source=None), title="Alone")
    AlertFactory(detection=DetectionFactory(source=None), title="Another")
    assert "Another" not in html_of(client, row)


def test_an_unknown_alert_is_not_found(client: Client):
    assert client.get(f"/alerts/{uuid7()}/").status_code == 404
