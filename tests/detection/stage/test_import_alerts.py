"""Alerts of other surveys become rows of ours, once, with our score beside theirs."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from catalog.configuration.values import snapshot
from catalog.failures import NotPossible
from catalog.files import storage
from catalog.models import AuditLog
from catalog.people.audit import MACHINE
from curation.models import Alert
from detection.known.frames import wanting
from detection.models import CandidateScore, Detection, DetectionOrigin, ModelRun, Source
from detection.numerics.infer import score
from detection.registry.weights import ensure_default_model, weights_path
from detection.sources.association import associate
from detection.sources.photometry import brightness_of
from detection.stage import import_alerts as stage
from differencing.models import Candidate, DifferenceRun
from observations.frames import actions
from observations.models import NoFrame, Observation, Survey, Telescope
from preprocessing.stage import masters
from tests import factories
from tests.curation.looks import consider, judge
from tests.detection.alert_packets import STAMPS, fits_bytes, lsst, star, write_avro, ztf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


def imported(*paths: Path) -> stage.Imported:
    *_, last = stage.import_alerts(paths)
    return last


def one(tmp_path: Path, record: dict) -> Detection:
    done = imported(write_avro(tmp_path / "one.avro", record))
    assert (done.imported, done.refused) == (1, [])
    return Detection.objects.select_related("candidate", "observation__survey", "source").get()


def test_a_packet_of_ztf_becomes_all_of_its_rows(tmp_path):
    row = one(tmp_path, ztf())
    frame, candidate = row.observation, row.candidate
    assert (frame.survey.name, frame.observation_id, frame.status) == ("ZTF", "978463981215", "imported")
    assert abs(frame.observation_time - dt.datetime(2019, 9, 6, 11, 8, 8, tzinfo=dt.UTC)) < dt.timedelta(seconds=0.01)
    # Local noon to local noon at Palomar, eight hours behind UTC.
    assert (frame.night, frame.filter_band, frame.exposure_time) == (dt.date(2019, 9, 5), "r", 30.0)
    assert (frame.sha256, frame.image_width, frame.image_height, frame.field, frame.airmass) == (None,) * 5
    assert (frame.ra, frame.dec) == (2.8012592, -12.2713433) and "first alert" in frame.facts["centre"]["note"]
    assert frame.telescope == Telescope.objects.get(mpc_code="I41") and frame.telescope.longitude_deg == -116.8597
    assert (candidate.is_imported, candidate.status, candidate.snr) == (
        True,
        "detected",
        pytest.approx(21.715, abs=1e-3),
    )
    run = DifferenceRun.objects.get()
    assert (run.algorithm, run.status, run.candidates_found, run.reference) == ("imported", "completed", 1, None)
    assert (row.origin, row.status, row.source.name) == ("imported", "pending", "ZTF18abwhsum")
    assert (row.source.detection_count, row.source.ra) == (1, 2.8012592)
    assert row.novelty == 1.0 and row.urgency is not None
    assert ModelRun.objects.get().total_predictions == 1
    assert AuditLog.objects.get(action="import_alerts").new_values == {"alerts": 1}
    # The flux of 18 mag at the zero point of the packet is a magnitude again.
    found = brightness_of([row])[row.pk]
    assert (found.mag, found.system) == (pytest.approx(18.0), "AB")


def test_the_score_is_ours_of_the_packets_pixels_and_theirs_stands_beside_it(tmp_path):
    row = one(tmp_path, ztf())
    stamps = np.load(storage.open_stored(row.cutouts_path))
    told = row.prediction_metadata["told"]
    model = ensure_default_model()
    [expected] = score(stamps[None], weights_path(model), fwhm_px=told["star_fwhm_px"])
    assert row.confidence_score == pytest.approx(expected)
    assert (row.model_version, row.prediction_metadata["weights_sha256"]) == (f"{model}", model.weights_sha256)
    assert CandidateScore.objects.get().score == row.confidence_score
    assert told["scores"] == [
        {"name": "drb", "value": 0.9, "version": "d6_m7"}, {"name": "rb", "value": 0.8, "version": "t17_f5_c3"},
    ]  # fmt: skip
    # 0.88 of fwhm times seeratio.
    assert (told["star_fwhm_px"], told["star_fwhm_from"]) == (pytest.approx(2.2), "packet")
    assert (told["alert"], told["earlier_detections"], told["earlier_undetected"]) == ("978463981215010000", 1, 1)


def test_where_the_packet_does_not_tell_the_width_of_a_star_its_pixels_do_or_the_survey(tmp_path):
    bright = [fits_bytes(star(peak=50_000.0)), fits_bytes(star(peak=0.0)), fits_bytes(star(peak=50_000.0))]
    faint = [fits_bytes(star(peak=100.0)), fits_bytes(star(peak=0.0)), fits_bytes(star(peak=100.0))]
    records = [ztf(candid=k, fwhm=None, stamps=stamps) for k, stamps in enumerate((bright, faint), start=1)]
    imported(write_avro(tmp_path / "two.avro", *records))
    told = {
        row.prediction_metadata["told"]["alert"]: row.prediction_metadata["told"] for row in Detection.objects.all()
    }
    assert told["1"]["star_fwhm_from"] == "pixels" and told["1"]["star_fwhm_px"] == pytest.approx(2.5, rel=0.2)
    assert (told["2"]["star_fwhm_from"], told["2"]["star_fwhm_px"]) == ("survey", 2.5)


def test_what_a_packet_lacks_is_null(tmp_path):
    row = one(tmp_path, ztf(exptime=None, magzpsci=None, scorr=None, nbad=None))
    candidate = row.candidate
    assert (candidate.flux, candidate.flux_error, candidate.significance, candidate.masked_share) == (None,) * 4
    assert row.observation.exposure_time is None and "exposure" in row.observation.facts
    assert brightness_of([row])[row.pk].mag is None
    assert row.prediction_metadata["told"]["mag"] == 18.0


def test_a_packet_of_lsst_becomes_rows_without_what_it_does_not_tell(tmp_path):
    row = one(tmp_path, lsst())
    assert (row.observation.survey.name, row.source.name) == ("LSST", "LSST 170028528328769656")
    assert row.observation.exposure_time is None and "middle" in row.observation.facts["time"]["note"]
    assert row.source.first_detected_at == row.source.last_detected_at
    assert brightness_of([row])[row.pk].mag == pytest.approx(22.5, abs=1e-3)
    assert row.prediction_metadata["told"]["flux_unit"] == "nJy"
    Detection.objects.all().delete()
    record = lsst(diaSourceId=7, diaObjectId=0, ssObjectId=9)
    assert one(tmp_path, {**record, "ssSource": {"designation": "2006 TK6"}}).source is None


def test_again_adds_nothing_and_leaves_what_people_said(tmp_path):
    path = write_avro(tmp_path / "two.avro", ztf(candid=1), ztf(candid=2, ra=2.9))
    assert imported(path).imported == 2
    row = Detection.objects.order_by("ra").first()
    judge(row, True)
    before = {
        model: list(model.objects.order_by("pk").values()) for model in (Detection, Candidate, Source, DifferenceRun)
    }
    # In another file, twice, and beside one that is new.
    other = write_avro(tmp_path / "more.avro", ztf(candid=1), ztf(candid=1), ztf(candid=3, objectId="ZTF19x"))
    done = imported(path, other)
    assert (done.imported, done.known, done.refused) == (1, 4, [])
    for model, rows in before.items():
        now = {each["id"]: each for each in model.objects.values()}
        changed = {"candidates_found", "updated_at"} if model is DifferenceRun else set()
        for each in rows:
            assert {k: v for k, v in now[each["id"]].items() if k not in changed} == {
                k: v for k, v in each.items() if k not in changed
            }
    assert DifferenceRun.objects.get().candidates_found == 3
    assert (Observation.objects.count(), Survey.objects.filter(name="ZTF").count()) == (1, 1)


def test_keys_follow_from_the_surveys_own_numbers(tmp_path):
    """The same packet has the same keys in every installation, for ever."""
    row = one(tmp_path, ztf())
    assert str(row.pk) == "c137fa4c-db03-5267-8b41-997976417069"
    assert str(row.candidate_id) == "05d2ade4-c633-53fb-943c-110e1eb16bc1"


def test_epochs_of_an_object_are_one_source_by_its_name(tmp_path):
    first, second = ztf(candid=1, pid=1), ztf(candid=2, pid=2, jd=2458742.9, ra=2.8012)
    imported(write_avro(tmp_path / "two.avro", first, second))
    source = Source.objects.get()
    assert source.detection_count == 2 and source.detections.count() == 2
    assert (source.last_detected_at - source.first_detected_at).days == 9


def test_what_cannot_be_scored_is_refused_by_name_and_the_rest_go_on(tmp_path):
    unknown = [fits_bytes(np.full((63, 63), np.nan, np.float32))] * 3
    constant = [fits_bytes(np.zeros((63, 63), np.float32))] * 3
    path = write_avro(
        tmp_path / "some.avro", ztf(candid=1, stamps=unknown), ztf(candid=2, stamps=constant), ztf(candid=3)
    )
    done = imported(path)
    assert done.imported == 1
    assert [refused.name for refused in done.refused] == [
        "some.avro, packet 1 (candid 1)", "some.avro, packet 2 (candid 2)",
    ]  # fmt: skip
    assert all("gives it no score" in refused.reason for refused in done.refused)


def test_a_folder_without_alerts_is_told(tmp_path):
    (tmp_path / "empty").mkdir()
    [refused] = imported(tmp_path / "empty").refused
    assert "no .avro and no .parquet" in refused.reason


# --- The command ---


def test_the_command_says_what_became_of_each_and_fails_where_something_was_refused(tmp_path, capsys):
    write_avro(tmp_path / "a.avro", ztf(candid=1), ztf(candid=2, dec=None), ztf(candid=3))
    (tmp_path / "b.avro").write_bytes(b"no alert")
    with pytest.raises(SystemExit) as ended:
        call_command("import_alerts", tmp_path, json=True)
    assert ended.value.code == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "files": 2, "imported": 2, "known": 0,
        "refused": [
            {"name": "a.avro, packet 2 (candid 2)", "reason": "it does not give `dec`"},
            {"name": "b.avro", "reason": "it is neither an Avro container nor a parquet table"},
        ],
    }  # fmt: skip
    assert "a.avro, packet 2 (candid 2): refused, it does not give `dec`." in err
    (tmp_path / "b.avro").unlink()
    call_command("import_alerts", write_avro(tmp_path / "a.avro", ztf(candid=1)))
    assert capsys.readouterr().out == "0 imported, 1 already there, 0 refused, of 1 files.\n"


def test_the_command_wants_paths_that_are_there(tmp_path):
    with pytest.raises(CommandError, match=r"There is no .*nowhere") as refused:
        call_command("import_alerts", tmp_path / "nowhere")
    assert refused.value.returncode == 2


# --- What never happens to it ---


def test_it_is_in_no_work_of_the_pipeline(tmp_path):
    row = one(tmp_path, ztf())
    assert not Observation.objects.live().filter(pk=row.observation_id).exists()
    assert not wanting().exists()
    for order in (actions.reprocess, actions.archive):
        with pytest.raises(NotPossible, match="its frame is not here"):
            order(row.observation, MACHINE)
    with pytest.raises(NoFrame, match="its frame is not here"):
        _ = row.observation.delivered
    masters.run("2019-09-05")


def test_it_alerts_only_once_a_person_has_called_it_real(tmp_path):
    row = one(tmp_path, ztf(scorr=300.0, sigmapsf=0.01))
    Detection.objects.filter(pk=row.pk).update(confidence_score=1.0)
    assert consider(row.source) == [], "however sure and bright"
    judge(row, True)
    assert consider(row.source) == ["new"]
    alert = Alert.objects.get()
    told = alert.alert_metadata
    assert (told["basis"], told["designation"], told["frame"]) == ("human", "ZTF18abwhsum", "978463981215")
    assert (told["flux_adu"], told["mag"]) == (None, pytest.approx(18.0))


def test_only_imported_rows_may_lack_what_alerts_lack(tmp_path):
    for name in ("sha256", "image_width", "exposure_time"):
        with pytest.raises(IntegrityError, match="imported_lacks"), transaction.atomic():
            factories.ObservationFactory(**{name: None})
        factories.ObservationFactory(**{name: None}, status="imported")
    for name in ("flux", "snr", "significance", "masked_share"):
        with pytest.raises(IntegrityError, match="imported_lacks"), transaction.atomic():
            factories.CandidateFactory(**{name: None})
        factories.CandidateFactory(**{name: None}, is_imported=True)
    with pytest.raises(IntegrityError, match="completed_has_reference"), transaction.atomic():
        factories.DifferenceRunFactory(reference_observation=None)
    with pytest.raises(IntegrityError, match="completed_has_reference"), transaction.atomic():
        factories.DifferenceRunFactory(reference_observation=None, algorithm="imported", candidates_found=None)
    factories.DifferenceRunFactory(reference_observation=None, algorithm="imported")


def test_our_own_detection_at_the_place_joins_the_object_that_was_imported(tmp_path):
    row = one(tmp_path, ztf())
    frame = factories.ObservationFactory(ra=2.8, dec=-12.27)
    factories.PreprocessRunFactory(observation=frame, fwhm_px=3.0)
    run = factories.DifferenceRunFactory(observation=frame)
    candidate = factories.CandidateFactory(difference_run=run, ra=row.ra, dec=row.dec)
    ours = factories.DetectionFactory(candidate=candidate, source=None)
    associate([ours], frame, snapshot())
    ours.refresh_from_db()
    assert ours.source == row.source and ours.origin == DetectionOrigin.PIPELINE


def test_real_alerts_are_imported_with_their_labels_to_come(shared_data):
    """All that is there: the six whose cutouts are pictures are refused, 21 are in two files."""
    folders = [shared_data / name for name in ("alerts_ztf_avro", "alerts_fink_parquet", "alerts_rubin_parquet")]
    done = imported(*folders)
    assert (done.imported, done.known, len(done.refused)) == (269, 21, 6)
    rows = Detection.objects.filter(origin="imported").select_related("candidate")
    ours = np.array([row.confidence_score for row in rows])
    assert len(STAMPS) == 3 and np.isfinite(ours).all()
    assert imported(*folders).imported == 0
