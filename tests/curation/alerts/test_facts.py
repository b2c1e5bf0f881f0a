"""The facts of an alert: written as they always were, and read whoever wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.json_classes import as_json
from curation.alerts.facts import AlertFacts, Ground, RetractedFacts, facts_told
from curation.models import Alert
from tests.curation.looks import consider, judge, seen

# Payloads as they were published when the facts were a dictionary: of a new alert, an update, a retraction, a mover.
FORMER = json.loads((Path(__file__).parent / "former_payloads.json").read_text())
KINDS = [payload["alert_type"] for payload in FORMER]


def reread(metadata: dict[str, Any]) -> object:
    return as_json(facts_told(Alert(alert_metadata=metadata)))


def same(value: Any) -> Any:
    """Return JSON with the numbers' own types forgotten, which JSON has not."""
    return json.loads(json.dumps(value, sort_keys=True), parse_int=float)


@pytest.mark.parametrize("payload", FORMER, ids=KINDS)
def test_what_was_published_before_is_read_whole_and_written_as_it_was(payload: dict[str, Any]):
    assert same(reread(payload["metadata"])) == same(payload["metadata"])


@pytest.mark.django_db
def test_alerts_have_the_keys_that_clients_know_and_no_others():
    row = seen()
    consider(row.source)
    judge(row, True)
    consider(row.source)
    for _ in range(2):
        judge(row, False, "expert")
    consider(row.source)
    alerts = {alert.alert_type: alert.alert_metadata for alert in Alert.objects.all()}
    former = {payload["alert_type"]: payload["metadata"] for payload in FORMER}
    assert alerts.keys() == {"new", "update", "retraction"}
    assert {kind: set(facts) for kind, facts in alerts.items()} == {kind: set(former[kind]) for kind in alerts}
    assert alerts["new"]["judged_by"] == []
    assert set(alerts["update"]["judged_by"][0]) == {"detection", "user", "is_valid", "confidence_level", "label"}


def test_what_others_wrote_is_read_where_it_fits_and_is_not_known_where_it_does_not():
    odd = {
        "ra_deg": "north", "mag": True, "snr": float("inf"), "epochs": 1.5, "source": "x", "wcs_quality": "perfect",
        "mid_time": "yesterday", "flags": ["edge", 3], "judged_by": ["me", {"user": "you", "is_valid": 1}],
        "last_non_detection": [], "grounds": {"x": "human", "01a22086-9457-74d2-8641-ae18b538e848": "human"},
        "dec_deg": 3, "mine": 1,
    }  # fmt: skip
    facts = facts_told(Alert(alert_metadata=odd))
    names = ("ra_deg", "mag", "snr", "epochs", "source", "wcs_quality", "mid_time", "last_non_detection")
    assert [getattr(facts, name) for name in names] == [None] * len(names)
    assert (facts.dec_deg, facts.flags, list(facts.grounds.values())) == (3.0, ("edge",), [Ground.HUMAN])
    assert [(entry.user, entry.is_valid) for entry in facts.judged_by] == [("you", None)]


@pytest.mark.parametrize("stored", [[], "x", None, 3, {"retracts": 5}])
def test_metadata_of_whatever_kind_is_read(stored: Any):
    facts = facts_told(Alert(alert_metadata=stored))
    assert isinstance(facts, AlertFacts) and facts.ra_deg is None
    assert isinstance(facts, RetractedFacts) is (stored == {"retracts": 5})
