"""When something is told about a source, what it says, and that it is told once."""

from __future__ import annotations

import pytest

from catalog.configuration.values import set_value
from catalog.ids import uuid7
from catalog.models import AuditLog
from catalog.people import audit
from catalog.people.audit import MACHINE
from curation.alerts import stage
from curation.judgements.verdicts import Judgement, record_validation
from curation.models import Alert
from detection.models import Detection
from observations.claims.doubts import reopen, settle
from tests import factories
from tests.curation.looks import consider, judge, seen

pytestmark = pytest.mark.django_db


def test_a_sure_bright_detection_is_told_once_before_anybody_looked():
    row = seen()
    assert consider(row.source) == ["new"]
    assert consider(row.source) == ["new"], "told again, nothing is new"
    alert = Alert.objects.get()
    assert alert.status == "pending"
    assert "Nobody has reviewed it yet" in alert.message
    assert AuditLog.objects.filter(action="alert_new").count() == 1


@pytest.mark.parametrize(
    "why_not",
    [{"snr": 9.9}, {"score": 0.98}, {"wcs_quality": "nominal"}],
    ids=["too faint", "not sure", "position not known"],
)
def test_what_is_faint_unsure_or_of_nominal_position_is_not_told(why_not):
    assert consider(seen(**why_not).source) == []


def test_nothing_is_told_by_itself_where_that_is_switched_off_and_a_person_still_can():
    set_value("alerts.automatic", False, MACHINE)
    row = seen()
    assert consider(row.source) == []
    judge(row, True)
    assert consider(row.source) == ["new"]


def test_a_nominal_position_is_not_told_even_when_people_say_so():
    row = seen(wcs_quality="nominal")
    judge(row, True, "expert")
    assert consider(row.source) == []


def test_a_verdict_that_is_not_sure_enough_is_not_told():
    row = seen(score=0.6)
    judge(row, True, "low")
    assert consider(row.source) == []
    set_value("alerts.min_human_confidence", "low", MACHINE)
    assert consider(row.source) == ["new"]


def test_a_verdict_after_an_automatic_alert_is_an_update_with_the_label():
    row = seen()
    consider(row.source)
    judge(row, True, label="supernova_candidate")
    assert consider(row.source) == ["new", "update"]
    latest = Alert.objects.latest("created_at")
    assert latest.title.startswith("Update on supernova candidate")
    assert "high confidence" in latest.message
    assert latest.priority == "high"


def test_a_rejection_takes_the_alert_back_and_a_change_of_mind_tells_it_anew():
    row = seen()
    consider(row.source)
    judge(row, False)
    assert consider(row.source) == ["new", "retraction"]
    assert consider(row.source) == ["new", "retraction"], "taken back once"
    retraction = Alert.objects.latest("created_at")
    assert retraction.alert_metadata["retracts"] == str(Alert.objects.earliest("created_at").pk)
    judge(row, True, "expert")
    assert consider(row.source) == ["new", "retraction", "new"]


def test_a_withdrawn_verdict_takes_back_the_alert_that_rested_on_it():
    row = seen(score=0.6)
    user = factories.UserFactory()
    event, _ = record_validation(Judgement(uuid7(), row.pk, True), user, audit.Actor(user))
    assert consider(row.source) == ["new"]
    record_validation(Judgement(uuid7(), row.pk, kind="withdrawal", supersedes_id=event.pk), user, audit.Actor(user))
    assert consider(row.source) == ["new", "retraction"]


def test_the_next_night_at_the_same_brightness_is_not_told_and_a_brighter_one_is():
    row = seen()
    consider(row.source)
    seen(row.source, days=1.0)
    assert consider(row.source) == ["new"]
    brighter = seen(row.source, days=2.0, snr=60.0)
    assert consider(row.source) == ["new", "update"]
    latest = Alert.objects.latest("created_at")
    assert latest.detection == brighter
    assert (latest.alert_metadata["epochs"], latest.alert_metadata["nights"]) == (3, 3)


def test_a_detection_that_a_better_subtraction_lost_is_taken_back():
    row = seen()
    consider(row.source)
    Detection.objects.filter(pk=row.pk).update(status="archived")
    assert consider(row.source) == ["new", "retraction"]


def test_what_is_known_is_told_in_numbers_and_what_is_not_is_null():
    row = seen()
    consider(row.source)
    facts = Alert.objects.get().alert_metadata
    assert (facts["snr"], facts["flux_adu"], facts["band"]) == (25.0, 1250.0, row.observation.filter_band)
    assert facts["mag"] is facts["mag_error"] is facts["mag_system"] is None
    assert facts["rate_arcsec_per_min"] is None
    assert "No magnitude" in Alert.objects.get().message


def test_with_a_zero_point_the_magnitude_is_told_with_its_error_and_bright_is_critical():
    row = seen()
    factories.PreprocessRunFactory(
        observation=row.observation, status="completed", zero_point_mag=19.0, zero_point_error=0.03,
        zero_point_system="AB", limiting_magnitude=18.0,
    )  # fmt: skip
    consider(row.source)
    alert = Alert.objects.get()
    # 19 - 2.5 log10(1250) = 11.258; 1.0857 / 25 = 0.0434, with 0.03 of the zero point 0.0528.
    assert alert.alert_metadata["mag"] == pytest.approx(11.258, abs=0.001)
    assert alert.alert_metadata["mag_error"] == pytest.approx(0.0528, abs=0.0001)
    assert "11.26 ± 0.05 mag (AB)" in alert.title
    assert alert.priority == "critical"


def test_the_position_is_told_in_both_spellings_with_its_error():
    row = seen()
    consider(row.source)
    message = Alert.objects.get().message
    # RA 150.01° is 10:00:02.40, Dec 2.01° is +02:00:36.
    assert "10:00:02.40 +02:00:36.0 (150.01000, +2.01000), error 0.30″" in message


def test_a_source_that_is_gone_is_nothing_to_tell():
    stage.run(str(uuid7()))
    assert not Alert.objects.exists()


def test_a_doubt_holds_an_alert_back_until_it_is_settled_and_takes_none_back():
    row = seen()
    doubt = factories.DoubtFactory(observation=row.observation, blocks_publication=True)
    assert consider(row.source) == []
    judge(row, True, "expert")
    assert consider(row.source) == [], "not for a person's word about the object either"
    settle(doubt, "The clock was checked.", MACHINE)
    assert consider(row.source) == ["new"]
    reopen(doubt, MACHINE)
    assert consider(row.source) == ["new"], "what was told stays told"


def test_a_doubt_of_no_consequence_holds_nothing_back():
    row = seen()
    factories.DoubtFactory(observation=row.observation)
    assert consider(row.source) == ["new"]
