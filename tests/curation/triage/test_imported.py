"""Alerts of other surveys in front of people: found, reviewed blind by two, and shown for what they are."""

from __future__ import annotations

import pytest

from catalog.configuration.values import set_value
from catalog.people.audit import MACHINE
from curation.triage.items import item_of
from curation.triage.review import reviews
from detection.models import Detection
from detection.stage.import_alerts import import_alerts
from tests.browsers import client_of
from tests.clients import account
from tests.clients import client_of as api_client_of
from tests.curation.triage.windows import SHOWN, Window, ids
from tests.detection.alert_packets import lsst, write_avro, ztf
from tests.factories import DetectionFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


@pytest.fixture
def alerts(tmp_path) -> dict[str, Detection]:
    lacking = {
        "candid": 2,
        "pid": 2,
        "objectId": "ZTF19old",
        "ra": 9.0,
        "magzpsci": None,
        "scorr": None,
        "exptime": None,
    }
    body = {**lsst(diaObjectId=0, ssObjectId=9), "ssSource": {"designation": "2006 TK6"}}
    for name, records in {"ztf": [ztf(), ztf(**lacking)], "lsst": [body]}.items():
        list(import_alerts([write_avro(tmp_path / f"{name}.avro", *records)]))
    rows = Detection.objects.select_related("observation__survey", "candidate", "source")
    return {row.prediction_metadata["told"]["alert"]: row for row in rows}


def page_of(row: Detection, kind: str = "detections", role: str = "viewer") -> str:
    answer = client_of(role).get(f"/{kind}/{row.pk}/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_queue_holds_them_and_is_narrowed_by_survey_and_origin(alerts):
    DetectionFactory()
    of_ztf = {str(row.pk) for row in alerts.values() if row.observation.survey.name == "ZTF"}
    window = Window()
    assert len(ids(window.take(query="by=detection"))) == 3, "of four, ours among them"
    window.send("triage_release")
    assert set(ids(window.take(query="survey=ztf"))) == of_ztf
    assert ids(window.take(query="origin=imported&survey=LSST")) == [str(alerts["170112073308569690"].pk)]
    assert ids(window.take(query="survey=none+such")) == []


def test_an_item_shows_their_score_beside_ours_and_what_is_not_given(alerts):
    user = account("curator")
    [review] = reviews([alerts["2"].pk], user)
    item = item_of(review, user, {})
    text = " ".join(item["html"].split())
    assert '<strong>0.900</strong> drb <span class="quiet">(d6_m7)</span>' in text and "by ZTF" in text
    assert "drb 0.900" in item["brief"] and item["scale_arcsec"] == 1.01
    assert text.count("not given") == 3, "significance, flux and exposure"
    assert "None" not in text and "ADU" not in text
    assert "data-full-frame" not in text, "there is no frame"
    [review] = reviews([alerts["170112073308569690"].pk], user)
    text = " ".join(item_of(review, user, {})["html"].split())
    assert "known body: <strong>2006 TK6</strong>" in text and "nJy" in text and "as LSST tells" in text
    assert "not computed for exposures of which only alerts are here" in text


def test_scores_of_theirs_are_hidden_where_ours_are(alerts):
    """While what is drawn from the hidden waits, no score says which one that is."""
    set_value("detection.hidden_share", 0.5, MACHINE)
    DetectionFactory(origin="sampled", inclusion_probability=0.5, source=None)
    curator = account("curator")
    [review] = reviews([alerts["2"].pk], curator)
    item = item_of(review, curator, {})
    assert "drb" not in item["html"] and not any("drb" in line for line in item["brief"])


def test_two_people_answer_blind_and_their_agreement_is_counted(alerts):
    set_value("curation.blind", True, MACHINE)
    set_value("curation.required_answers", 2, MACHINE)
    first, second = Window(), Window()
    blind = {**SHOWN, "blind": True, "answers_shown": 0}
    given = ids(first.take(query="survey=ZTF"))
    assert len(given) == 2
    for key in given:
        assert first.answer(Detection.objects.get(pk=key), visible_context=blind).status_code == 201
    items = second.take(query="survey=ZTF")["items"]
    assert {item["id"] for item in items} == set(given)
    assert all("What others said is hidden" in item["html"] for item in items)
    for item, is_valid in zip(items, (True, False), strict=True):
        row = Detection.objects.get(pk=item["id"])
        assert second.answer(row, is_valid, visible_context=blind).status_code == 201
    states = {row.status for row in Detection.objects.filter(pk__in=given)}
    assert states == {"validated", "pending"}, "one is agreed about, the other is not"
    table = client_of("viewer").get("/statistics/agreement.csv").content.decode().splitlines()
    assert len(table) > 1 and ",0.5," in table[1], table


def test_pages_say_that_the_frame_is_not_here(alerts):
    row = alerts["2"]
    text = page_of(row)
    for words in (
        "Their score", "<strong>0.900</strong> drb", "ZTF19old", "1 earlier detection and", "1 limit",
        "are not imported", "only when people judge it real", "exposure not given", "as ZTF tells",
    ):  # fmt: skip
        assert words in text, words
    frame = " ".join(client_of("operator").get(f"/observations/{row.observation_id}/").content.decode().split())
    assert "It is not here: alerts of ZTF told of this exposure" in frame
    assert (
        "Reprocess" not in frame
        and "FITS header" not in frame
        and "Not examined" not in frame
        and "None" not in frame.split("<main", 1)[1]
    )
    listed = client_of("viewer").get("/observations/?status=imported").content.decode()
    assert "alerts only" in listed and "preview" not in listed.split("<tbody", 1)[1]
    assert client_of("viewer").get(f"/observations/{row.observation_id}/large.png").status_code == 404
    difference = client_of("viewer").get(f"/differences/{row.candidate.difference_run_id}/").content.decode()
    assert "Another survey made it" in " ".join(difference.split())


def test_clients_read_them_with_their_scores(alerts):
    client = api_client_of("viewer")
    [row] = client.get("/api/v1/detections/?origin=imported&survey=LSST").json()["results"]
    assert row["prediction_metadata"]["told"]["scores"][0]["name"] == "reliability"
    frame = client.get(f"/api/v1/observations/{row['observation']}/").json()
    assert (frame["exposure_time"], frame["sha256"], frame["image_width"], frame["status"]) == (None,) * 3 + (
        "imported",
    )
    strongest = client.get("/api/v1/candidates/?ordering=-significance&page_size=1").json()
    assert strongest["results"][0]["is_imported"] is True
    seen = []
    answer = strongest
    while True:
        seen += [each["id"] for each in answer["results"]]
        if not answer["next"]:
            break
        answer = client.get(answer["next"]).json()
    assert len(seen) == len(set(seen)) == 3, "one without a significance is on a page too"
