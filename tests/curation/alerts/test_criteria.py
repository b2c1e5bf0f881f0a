"""Which publications a subscriber wants: each bound, what is not known, and who judged."""

from __future__ import annotations

import pytest

from curation.alerts.criteria import Criteria, criteria_of, matches, told
from curation.alerts.facts import Ground
from curation.models import AlertPriority, AlertType
from detection.models import DetectionType

PAYLOAD = {
    "alert": "01a229c7-566e-76ee-9dfc-2d849bddecaf",
    "detection": "01a229c7-566e-76ee-9dfc-2d849bddecb0",
    "source": None,
    "alert_type": "new",
    "priority": "high",
    "title": "New source",
    "metadata": {
        "basis": "human", "detection_type": "transient", "label": "nova", "ra_deg": 359.999, "dec_deg": -30.0,
        "score": 0.9, "snr": -12.0, "mag": 17.5,
    },
}  # fmt: skip


def wants(*, automatic: bool = False, metadata: dict | None = None, **criteria) -> bool:
    payload = {**PAYLOAD, "metadata": {**PAYLOAD["metadata"], **(metadata or {})}}
    return matches(Criteria(**criteria), told(payload), is_automatic_on=automatic)


@pytest.mark.parametrize(
    ("asked", "met"),
    [
        ({}, True),
        ({"kinds": (AlertType.NEW, AlertType.UPDATE)}, True),
        ({"kinds": (AlertType.RETRACTION,)}, False),
        ({"priorities": (AlertPriority.HIGH,)}, True),
        ({"priorities": (AlertPriority.CRITICAL,)}, False),
        ({"detection_types": (DetectionType.VARIABLE, DetectionType.TRANSIENT)}, True),
        ({"detection_types": (DetectionType.VARIABLE,)}, False),
        ({"labels": ("nova",)}, True),
        ({"labels": ("asteroid",)}, False),
        ({"score_min": 0.9}, True),
        ({"score_min": 0.901}, False),
        ({"snr_min": 12.0}, True),
        ({"snr_min": 12.1}, False),
        ({"mag_max": 17.5}, True),
        ({"mag_max": 17.4}, False),
        # Across RA 0: 0.002° × cos 30° is 6.24″.
        ({"ra_deg": 0.001, "dec_deg": -30.0, "radius_arcsec": 6.3}, True),
        ({"ra_deg": 0.001, "dec_deg": -30.0, "radius_arcsec": 6.2}, False),
    ],
)
def test_each_bound_is_met_or_not(asked, met):
    assert wants(**asked) is met


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("score", {"score_min": 0.0}),
        ("snr", {"snr_min": 0.0}),
        ("mag", {"mag_max": 40.0}),
        ("label", {"labels": ("nova",)}),
        ("ra_deg", {"ra_deg": 0.0, "dec_deg": -30.0, "radius_arcsec": 36000.0}),
    ],
)
@pytest.mark.parametrize("value", [None, "", True, float("nan"), []])
def test_what_is_not_known_meets_no_bound(name, asked, value):
    assert wants(metadata={name: value})
    assert not wants(metadata={name: value}, **asked)


def test_what_no_person_judged_is_sent_only_to_who_asks_for_it_while_alerts_are_automatic():
    by_score = {"basis": Ground.AUTOMATIC}
    assert not wants(metadata=by_score, automatic=True)
    assert not wants(metadata=by_score, includes_automatic=True)
    assert wants(metadata=by_score, includes_automatic=True, automatic=True)
    assert not wants(metadata={"basis": None}), "what does not say so was judged by nobody"


def test_criteria_come_back_from_a_row_as_they_were():
    wanted = Criteria(kinds=(AlertType.NEW,), labels=("nova",), score_min=0.5, includes_automatic=True)
    assert wanted.stored() == {"kinds": ["new"], "labels": ["nova"], "score_min": 0.5, "includes_automatic": True}
    assert criteria_of(wanted.stored()) == wanted
    assert criteria_of(Criteria().stored()) == Criteria()
    zero = Criteria(ra_deg=0.0, dec_deg=0.0, radius_arcsec=5.0, mag_max=0.0)
    assert criteria_of(zero.stored()) == zero


@pytest.mark.parametrize("payload", [None, [], {}, {"metadata": []}, {"metadata": {"updates": "no key", "snr": "12"}}])
def test_a_payload_of_whatever_form_can_be_read(payload):
    said = told(payload)
    assert (said.is_human, said.follows, said.snr) == (False, (), None)
