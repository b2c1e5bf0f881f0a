"""Where a telescope pointed: hours and degrees, equinoxes, and pointings of other axes."""

from __future__ import annotations

import pytest
from astropy.coordinates import FK4, FK5, SkyCoord

from observations.numerics.site import greenwich_sidereal_deg
from tests.observations.numerics.fits.test_headers import TAN, codes, facts_of

UNPLACED = {"RA": None, "DEC": None}


@pytest.mark.parametrize(
    ("value", "comment", "degrees"),
    [
        ("14:43:46.201", "RA  (220.9425040722087500 degrees)", 220.9425),
        ("14:43:46.201", "hh:mm:ss", 220.9425),
        ("14:43:46.201", "right ascension in degrees", 14.7295),
        ("14:43:46.201", "right ascension (14.7295 deg)", 14.7295),
        ("01:04:00", "RA  (16.0000 degrees)", 16.0),
        (220.9425, "RA  (14:43:46.2)", 220.9425),
    ],
)
def test_a_comment_that_repeats_the_value_tells_its_unit(value, comment, degrees):
    assert facts_of({"RA": (value, comment)}).ra_deg == pytest.approx(degrees, abs=5e-4)


@pytest.mark.parametrize(
    ("cards", "ra"),
    [
        ({"OBJCTRA": 18.8935, "OBJCTDEC": 33.0447}, 283.4025),
        ({"OBJCTRA": (18.8935, "degrees"), "OBJCTDEC": 33.0447}, 18.8935),
        ({"OBJCTRA": 283.4025, "OBJCTDEC": 33.0447}, 283.4025),
        ({"OBJCTRA": 10.6847, "OBJCTDEC": 41.269, "CRVAL1": 10.6851, "CRVAL2": 41.2}, 10.6847),
        ({"MNT-RA": 16.331835, "MNT-DEC": 6.3171, "MNT-SIDT": 14.69762}, 244.977525),
        ({"RA-MNT": (301.56439, "Degrees"), "DEC-MNT": 44.456875}, 301.56439),
        ({"RASTART": "10 00 00", "DECSTART": "+02 00 00"}, 150.0),
        ({"FOVRA": 150.0, "FOVDEC": 2.0}, 150.0),
    ],
)
def test_a_keyword_counts_hours_where_its_programs_do(cards, ra):
    facts = facts_of(UNPLACED, cards)
    assert facts.ra_deg == pytest.approx(ra, abs=5e-4)
    unsaid = any(isinstance(value, float) and ra == pytest.approx(15 * value) for value in cards.values())
    assert ("hours_assumed" in codes(facts)) == unsaid


def sexagesimal(hours: float) -> str:
    sign, tenths = "-" if hours < 0 else "+", round(abs(hours) * 36000)
    return f"{sign}{tenths // 36000:02d} {tenths // 600 % 60:02d} {tenths % 600 / 10:04.1f}"


@pytest.mark.parametrize("is_of_date", [True, False])
def test_sidereal_time_less_hour_angle_tells_the_equinox(is_of_date):
    now = SkyCoord(150.0, 2.0, unit="deg", frame="fk5").transform_to(FK5(equinox="J2024.165"))
    sidereal_h = (greenwich_sidereal_deg(60370.875) + 10.0) % 360 / 15
    written = now if is_of_date else SkyCoord(150.0, 2.0, unit="deg", frame="fk5")
    cards = {
        "OBJCTRA": sexagesimal(float(written.ra.hour)).lstrip("+"),
        "OBJCTDEC": sexagesimal(float(written.dec.deg)),
        "LST": sexagesimal(sidereal_h).lstrip("+"),
        "TELHA": sexagesimal((sidereal_h - float(now.ra.hour) + 12) % 24 - 12),
    }
    facts = facts_of(UNPLACED, cards)
    found = SkyCoord(facts.ra_deg, facts.dec_deg, unit="deg")
    # A second of time was allowed; the precession of 24 years is 74.
    assert found.separation(SkyCoord(150.0, 2.0, unit="deg")).arcsec < 3.0
    assert ("equinox_of_date" in codes(facts)) == is_of_date
    stated = facts_of(UNPLACED, cards, {"EQUINOX": 2000.0})
    assert "equinox_of_date" not in codes(stated)


@pytest.mark.parametrize(
    ("cards", "frame"),
    [
        ({"EPOCH": (1987.26, "EPOCH OF RA AND DEC"), "EQUINOX": 2000.0, "RADECSYS": "FK5"}, FK5(equinox="J1987.26")),
        ({"EPOCH": (2000.0, "(incorrect but needed by old programs)"), "EQUINOX": 1975.0}, FK4(equinox="B1975")),
        ({"EQUINOX": "B1950.00", "RADECSYS": "FK4"}, FK4(equinox="B1950")),
        ({"EQUINOX": "J2000.0"}, FK5()),
    ],
)
def test_of_two_equinoxes_that_of_the_pointing_counts(cards, frame):
    facts = facts_of(cards)
    expected = SkyCoord(150.0, 2.0, unit="deg", frame=frame).icrs
    assert SkyCoord(facts.ra_deg, facts.dec_deg, unit="deg").separation(expected).arcsec < 0.5


# One chip of a mosaic: what the WCS refers to lies 2 degrees away, where the telescope pointed.
FAR_CHIP = TAN | {"CRPIX1": 7500.5}


@pytest.mark.parametrize(
    ("cards", "is_held"),
    [
        ({"RA": 150.0, "DEC": 2.0}, False),
        ({"RA": 153.0, "DEC": 2.0}, True),
        ({"RA": (150.9, "RA of telescope boresight"), "DEC": 2.0}, False),
    ],
)
def test_the_axis_of_a_mosaic_is_not_another_field(cards, is_held):
    facts = facts_of(FAR_CHIP, cards)
    assert any(doubt.fact == "position" and doubt.blocks_publication for doubt in facts.doubts) == is_held


def test_a_mount_that_nobody_corrected_holds_nothing_back():
    facts = facts_of(TAN, UNPLACED, {"RA-MNT": 153.0, "DEC-MNT": 2.0})
    doubt = next(doubt for doubt in facts.doubts if doubt.code == "pointing_off_wcs")
    assert not doubt.blocks_publication


OF_DATE = SkyCoord(150.1, 2.2, unit="deg").transform_to(FK5(equinox="J2024.1639"))


@pytest.mark.parametrize(
    "words",
    [
        {"EPOCH": "JNOW"},
        {"EQUINOX": "Current"},
        {"EPOCH": "topocentric"},
        {"RADESYS": "APPARENT"},
        {"COORDSYS": "JNOW"},
        {"DEC": "Dec JNow"},
        {"RA": "RA EOD"},
    ],
)
def test_every_word_for_the_equinox_of_date_is_known(words):
    cards = {"RA": float(OF_DATE.ra.deg), "DEC": float(OF_DATE.dec.deg)}
    cards |= {key: (cards[key], f"deg, {word}") if key in cards else word for key, word in words.items()}
    facts = facts_of(UNPLACED, {"EQUINOX": None, "RADESYS": None}, cards)
    assert (facts.ra_deg, facts.dec_deg) == pytest.approx((150.1, 2.2), abs=5e-4)


def test_a_comment_may_name_1950():
    old = SkyCoord(150.1, 2.2, unit="deg").transform_to(FK4(equinox="B1950"))
    facts = facts_of(UNPLACED, {"RA": (float(old.ra.deg), "deg, B1950"), "DEC": float(old.dec.deg)})
    assert (facts.ra_deg, facts.dec_deg) == pytest.approx((150.1, 2.2), abs=5e-4)


@pytest.mark.parametrize(
    ("cards", "code"),
    [
        ({"RA": 10.0067, "DEC": 2.2}, "degrees_assumed"),
        ({"OBJCTRA": 10.0067, "OBJCTDEC": 2.2}, "hours_assumed"),
        ({"OBJCTRA": "11 00 24", "OBJCTDEC": "+02 12 00", "RA": 150.1, "DEC": 2.2}, "pointing_contradicted"),
        ({"RA": (10.0067, "[deg]"), "DEC": 2.2}, None),
        ({"RA": 10.0067, "DEC": 2.2, "OBJCTRA": "00 40 01.6", "OBJCTDEC": "+02 12 00"}, None),
        ({"RA": (2.6197392, "[rad]"), "DEC": (0.0383972, "[rad]")}, None),
    ],
)
def test_a_position_made_of_a_guessed_or_denied_pointing_is_held(cards, code):
    facts = facts_of(UNPLACED, cards)
    assert [d.code for d in facts.doubts if d.fact == "position" and d.blocks_publication] == ([code] if code else [])
