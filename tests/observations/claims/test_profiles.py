"""Profiles: tried before they are kept, kept with their history, applied to frames that are stored already."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from catalog.models import AuditLog, ProcessingJob
from catalog.people.audit import MACHINE
from observations.claims import stage
from observations.claims.profiles import check, forget_profile, frames_of, save_profile, tried_on_row
from observations.models import InstrumentProfile, Observation, ObservationStatus
from tests.browsers import client_of
from tests.factories import ProfileFactory
from tests.observations.delivery.test_ingest import ingest, write

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]
LOCAL_CLOCK = {"DATE_OBS": ("2024-03-01T18:00:00", "local time"), "UTC_OBS": None, "INSTRUME": "Cam 7"}


@pytest.fixture
def light(tmp_path):
    """A stored frame whose clock says that it is UTC, which is wrong by three hours."""
    ingest(write(tmp_path / "light.fits", INSTRUME="Cam 7"))
    ProcessingJob.objects.all().delete()
    return Observation.objects.get()


def three_hours_late() -> InstrumentProfile:
    return InstrumentProfile(name="seven", matches={"INSTRUME": "cam ?"}, rules={"utc_offset_hours": -3})


def test_a_trial_tells_what_would_change_and_keeps_nothing(light):
    trial = tried_on_row(check("seven", {"INSTRUME": "Cam*"}, {"gain_e_per_adu": 0.5}), light)
    assert trial.fits
    assert [(one.fact, one.before, one.after) for one in trial.changes] == [("gain", "", "0.5 e-/ADU")]
    assert not tried_on_row(check("eight", {"INSTRUME": "Other"}, {"gain_e_per_adu": 0.5}), light).fits
    assert not InstrumentProfile.objects.exists()


def test_a_profile_that_is_kept_has_its_frames_read_again_and_processed_again(light):
    assert save_profile(three_hours_late(), MACHINE) == 1
    job = ProcessingJob.objects.get()
    assert (job.job_type, job.entity_id) == ("examine", str(light.pk))
    Observation.objects.update(status=ObservationStatus.DIFFERENCED)
    stage.run(light.pk)
    row = Observation.objects.get()
    assert (row.observation_time - light.observation_time).total_seconds() == 3 * 3600
    assert (row.profile.name, row.status) == ("seven", ObservationStatus.INGESTED)
    assert AuditLog.objects.get(action="read_header_again").new_values["mjd_utc"] == pytest.approx(row.mjd_utc)


def test_a_frame_whose_facts_stay_is_not_processed_again(light):
    Observation.objects.update(status=ObservationStatus.DIFFERENCED)
    stage.run(light.pk)
    row = Observation.objects.get()
    assert row.status == ObservationStatus.DIFFERENCED
    assert not AuditLog.objects.filter(action="read_header_again").exists()


def test_each_change_is_a_line_of_history_and_a_new_revision_of_the_rules():
    row = three_hours_late()
    save_profile(row, MACHINE)
    row.rules = {"utc_offset_hours": -4}
    save_profile(row, MACHINE)
    row.description = "A letter of the observatory."
    save_profile(row, MACHINE)
    assert InstrumentProfile.objects.get().rules_revision == 2
    lines = AuditLog.objects.filter(entity_id=str(row.pk)).order_by("created_at", "id")
    assert [line.action for line in lines] == ["add", "change", "change"]
    assert (lines[1].old_values["rules"], lines[1].new_values["rules"]) == (
        {"utc_offset_hours": -3}, {"utc_offset_hours": -4},
    )  # fmt: skip


def test_a_profile_that_is_deleted_has_its_frames_read_without_it(light):
    row = three_hours_late()
    save_profile(row, MACHINE)
    stage.run(light.pk)
    forget_profile(row, MACHINE)
    stage.run(light.pk)
    assert Observation.objects.get().observation_time == light.observation_time


def test_patterns_mean_the_same_to_the_database_as_to_the_reading(light):
    for pattern, is_it in (("Cam 7", True), ("cam*", True), ("c?m 7", True), ("Cam", False), ("C.m 7", False)):
        profile = check("x", {"INSTRUME": pattern}, {})
        assert frames_of(profile).exists() == is_it
        assert tried_on_row(profile, light).fits == is_it


def test_of_two_profiles_that_fit_the_one_of_higher_precedence_counts(tmp_path):
    ProfileFactory(matches={"INSTRUME": "Cam*"}, rules={"gain_e_per_adu": 0.5})
    ProfileFactory(matches={"INSTRUME": "Cam 7"}, rules={"gain_e_per_adu": 0.7}, precedence=5)
    ProfileFactory(matches={"INSTRUME": "Cam 7"}, rules={"gain_e_per_adu": 0.9}, precedence=9, is_active=False)
    ingest(write(tmp_path / "light.fits", INSTRUME="Cam 7"))
    assert Observation.objects.get().gain_e_per_adu == 0.7


def test_the_command_tries_keeps_lists_and_deletes(tmp_path, light):
    written = {"name": "seven", "matches": {"INSTRUME": "Cam 7"}, "rules": {"gain_e_per_adu": 0.5}}
    file = tmp_path / "seven.json"
    file.write_text(json.dumps(written))
    out = StringIO()
    call_command("profile", "try", str(file), str(tmp_path / "light.fits"), stdout=out)
    assert "gain: nothing -> 0.5 e-/ADU" in out.getvalue()
    assert not InstrumentProfile.objects.exists()
    call_command("profile", "save", str(file), stdout=out)
    assert "1 frames will be read again" in out.getvalue()
    shown = StringIO()
    call_command("profile", "list", stdout=shown)
    assert json.loads(shown.getvalue())[0]["rules"] == written["rules"]
    call_command("profile", "delete", "seven", stdout=out)
    assert not InstrumentProfile.objects.exists()
    file.write_text(json.dumps(written | {"rules": {"gane": 1}}))
    with pytest.raises(CommandError, match="no rule gane"):
        call_command("profile", "save", str(file))


def test_an_administrator_tries_a_profile_in_the_admin_before_it_is_kept(light):
    client = client_of("administrator")
    page = reverse("admin:observations_instrumentprofile_add")
    given = {
        "profile-name": "seven", "profile-precedence": "0", "profile-is_active": "on", "profile-description": "",
        "profile-matches": '{"INSTRUME": "Cam 7"}', "profile-rules": '{"gain_e_per_adu": 0.5}',
        "profile-sample": "light.fits",
    }  # fmt: skip
    tried = client.post(page, given).content.decode()
    assert "Not kept yet" in tried and "gain: nothing" in tried
    assert not InstrumentProfile.objects.exists()
    refused = client.post(page, given | {"profile-sample": "", "profile-rules": '{"gane": 1}'}).content.decode()
    assert "There is no rule gane" in refused
    client.post(page, given | {"profile-sample": ""})
    assert InstrumentProfile.objects.get().rules == {"gain_e_per_adu": 0.5}
    assert ProcessingJob.objects.get().job_type == "examine"
