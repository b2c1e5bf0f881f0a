"""Calibration frames become masters, and each light gets those that fit it."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from catalog.configuration.values import set_value, snapshot
from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.people.audit import MACHINE
from observations.delivery.ingest import Overrides, ingest_paths
from observations.models import Observation
from observations.numerics.fits.mapped import map_images
from preprocessing.models import CalibrationMaster, MasterKind
from preprocessing.stage import masters

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]

SHAPE = (64, 72)
BIAS, DARK_RATE, SKY = 1000.0, 0.5, 800.0
NOISE = 3.0
KINDS = {"bias": "Bias Frame", "dark": "Dark Frame", "flat": "Flat Field", "light": "Light Frame"}


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "delivered"
    path.mkdir()
    return path


def pattern():
    """Return a flat of mean 1: 10 % darker at one side."""
    return np.linspace(0.95, 1.05, SHAPE[1])[None, :] * np.ones(SHAPE)


def write(folder, kind, number, *, seconds=60.0, temperature=-20.0, night="2024-03-01", **cards):
    """Write one frame of 1 e-/ADU as a camera delivers it."""
    rng = np.random.default_rng([number, len(kind), int(seconds)])
    level = {
        "bias": 0.0,
        "dark": DARK_RATE * seconds,
        "flat": 20_000.0 * pattern(),
        "light": DARK_RATE * seconds + SKY * pattern(),
    }[kind]
    data = rng.normal(BIAS + level * np.ones(SHAPE), NOISE)
    hdu = fits.PrimaryHDU(np.round(data).astype(np.uint16))
    about = {
        "IMAGETYP": KINDS[kind],
        "EXPTIME": 0.0 if kind == "bias" else seconds,
        "DATE-OBS": f"{night}T21:{number:02d}:00",
        "CCD-TEMP": temperature,
        "INSTRUME": "Camera",
        "XBINNING": 1,
        "YBINNING": 1,
        "FILTER": "V",
        "OBJCTRA": "08 51 18",
        "OBJCTDEC": "+11 48 00",
        "PIXSCALE": 2.0,
    }
    for keyword, value in (about | cards).items():
        hdu.header[keyword] = value
    name = "-".join([kind, night, str(number), str(int(seconds)), str(int(temperature))])
    hdu.writeto(folder / f"{name}.fits")


def ingest(folder):
    found = ingest_paths([folder], overrides=Overrides(), config=snapshot(), report=lambda line: None)
    assert not [row for row in found if row.is_refused]


def make(folder, *nights):
    ingest(folder)
    for night in nights or ("2024-03-01",):
        masters.run(night)


def only(kind):
    return CalibrationMaster.objects.get(kind=kind)


def pixels(row):
    return map_images(storage.open_stored(row.file_path)).image()


def of_light(number=9):
    light = Observation.objects.get(original_name__startswith=f"light-2024-03-01-{number}-")
    return masters.masters_for(light, snapshot())


def test_bias_dark_and_flat_frames_become_one_master_each_of_the_right_level(folder):
    for k in range(3):
        write(folder, "bias", k)
        write(folder, "dark", k)
        write(folder, "flat", k, seconds=5.0)
    make(folder)
    assert {row.kind: row.frame_count for row in CalibrationMaster.objects.all()} == dict.fromkeys(
        ("bias", "dark", "flat"), 3
    )
    # The mean of 3 x 4608 pixels of noise 3 is good to 0.03; a median of whole numbers to 0.5.
    assert np.median(pixels(only("bias"))) == pytest.approx(BIAS, abs=0.6)
    assert np.median(pixels(only("dark"))) == pytest.approx(DARK_RATE * 60.0, abs=0.8)
    # Three frames of 20 000 ADU with noise 3: 1e-4 a pixel.
    np.testing.assert_allclose(pixels(only("flat")), pattern(), atol=1.5e-3)
    assert set(only("bias").members.values_list("kind", flat=True)) == {"bias"}


def test_the_same_frames_make_the_same_masters_again(folder):
    for k in range(3):
        write(folder, "bias", k)
        write(folder, "dark", k)
    make(folder)
    before = list(CalibrationMaster.objects.order_by("pk").values())
    masters.run("2024-03-01")
    assert list(CalibrationMaster.objects.order_by("pk").values()) == before


def test_a_master_whose_file_is_gone_is_made_anew(folder):
    for k in range(3):
        write(folder, "bias", k)
    make(folder)
    level = np.median(pixels(only("bias")))
    storage.remove(only("bias").file_path)
    masters.run("2024-03-01")
    assert np.median(pixels(only("bias"))) == level


def test_one_more_bias_makes_a_new_master_which_lights_then_use(folder):
    for k in range(3):
        write(folder, "bias", k)
    write(folder, "light", 9)
    make(folder)
    first = of_light().record[0]
    write(folder, "bias", 5)
    make(folder)
    assert (first["frames"], of_light().record[0]["frames"]) == (3, 4)


def test_darks_of_different_exposures_and_temperatures_are_not_mixed(folder):
    for k in range(3):
        write(folder, "bias", k)
        write(folder, "dark", k)
        write(folder, "dark", k, seconds=120.0)
        write(folder, "dark", k, temperature=-10.0)
    make(folder)
    found = CalibrationMaster.objects.filter(kind=MasterKind.DARK)
    assert sorted((row.exposure_time, row.frame_count) for row in found) == [(60.0, 3), (60.0, 3), (120.0, 3)]


def test_a_light_gets_the_dark_of_its_own_exposure_else_the_longest(folder):
    for k in range(3):
        write(folder, "bias", k)
        write(folder, "dark", k)
        write(folder, "dark", k, seconds=240.0)
    write(folder, "light", 8, seconds=60.0)
    write(folder, "light", 9, seconds=90.0)
    make(folder)
    assert of_light(8).masters.dark.exposure_s == 60.0
    assert of_light(9).masters.dark.exposure_s == 240.0


def test_a_dark_of_another_temperature_is_not_used(folder):
    for k in range(3):
        write(folder, "bias", k)
        write(folder, "dark", k, temperature=-10.0)
    write(folder, "light", 9)
    make(folder)
    chosen = of_light()
    assert chosen.masters.bias is not None
    assert chosen.masters.dark is None


def test_a_bias_serves_within_its_validity_and_its_age_is_shown(folder):
    for k in range(3):
        write(folder, "bias", k, night="2024-02-21")
    write(folder, "light", 9)
    make(folder, "2024-02-21", "2024-03-01")
    (entry,) = of_light().record
    assert (entry["kind"], entry["age_days"]) == ("bias", 9)
    set_value("preprocessing.bias_validity_days", 8, MACHINE)
    assert of_light().record == []


def test_of_two_nights_the_nearer_bias_is_used(folder):
    for k in range(3):
        write(folder, "bias", k, night="2024-02-21")
        write(folder, "bias", k, night="2024-02-28")
    write(folder, "light", 9)
    make(folder, "2024-02-21", "2024-02-28", "2024-03-01")
    assert [entry["age_days"] for entry in of_light().record] == [2]


@pytest.mark.parametrize(("card", "value"), [("INSTRUME", "Other"), ("XBINNING", 2)])
def test_the_masters_of_another_camera_or_binning_are_not_used(folder, card, value):
    for k in range(3):
        write(folder, "bias", k, **{card: value})
    write(folder, "light", 9)
    make(folder)
    assert CalibrationMaster.objects.count() == 1
    assert of_light().record == []


def test_a_flat_serves_its_own_filter_only(folder):
    for k in range(3):
        write(folder, "flat", k, seconds=5.0, FILTER="B")
        write(folder, "bias", k)
    write(folder, "light", 9)
    make(folder)
    assert of_light().masters.flat is None


def test_without_a_flat_the_lights_make_a_sky_flat_that_is_recorded_as_such(folder):
    for k in range(3):
        write(folder, "bias", k)
        write(folder, "dark", k)
    for k in range(4):
        write(folder, "light", 10 + k)
    make(folder)
    row = only("sky_flat")
    assert row.light_members.count() == row.frame_count == 4
    assert not row.members.exists()
    assert "sky_flat" in [entry["kind"] for entry in of_light(10).record]
    # The slope across the frame, 10 %, is found to a percent.
    columns = np.median(pixels(row), axis=0)
    assert columns[-5] / columns[4] == pytest.approx(pattern()[0, -5] / pattern()[0, 4], abs=0.01)


def test_with_a_flat_no_sky_flat_is_made(folder):
    for k in range(3):
        write(folder, "bias", k)
        write(folder, "flat", k, seconds=5.0)
        write(folder, "light", 10 + k)
    make(folder)
    assert not CalibrationMaster.objects.filter(kind=MasterKind.SKY_FLAT).exists()
    assert of_light(10).masters.flat is not None


def test_two_lights_are_too_few_for_a_sky_flat(folder):
    for k in range(2):
        write(folder, "light", 10 + k)
    make(folder)
    assert CalibrationMaster.objects.count() == 0


def test_a_master_file_that_is_gone_fails_the_light_with_what_to_do(folder):
    for k in range(3):
        write(folder, "bias", k)
    write(folder, "light", 9)
    make(folder)
    storage.remove(only("bias").file_path)
    with pytest.raises(StageFailure, match="process the night again") as caught:
        of_light()
    assert caught.value.code == FailureCode.FILE_MISSING


OTHER_SETTINGS = [
    ({"GAIN": 100, "OFFSET": 10}, {"GAIN": 0, "OFFSET": 50}, "gain setting is 0, the frame's 100"),
    ({"EGAIN": 1.5}, {"EGAIN": 5.0}, "5 e-/ADU, the frame at 1.5"),
    ({"CAMID": "a1"}, {"CAMID": "b2"}, "number is b2"),
    ({"OFFSET": 10}, {"OFFSET": 30}, "offset setting is 30"),
    ({"READOUTM": "fast"}, {"READOUTM": "slow"}, "readout mode is slow"),
    ({"XORGSUBF": 0, "YORGSUBF": 0}, {"XORGSUBF": 500, "YORGSUBF": 0}, "window is 500,0"),
    ({"TELESCOP": "north"}, {"TELESCOP": "south"}, "telescope south"),
    ({"BUNIT": "adu"}, {"BUNIT": "electron"}, "unit is electron"),
]


@pytest.mark.parametrize(("own", "other", "words"), OTHER_SETTINGS, ids=[words for _, _, words in OTHER_SETTINGS])
def test_the_masters_of_another_setting_are_neither_mixed_nor_used_and_the_run_says_why(folder, own, other, words):
    for number in range(3):
        write(folder, "bias", number, **own)
        write(folder, "bias", number + 10, **other)
    write(folder, "light", 9, **own)
    make(folder)
    assert CalibrationMaster.objects.filter(kind=MasterKind.BIAS).count() == 2
    light, chosen = Observation.objects.get(), of_light()
    used = CalibrationMaster.objects.get(pk=chosen.record[0]["id"])
    assert all(getattr(used, name) == getattr(light, name) for name in ("gain_setting", "camera_serial", "window"))
    used.delete()
    alone = of_light()
    assert alone.masters.bias is None
    assert any(words in sentence for sentence in alone.unfit)


def test_what_a_header_does_not_say_contradicts_no_master(folder):
    for number in range(3):
        write(folder, "bias", number)
    write(folder, "light", 9, EGAIN=1.5, GAIN=100, OFFSET=10, CAMID="a1")
    make(folder)
    assert of_light().masters.bias is not None


def test_a_camera_known_by_its_number_keeps_its_dark_behind_another_telescope_but_not_its_flat(folder):
    for number in range(3):
        for kind in ("bias", "flat"):
            write(folder, kind, number, CAMID="a1", TELESCOP="north")
    write(folder, "light", 9, CAMID="a1", TELESCOP="south")
    make(folder)
    chosen = of_light()
    assert (chosen.masters.bias is not None, chosen.masters.flat) == (True, None)


@pytest.mark.parametrize(
    ("cards", "left"), [({"CALSTAT": "BDF"}, []), ({"CALSTAT": "BD"}, ["flat"]), ({"CALSTAT": "B"}, ["dark", "flat"])]
)
def test_nothing_is_taken_off_twice(folder, cards, left):
    for number in range(3):
        for kind in ("bias", "dark", "flat"):
            write(folder, kind, number)
    write(folder, "light", 9, **cards)
    make(folder)
    chosen = of_light()
    assert [entry["kind"] for entry in chosen.record] == left
    assert chosen.unfit == ()
