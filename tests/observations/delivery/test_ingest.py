"""Ingest: what becomes a row, what is refused, and that a repeat changes nothing."""

from __future__ import annotations

import datetime as dt
import errno
import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from django.db import connections
from django.utils import timezone

from catalog.configuration import values
from catalog.failures import StageFailure
from catalog.files import storage
from catalog.models import JobStatus, ProcessingJob, RemovedFile
from observations.delivery.ingest import IngestResult, ingest_paths, printable
from observations.models import CalibrationFrame, Field, Observation, Telescope
from observations.numerics.fits.images import Overrides, read_images
from observations.sky import SkyQuerySet
from preprocessing.stage.raw import read_raw
from tests.waiting import wait_for

NX, NY = 48, 40
CARDS: dict[str, object] = {
    "IMAGETYP": "Light Frame",
    "DATE-OBS": "2024-03-01T21:00:00.000",
    "EXPTIME": 60.0,
    "FILTER": "V",
    "OBJECT": "M 67",
    "OBJCTRA": "08 51 18",
    "OBJCTDEC": "+11 48 00",
    "PIXSCALE": 10.0,
    "TELESCOP": "T1",
    "SITELAT": "28.3 N",
    "SITELONG": "16.5 W",
}


def write(path: Path, seed: int = 1, **cards: object) -> Path:
    data = np.random.default_rng(seed).integers(900, 1100, (NY, NX)).astype(np.uint16)
    hdu = fits.PrimaryHDU(data)
    for keyword, value in (CARDS | {k.replace("_", "-"): v for k, v in cards.items()}).items():
        if value is not None:
            hdu.header[keyword] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    hdu.writeto(path)
    return path


def ingest(*paths: Path, **overrides: object) -> list[IngestResult]:
    lines: list[str] = []
    return ingest_paths(paths, overrides=Overrides(**overrides), config=values.snapshot(), report=lines.append)


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of frames beside the data root."""
    path = tmp_path / "delivered"
    path.mkdir()
    return path


def test_a_light_becomes_an_observation_with_what_its_header_says(folder):
    write(folder / "a.fits")
    (result,) = ingest(folder)
    row = Observation.objects.get()
    assert (result.entity_type, result.entity_id, result.is_new) == ("observation", row.pk, True)
    assert row.survey.name == "local"
    assert row.observation_id == f"a-{row.sha256[:8]}"
    assert row.observation_time == dt.datetime(2024, 3, 1, 21, 0, tzinfo=dt.UTC)
    # 21:00 UT is 19:54 of mean solar time at 16.5 degrees west.
    assert row.night == dt.date(2024, 3, 1)
    # Half of 60 s after MJD 60370.875.
    assert row.mjd_utc == pytest.approx(60370.875 + 30 / 86400, abs=1e-9)
    assert (row.filter_band, row.exposure_time, row.wcs_quality) == ("V", 60.0, "nominal")
    assert row.delivered_wcs_quality == "nominal"
    # FK5 and ICRS differ by less than 0.1 arcsec.
    assert (row.ra, row.dec) == pytest.approx((132.825, 11.8), abs=3e-5)
    assert len(row.footprint) == 4
    assert row.telescope.longitude_deg == pytest.approx(-16.5)
    assert row.header["OBJECT"] == "M 67"


def test_the_raw_file_is_kept_below_the_data_root_and_has_its_pixels(folder):
    path = write(folder / "a.fits")
    ingest(folder)
    row = Observation.objects.get()
    assert not Path(row.fits_file_path).is_absolute()
    stored = storage.open_stored(row.fits_file_path)
    assert stored.read_bytes() == path.read_bytes()
    np.testing.assert_array_equal(read_images(stored)[row.hdu_index].data, fits.getdata(path))


def test_the_same_bytes_are_one_observation_by_whatever_route(folder):
    path = write(folder / "a.fits")
    write(folder / "deep" / "deeper" / "other_name.fit")
    (folder / "c.fits.gz").write_bytes(gzip.compress(path.read_bytes()))
    results = ingest(folder, path)
    assert Observation.objects.count() == 1
    assert len({result.entity_id for result in results}) == 1
    assert [result.is_new for result in results] == [True, False, False, False]


@pytest.mark.parametrize("order", ["plain first", "compressed first"])
def test_a_tile_compressed_copy_is_the_same_observation_and_another_exposure_is_not(folder, order):
    first, second = ("a", "b") if order == "plain first" else ("b", "a")
    original = write(folder / f"{first}.fits")
    with fits.open(original) as hdus:
        packed = fits.CompImageHDU(hdus[0].data, hdus[0].header, compression_type="RICE_1")
        packed.writeto(folder / f"{second}.fits.fz")
        other = hdus[0].data.copy()
        other[0, 0] += 1
        fits.CompImageHDU(other, hdus[0].header, compression_type="RICE_1").writeto(folder / "c.fits.fz")
    results = ingest(folder)
    assert len({result.entity_id for result in results[:2]}) == 1
    assert Observation.objects.count() == 2


def test_the_same_pixels_with_another_header_are_another_delivery(folder):
    write(folder / "a.fits")
    write(folder / "b.fits", OBSERVER="somebody else")
    ingest(folder)
    assert Observation.objects.count() == 2


def test_a_repeat_adds_no_row_and_no_job(folder):
    write(folder / "a.fits")
    (folder / "bad.fits").write_text("<html></html>")
    ingest(folder)
    before = (Observation.objects.count(), ProcessingJob.objects.count(), Field.objects.count())
    ingest(folder)
    assert (Observation.objects.count(), ProcessingJob.objects.count(), Field.objects.count()) == before
    assert set(ProcessingJob.objects.filter(job_type="ingest").values_list("attempt", flat=True)) == {2}


def test_calibration_frames_are_no_observations(folder):
    for i, kind in enumerate(("Bias Frame", "Dark Frame", "Flat Field")):
        write(folder / f"{i}.fits", seed=i, IMAGETYP=kind, EXPTIME=0.0 if i == 0 else 10.0, OBJCTRA=None, PIXSCALE=None)
    ingest(folder)
    assert Observation.objects.count() == 0
    rows = dict(CalibrationFrame.objects.values_list("kind", "exposure_time"))
    assert rows == {"bias": 0.0, "dark": 10.0, "flat": 10.0}
    assert CalibrationFrame.objects.get(kind="flat").filter_band == "V"


@pytest.mark.parametrize(
    ("lacking", "code", "give"),
    [
        ("OBJCTRA", "no_pointing", "--ra and --dec"),
        ("FILTER", "no_band", "--band"),
        ("EXPTIME", "no_exposure", "--exposure"),
        ("DATE-OBS", "no_time", "--time"),
        ("PIXSCALE", "no_wcs", "--pixel-scale"),
    ],
)
def test_what_is_lacking_is_a_failed_job_that_says_what_to_give(folder, lacking, code, give):
    write(folder / "a.fits", **{lacking: None})
    (result,) = ingest(folder)
    job = ProcessingJob.objects.get()
    assert (job.status, job.job_type, job.entity_type) == (JobStatus.FAILED, "ingest", "file")
    assert result.failure_code == job.failure_code == code
    assert give in job.error_message
    assert job.error_message.startswith("a.fits: ")
    assert not Observation.objects.exists()


def test_a_refused_frame_is_taken_once_what_it_lacked_is_given(folder):
    write(folder / "a.fits", OBJCTRA=None, FILTER=None)
    assert ingest(folder)[0].is_refused
    (result,) = ingest(folder, ra_deg=10.0, dec_deg=-5.0, band="R")
    assert not result.is_refused
    assert ProcessingJob.objects.get(job_type="ingest").status == JobStatus.COMPLETED
    row = Observation.objects.get()
    assert (row.ra, row.dec, row.filter_band) == (10.0, -5.0, "R")


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"<html>not found</html>", "not_fits"), (b"", "not_fits"), (b"SIMPLE  =                    T", "truncated")],
)
def test_a_file_that_is_none_is_a_failed_job(folder, content, code):
    (folder / "a.fits").write_bytes(content)
    assert ingest(folder)[0].failure_code == code
    assert ProcessingJob.objects.get().failure_code == code


def test_an_empty_folder_and_a_missing_file_have_their_reason(folder):
    results = ingest(folder, folder / "nothing.fits")
    assert [result.failure_code for result in results] == ["file_missing", "file_missing"]
    assert "holds no FITS files" in results[0].error_message
    assert ProcessingJob.objects.filter(status=JobStatus.FAILED).count() == 2


def test_a_bad_file_does_not_stop_the_good_ones(folder):
    (folder / "a.fits").write_bytes(b"hello")
    write(folder / "b.fits")
    assert [result.is_refused for result in ingest(folder)] == [True, False]


def test_a_fault_of_the_program_ends_one_file_and_not_the_night(folder, monkeypatch):
    write(folder / "a.fits", seed=1)
    write(folder / "b.fits", seed=2)
    real = Observation.objects.create

    def fail_once(**values):
        if values["original_name"] == "a.fits":
            raise ZeroDivisionError("planted")
        return real(**values)

    monkeypatch.setattr(Observation.objects, "create", fail_once)
    assert [result.failure_code for result in ingest(folder)] == ["internal_error", ""]


def test_a_full_disk_is_said_and_leaves_no_row(folder, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    def no_link(*_, **__):
        raise OSError("another file system")

    write(folder / "a.fits")
    monkeypatch.setattr("catalog.files.storage.tempfile.mkstemp", full)
    monkeypatch.setattr("catalog.files.storage.os.link", no_link)
    assert ingest(folder)[0].failure_code == "disk_full"
    assert not Observation.objects.exists()
    monkeypatch.undo()
    assert not ingest(folder)[0].is_refused


def test_frames_of_one_pointing_share_a_field_and_others_do_not(folder):
    # The frame is 48 px of 10 arcsec wide: 480 arcsec, half of it 240 arcsec = 16 s of right ascension at the equator.
    write(folder / "a.fits", seed=1, OBJCTRA="08 00 00", OBJCTDEC="+00 00 00")
    write(folder / "b.fits", seed=2, OBJCTRA="08 00 15", OBJCTDEC="+00 00 00")
    write(folder / "c.fits", seed=3, OBJCTRA="08 00 30", OBJCTDEC="+00 00 00")
    write(folder / "d.fits", seed=4, OBJCTRA="08 00 01", OBJCTDEC="+00 00 00", PIXSCALE=5.0)
    ingest(folder)
    fields = [Observation.objects.get(original_name=f"{name}.fits").field_id for name in "abcd"]
    # A field is a place: the finer frame is of it as well.
    assert fields[0] == fields[1] == fields[3] != fields[2]


def test_a_wide_frame_is_of_a_small_ones_field_only_where_it_points_there(folder):
    # 480 arcsec; then 2400 arcsec, 900 arcsec beside it; then 2400 arcsec, 60 arcsec beside it.
    write(folder / "a.fits", seed=1, OBJCTRA="08 00 00", OBJCTDEC="+00 00 00")
    write(folder / "b.fits", seed=2, OBJCTRA="08 01 00", OBJCTDEC="+00 00 00", PIXSCALE=50.0)
    write(folder / "c.fits", seed=3, OBJCTRA="08 00 04", OBJCTDEC="+00 00 00", PIXSCALE=50.0)
    for name in "abc":
        ingest(folder / f"{name}.fits")
    small, beside, near = (Observation.objects.get(original_name=f"{name}.fits").field_id for name in "abc")
    assert small != beside
    # Frames of its own scale come first: this pointing is theirs.
    assert near == beside


def test_one_telescope_name_at_two_places_is_two_telescopes(folder):
    write(folder / "a.fits", seed=1)
    write(folder / "b.fits", seed=2, SITELONG="100.5 W")
    write(folder / "c.fits", seed=3, SITELONG="16.52 W")
    ingest(folder)
    assert Telescope.objects.count() == 2
    rows = {row.original_name: row.telescope_id for row in Observation.objects.all()}
    assert rows["a.fits"] == rows["c.fits"] != rows["b.fits"]


def test_each_image_of_a_mosaic_is_one_observation_and_a_bad_one_is_named(folder):
    data = np.random.default_rng(5).normal(100, 5, (3, NY, NX)).astype(np.float32)
    primary = fits.PrimaryHDU()
    for keyword, value in CARDS.items():
        primary.header[keyword] = value
    images = [fits.ImageHDU(plane, name=f"CCD{i}") for i, plane in enumerate(data)]
    images[1].header["EXPTIME"] = -5.0
    fits.HDUList([primary, *images]).writeto(folder / "m.fits")
    results = ingest(folder)
    assert [result.failure_code for result in results] == ["", "no_exposure", ""]
    job = ProcessingJob.objects.get(job_type="ingest")
    assert job.failure_code == "no_exposure"
    assert job.error_message.startswith("m.fits: HDU 2:")
    rows = list(Observation.objects.order_by("hdu_index"))
    assert [row.hdu_index for row in rows] == [1, 3]
    assert len({row.camera for row in rows}) == 2
    assert len({row.fits_file_path for row in rows}) == 1


def test_what_is_no_fits_by_name_and_what_is_hidden_is_passed_over_in_folders(folder):
    (folder / "notes.txt").write_text("clear night")
    (folder / ".hidden.fits").write_text("x")
    write(folder / "A.FIT")
    assert len(ingest(folder)) == 1


def test_a_hostile_file_name_becomes_printable_text(folder):
    assert printable("a\nb\x1b[31m.fits") == "a?b?[31m.fits"
    write(folder / "a\nb.fits")
    ingest(folder)
    assert Observation.objects.get().original_name == "a?b.fits"


@pytest.mark.django_db(transaction=True)
def test_eight_deliveries_at_once_make_one_observation(folder):
    path = write(folder / "a.fits")
    (folder / "a.fits.gz").write_bytes(gzip.compress(path.read_bytes()))

    def deliver(i: int) -> list[IngestResult]:
        try:
            return ingest(folder / ("a.fits.gz" if i % 2 else "a.fits"))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        results = [result for found in pool.map(deliver, range(8)) for result in found]
    assert not [result.error_message for result in results if result.is_refused]
    assert Observation.objects.count() == 1
    assert len({result.entity_id for result in results}) == 1
    assert sum(result.is_new for result in results) == 1
    assert not ProcessingJob.objects.filter(job_type="ingest").exclude(status=JobStatus.COMPLETED).exists()


@pytest.mark.django_db(transaction=True)
def test_frames_of_one_pointing_delivered_at_once_make_one_field_and_one_telescope(folder, monkeypatch):
    paths = [write(folder / f"{i}.fits", seed=i) for i in range(2)]
    # Survey and telescope exist already, so that nothing but the field makes one wait for the other.
    ingest(write(folder / "elsewhere.fits", seed=9, OBJCTRA="20 00 00"))
    come, cone = threading.Semaphore(0), SkyQuerySet.cone

    def cone_at_once(self, *args: float):
        """Answer both askers before either goes on, unless only one is let in at a time."""
        found = list(cone(self, *args))
        come.release()
        wait_for(lambda: come._value == 2 or stands_at_the_door())
        return found

    def stands_at_the_door() -> bool:
        """Tell whether the other one waits for the lock under which fields are made."""
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 7301 AND NOT granted")
            return cursor.fetchone() is not None

    def deliver(path: Path) -> list[IngestResult]:
        try:
            return ingest(path)
        finally:
            connections.close_all()

    monkeypatch.setattr(SkyQuerySet, "cone", cone_at_once)
    with ThreadPoolExecutor(2) as pool:
        assert not [result for found in pool.map(deliver, paths) for result in found if result.is_refused]
    assert (Observation.objects.count(), Field.objects.count(), Telescope.objects.count()) == (3, 2, 1)


def test_the_raw_night_is_five_lights_three_bias_and_three_dark_frames_of_one_field(shared_data):
    results = ingest(shared_data / "raw_asteroid2713_20181017")
    assert not [result.error_message for result in results if result.is_refused]
    assert Observation.objects.count() == 5
    assert dict(CalibrationFrame.objects.values_list("kind", "night").distinct()) == {
        "bias": dt.date(2018, 10, 17),
        "dark": dt.date(2018, 10, 17),
    }
    assert CalibrationFrame.objects.count() == 6
    assert Field.objects.count() == 1
    assert {row.night for row in Observation.objects.all()} == {dt.date(2018, 10, 17)}
    # Wallace Observatory lies 71.485 degrees west; its header counts west as positive.
    assert Telescope.objects.get().longitude_deg == pytest.approx(-71.485)


def test_a_frame_whose_file_retention_removed_says_so_and_is_kept_again_when_it_is_delivered_again(tmp_path):
    path = write(tmp_path / "a.fits")
    ingest(path)
    row = Observation.objects.get()
    storage.remove(row.fits_file_path)
    RemovedFile.objects.create(entity_type="observation", entity_id=row.pk, kept_days=90, removed_at=timezone.now())
    with pytest.raises(StageFailure, match=r"by the retention of 90 days \(retention.raw_days\)") as failed:
        read_raw(row)
    assert failed.value.code == "file_removed"
    (again,) = ingest(path)
    assert (again.is_new, again.is_refused) == (False, False)
    assert storage.exists(row.fits_file_path)
    assert not RemovedFile.objects.exists()
