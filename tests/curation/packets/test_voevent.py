"""Packets as VOEvents and under GCN's names: read by a library that we did not write."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import voeventparse as vp

from curation.packets.facts import CiteFacts, as_record
from curation.packets.gcn import gcn_of
from curation.packets.voevent import NAMESPACE, voevent_of
from tests.curation.packets.scene import made_up

IVORN = "ivo://astrid.example.org/astrid#123"


def read(is_bare: bool = False, **given: Any) -> Any:
    """Return a packet's VOEvent as the library reads it, valid by the IVOA's schema."""
    content = voevent_of(
        as_record(made_up(is_bare=is_bare, **{"role": "observation", "ivorn": IVORN, "cites": (), **given}))
    )
    event = vp.loads(content)
    vp.assert_valid_as_v2_0(event)
    assert vp.valid_as_v2_0(event)
    return event


@pytest.mark.parametrize("is_bare", [False, True])
def test_a_voevent_is_valid_whatever_is_known(is_bare: bool):
    event = read(is_bare=is_bare)
    assert (event.get("role"), event.get("ivorn")) == ("observation", IVORN)
    assert str(event.Who.AuthorIVORN) == "ivo://astrid.example.org/astrid"
    assert event.find("Citations") is None
    assert (event.find(".//Position2D") is None) == is_bare, "the schema has no position without an error"
    assert vp.get_grouped_params(event)["source"]["ra"]["value"] == "1.5"


def test_its_place_time_and_numbers_are_read_as_they_are():
    event = read()
    place = vp.get_event_position(event)
    assert (place.ra, place.dec, place.system, place.units) == (1.5, 1.5, "UTC-ICRS-TOPO", "deg")
    assert place.err == pytest.approx(1.5 / 3600.0)
    assert vp.get_event_time_as_utc(event) == dt.datetime(2024, 3, 1, 21, 30, tzinfo=dt.UTC)
    groups = vp.get_grouped_params(event)
    assert groups["detection"]["mag"]["value"] == "1.5"
    assert groups["detection"]["psfFlux"]["unit"] == "nJy"
    assert groups["motion"]["rateArcsecPerMin"]["unit"] == "arcsec/min"
    assert vp.get_toplevel_params(event)["alertId"]["value"] == "7"


@pytest.mark.parametrize(("kind", "cite"), [("update", "supersedes"), ("retraction", "retraction")])
def test_what_is_superseded_or_retracted_is_cited_by_its_name(kind: str, cite: str):
    cites = tuple(made_up(CiteFacts, cite=cite, ivorn=f"ivo://astrid.example.org/astrid#{n}") for n in (1, 2))
    event = read(kind=kind, cites=cites)
    told = [(str(each), each.get("cite")) for each in event.Citations.EventIVORN]
    assert told == [(f"ivo://astrid.example.org/astrid#{n}", cite) for n in (1, 2)]


def test_simulated_frames_make_test_events():
    assert read(role="test").get("role") == "test"


def test_letters_that_xml_cannot_hold_are_left_out_and_others_stay():
    event = read(message="a\x00b\x1b <&> ü", title="\ud7ff]]>")
    assert str(event.Description) == "ab <&> ü"


@pytest.mark.parametrize(
    ("stands", "planted"),
    [
        # Without a role the schema takes an event for an observation: ours always has one.
        (b' role="observation"', b' role="rumour"'),
        (b' ivorn="ivo://astrid.example.org/astrid#123"', b""),
        (b' version="2.0"', b' version="2.1"'),
        (b"<Error2Radius>", b"<Error2Radius>about "),
        (b' cite="words"', b' cite="replaces"'),
        (b"<C1>1.5</C1>", b"<C1>east</C1>"),
        (NAMESPACE.encode(), b"http://www.ivoa.net/xml/VOEvent/v2.1"),
    ],
)
def test_the_validator_refuses_planted_faults(stands: bytes, planted: bytes):
    sound = voevent_of(as_record(made_up(role="observation", ivorn=IVORN)))
    assert stands in sound
    sound = sound.replace(b' cite="words"', b' cite="followup"') if stands != b' cite="words"' else sound
    event = vp.loads(sound.replace(stands, planted), check_version=False)
    assert not vp.valid_as_v2_0(event)


def test_gcns_names_are_told_with_their_types_and_what_is_not_known_is_left_out():
    told = gcn_of(as_record(made_up(role="test", kind="retraction")))
    assert (told["alert_type"], told["alert_tense"]) == ("retraction", "test")
    assert told["id"] == ["7", "00000000-0000-0000-0000-000000000007"]
    assert (told["ra"], told["dec"]) == (1.5, 1.5)
    assert told["ra_dec_error"] == pytest.approx(1.5 / 3600.0)
    assert told["containment_probability"] == pytest.approx(0.3935, abs=1e-4), "one sigma in each of two axes"
    assert (told["observation_start"], told["observation_stop"]) == (
        "2024-03-01T21:29:59.250000Z", "2024-03-01T21:30:00.750000Z",
    )  # fmt: skip
    bare = gcn_of(as_record(made_up(is_bare=True, kind="new", role="observation")))
    assert None not in bare.values()
    assert (bare["alert_type"], bare["alert_tense"]) == ("initial", "current")
    assert not {"mag", "mag_system", "ra_dec_error", "observation_start", "instrument"} & bare.keys()


def test_a_magnitude_of_no_system_is_not_told_to_gcn_where_it_would_be_taken_for_ab():
    record = as_record(made_up())
    unknown = {**record, "detection": {**record["detection"], "magSystem": None}}
    assert gcn_of(record)["mag"] == 1.5
    assert "mag" not in gcn_of(unknown)
