from __future__ import annotations

import pytest

from catalog.failures import NotPossible
from catalog.models import AuditLog, ProcessingJob
from catalog.people import audit
from differencing import references
from differencing.models import Reference
from tests.browsers import page, staff_of
from tests.factories import (
    CandidateFactory,
    FieldFactory,
    ObservationFactory,
    PreprocessRunFactory,
    ReferenceFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def active() -> set[int]:
    return set(Reference.objects.filter(is_active=True).values_list("version", flat=True))


def test_a_promotion_takes_the_place_of_the_one_before_and_both_are_written_down():
    field, actor = FieldFactory(), audit.Actor(UserFactory(username="ada"))
    old = ReferenceFactory(field=field, version=1, is_active=True)
    new = ReferenceFactory(field=field, version=2)
    references.promote_reference(new, actor)
    assert active() == {2}
    written = AuditLog.objects.order_by("id").values_list("action", "entity_id", "new_values", "user")
    assert list(written) == [
        ("withdraw_reference", str(old.pk), {"is_active": False}, "ada"),
        ("promote_reference", str(new.pk), {"is_active": True}, "ada"),
    ]


def test_references_of_other_fields_and_bands_stay_promoted():
    field = FieldFactory()
    ReferenceFactory(version=1, is_active=True)
    ReferenceFactory(version=2, is_active=True, field=field, filter_band="g")
    references.promote_reference(ReferenceFactory(version=4, field=field), audit.MACHINE)
    assert active() == {1, 2, 4}


def test_a_reference_that_leaves_one_frame_of_a_night_out_is_not_promoted_for_others():
    reference = ReferenceFactory(excluded_night="2024-03-01")
    with pytest.raises(NotPossible, match="2024-03-01"):
        references.promote_reference(reference, audit.MACHINE)
    assert active() == set()


def test_a_reference_is_promoted_once_and_withdrawn_once():
    reference = ReferenceFactory()
    with pytest.raises(NotPossible, match="not promoted"):
        references.withdraw_reference(reference, audit.MACHINE)
    references.promote_reference(reference, audit.MACHINE)
    with pytest.raises(NotPossible, match="already"):
        references.promote_reference(reference, audit.MACHINE)
    references.withdraw_reference(reference, audit.MACHINE)
    assert active() == set()


def test_only_an_administrator_promotes_from_the_page():
    reference = ReferenceFactory(version=7)
    url = f"/admin/differencing/reference/{reference.pk}/promote/"
    assert staff_of("operator").post(url, {"_form_submitted": "on"}).status_code == 403
    assert active() == set()
    staff_of("administrator").post(url, {"_form_submitted": "on"})
    assert active() == {7}


def test_candidates_are_narrowed_by_signal_to_noise_and_flags():
    strong, weak = CandidateFactory(snr=50.0), CandidateFactory(snr=-6.0, is_negative=True)
    client = staff_of("operator")
    for values, expected in [
        ({"snr_from": "20", "snr_to": ""}, strong),
        ({"is_negative__exact": "1"}, weak),
        ({"is_negative__exact": "0"}, strong),
        ({"difference_run__id__exact": weak.difference_run_id}, weak),
    ]:
        rows = client.get(page("differencing.candidate"), values).context["cl"].result_list
        assert [row.pk for row in rows] == [expected.pk], values


def test_the_page_says_what_a_reference_is_made_of_and_what_a_new_one_would_gain():
    reference = ReferenceFactory(
        version=2, frame_count=7, first_mjd_utc=60379.9, last_mjd_utc=60381.2, fwhm_px=3.21, deeper_by_mag=0.62
    )
    client = staff_of("administrator")
    for text in (
        client.get(page("differencing.reference")).content.decode(),
        client.get(f"/admin/differencing/reference/{reference.pk}/change/").content.decode(),
    ):
        for words in ("2024-03-10 – 2024-03-12", "3.21", "0.62", "7"):
            assert words in text, words


def test_a_new_reference_is_ordered_from_the_page_by_an_administrator():
    reference = ReferenceFactory(is_active=True, filter_band="R")
    for minutes in (0, 1, 2):
        PreprocessRunFactory(
            observation=ObservationFactory(field=reference.field, filter_band="R", night="2024-03-01"),
            wcs_aligned=True, fwhm_px=3.0 + minutes, background_noise=10.0,
        )  # fmt: skip
    PreprocessRunFactory(
        observation=ObservationFactory(field=reference.field, filter_band="R", night="2024-03-05"),
        wcs_aligned=True, fwhm_px=3.0, background_noise=10.0,
    )  # fmt: skip
    url = f"/admin/differencing/reference/{reference.pk}/make_new/"
    assert staff_of("operator").post(url, {"_form_submitted": "on"}).status_code == 403
    assert not ProcessingJob.objects.exists()
    staff_of("administrator").post(url, {"_form_submitted": "on"})
    assert ProcessingJob.objects.get().entity_id == str(reference.pk)


def test_clients_are_told_which_references_could_be_deeper():
    better, _ = ReferenceFactory(deeper_by_mag=0.4, origin="frames"), ReferenceFactory()
    rows = staff_of("administrator").get("/api/v1/references/", {"deeper_by_mag__gte": 0.1}).json()["results"]
    assert [(row["id"], row["deeper_by_mag"]) for row in rows] == [(str(better.pk), 0.4)]
