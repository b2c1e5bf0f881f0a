"""What the headers of real instruments come to, beside what their manuals or their programs say."""

from __future__ import annotations

import pytest

from observations.numerics.fits.facts import FitsRefused, FrameFacts, Overrides
from observations.numerics.fits.headers import Reading, read_facts
from observations.numerics.sphere import separation_deg
from tests.observations.numerics.fits.instruments import INSTRUMENTS
from tests.observations.numerics.fits.instruments.record import Instrument

# Fact -> what it may be off: a second of time (written here in seconds), the last digit of what was typed; of all
# other numbers a thousandth.
ABSOLUTE = {
    "mjd_utc": 1.0,
    "site_latitude_deg": 1e-4,
    "site_longitude_deg": 1e-4,
    "site_height_m": 1.0,
    "ccd_temperature_c": 0.01,
    "pedestal_adu": 1e-6,
}
SHARE = 1e-3


_READ: dict[tuple[str, str], FrameFacts] = {}


def read(instrument: Instrument, **given: object) -> FrameFacts:
    """Read a header once for all that is asked of it."""
    key = (instrument.name, repr(given))
    if key not in _READ:
        _READ[key] = _read(instrument, **given)
    return _READ[key]


def _read(instrument: Instrument, **given: object) -> FrameFacts:
    reading = Reading(Overrides(**given), primary=instrument.primary_header())
    return read_facts(instrument.header(), instrument.shape, reading)[0]


def by_name(instruments) -> list:
    return [pytest.param(one, id=one.name) for one in instruments]


@pytest.mark.parametrize(
    ("instrument", "fact"),
    [
        pytest.param(one, fact, id=f"{one.name}: {fact}")
        for one in INSTRUMENTS
        for fact in one.expected
        if fact == "sky" or fact in FrameFacts.__dataclass_fields__
    ],
)
def test_a_fact_is_what_the_manual_says(instrument, fact):
    facts, right = read(instrument, **instrument.given), instrument.expected[fact]
    if fact == "sky":
        ra, dec, within_arcsec = right
        assert facts.ra_deg is not None
        assert separation_deg(facts.ra_deg, facts.dec_deg, ra, dec) * 3600 <= within_arcsec
    elif isinstance(right, float):
        got = getattr(facts, fact)
        assert got is not None
        off = (float(got) - right) * (86400.0 if fact == "mjd_utc" else 1.0)
        assert abs(off) <= instrument.within.get(fact, ABSOLUTE.get(fact, SHARE * abs(right)))
    else:
        assert getattr(facts, fact) == right


@pytest.mark.parametrize("instrument", by_name(one for one in INSTRUMENTS if one.refused))
def test_what_a_header_lacks_is_named(instrument):
    with pytest.raises(FitsRefused) as refused:
        read(instrument)
    assert refused.value.code in instrument.refused.codes
    for name in instrument.refused.names:
        assert name in str(refused.value)


@pytest.mark.parametrize("instrument", by_name(one for one in INSTRUMENTS if not one.refused))
def test_a_header_that_says_enough_is_read(instrument):
    assert read(instrument, **instrument.given).kind == instrument.expected.get("kind", "light")


@pytest.mark.parametrize(
    "instrument",
    by_name(one for one in INSTRUMENTS if one.doubted and "doubts" in FrameFacts.__dataclass_fields__),
)
def test_what_cannot_be_relied_on_is_doubted(instrument):
    doubts = read(instrument, **instrument.given).doubts
    assert set(instrument.doubted) <= {doubt.fact for doubt in doubts}


@pytest.mark.parametrize(
    "instrument", by_name(one for one in INSTRUMENTS if "doubts" in FrameFacts.__dataclass_fields__)
)
def test_nothing_else_stops_a_publication(instrument):
    doubts = read(instrument, **instrument.given).doubts
    assert {d.fact for d in doubts if d.blocks_publication} <= {*instrument.doubted, *instrument.disputed}


def program(instrument: Instrument) -> str:
    """The name of the program without its version: two versions of one are one writer."""
    words = instrument.software.partition(",")[0].split()
    return " ".join(word for word in words if not word[0].isdigit())


def test_many_writers_are_in_the_table_and_most_are_amateurs():
    amateurs = {program(one) for one in INSTRUMENTS if one.is_amateur}
    assert len({program(one) for one in INSTRUMENTS}) >= 25
    assert len(amateurs) >= 15


def test_no_two_headers_have_one_name():
    assert len({one.name for one in INSTRUMENTS}) == len(INSTRUMENTS)


@pytest.mark.parametrize("instrument", by_name(INSTRUMENTS))
def test_every_typed_card_is_a_card(instrument):
    header = instrument.header()
    header.extend(instrument.primary_header() or [])
    for card in header.cards:
        assert len(card.image) % 80 == 0
        assert card.keyword
        assert card.value is not None
