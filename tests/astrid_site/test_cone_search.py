"""Simple Cone Search 1.1, asked by pyvo and by hand, and counted against great circles."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from django.db import connection, transaction
from django.test import Client

from catalog.models import SystemConfig
from catalog.web.rest import cone_search
from catalog.web.rest.cone_search import CONTENT_TYPE
from detection.models import Source
from tests.clients import account, client_of, token_of
from tests.curation.looks import judge
from tests.factories import DetectionFactory, UserFactory
from tests.votables import faults, lint, needs_stilts, table_of

pytestmark = pytest.mark.django_db

SCS, SOURCES = "/vo/scs/detections", "/vo/scs/sources"
CENTRES = ((0.0, 90.0), (77.0, 89.9999), (0.0, -90.0), (359.9999, 12.0), (0.0, 0.0), (180.0, -45.0))
RADII_DEG = (1 / 3600, 0.01, 1.0, 20.0, 89.9, 179.9, 180.0)


def distance_deg(ra: Any, dec: Any, ra_0: float, dec_0: float) -> Any:
    """Return great-circle distances by the angle between unit vectors, exact at any distance."""
    a, d, a_0, d_0 = (np.radians(value) for value in (ra, dec, ra_0, dec_0))
    one = np.array([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)]).T
    other = np.array([np.cos(d_0) * np.cos(a_0), np.cos(d_0) * np.sin(a_0), np.sin(d_0)])
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(one, other), axis=-1), one @ other))


@pytest.fixture(scope="module")
def sky(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Any, Any]]:
    """Put sources at distances of all sizes around the poles, across RA 0 and elsewhere; give their positions."""
    random = np.random.default_rng(8)
    ra, dec = [], []
    for ra_0, dec_0 in CENTRES:
        far = np.append(10 ** random.uniform(-4.5, 2.25, 60), 0.0).clip(0.0, 179.0)
        turn = random.uniform(0.0, 2 * np.pi, far.size)
        sine = np.sin(np.radians(dec_0)) * np.cos(np.radians(far))
        sine += np.cos(np.radians(dec_0)) * np.sin(np.radians(far)) * np.cos(turn)
        there = np.degrees(np.arcsin(sine.clip(-1.0, 1.0)))
        east = np.sin(turn) * np.sin(np.radians(far)) * np.cos(np.radians(dec_0))
        north = np.cos(np.radians(far)) - np.sin(np.radians(dec_0)) * sine
        ra.append(np.mod(ra_0 + np.degrees(np.arctan2(east, north)), 360.0) % 360.0)
        dec.append(there)
    positions = np.concatenate(ra), np.concatenate(dec)
    with django_db_blocker.unblock(), transaction.atomic():
        Source.objects.bulk_create(
            [Source(ra=a, dec=d, position_error_arcsec=0.1) for a, d in zip(*positions, strict=True)]
        )
        yield positions
        transaction.set_rollback(True)


def asked(client: Client, path: str, **given: object) -> Any:
    """Return the table that an address answers with, read strictly."""
    answer = client.get(path, given)
    assert (answer.status_code, answer["Content-Type"]) == (200, CONTENT_TYPE)
    return table_of(answer.getvalue())


def complaint(answer: Any, status: int = 200) -> str:
    """Return what a refusal says, which is well-formed and says it once at the top."""
    assert (answer.status_code, answer["Content-Type"]) == (status, CONTENT_TYPE)
    content = answer.getvalue()
    assert faults(content) == "" and content.count(b'name="Error"') == 1
    return content.decode().split('name="Error" value=')[1].split("/>")[0]


def test_a_cone_holds_what_great_circles_say_at_the_poles_and_across_ra_0(sky):
    client, differing = client_of("viewer", ["sources:read"]), []
    for ra, dec in CENTRES:
        near = distance_deg(*sky, ra, dec)
        for radius in RADII_DEG:
            table = asked(client, SOURCES, RA=ra, DEC=dec, SR=repr(radius), VERB=1)
            if len(table.array) != np.count_nonzero(near <= radius + 1e-12):
                differing.append((ra, dec, radius))
    assert differing == []


def test_the_answer_is_what_the_standard_asks_for(sky, tmp_path):
    client = client_of("viewer")
    answer = client.get(SOURCES, {"RA": 0, "DEC": 90, "SR": 180, "VERB": 3})
    content = answer.getvalue()
    assert faults(content) == "" and content.count(b'<RESOURCE type="results">') == content.count(b"<TABLE>") == 1
    columns = table_of(content).fields
    for ucd, kind in (
        ("meta.id;meta.main", ("char", "36")),
        ("pos.eq.ra;meta.main", ("double", None)),
        ("pos.eq.dec;meta.main", ("double", None)),
    ):
        assert [(one.datatype, one.arraysize) for one in columns if one.ucd == ucd] == [kind]
    keys = list(table_of(content).array["id"])
    assert len(set(keys)) == len(keys) == sky[0].size and keys == sorted(keys)


@needs_stilts
def test_stilts_finds_nothing_wrong_with_an_answer_a_refusal_or_an_empty_sky(sky, tmp_path):
    client = client_of("viewer")
    DetectionFactory(ra=10.0, dec=20.0)
    queries = ("RA=x&DEC=0&SR=1", "RA=10&DEC=20&SR=1&VERB=3", "RA=10&DEC=20&SR=180&MAXREC=0", "RA=90&DEC=-20&SR=0.0001")
    assert lint([client.get(f"{SCS}?{query}").getvalue() for query in queries], tmp_path) == ""


def test_a_radius_of_0_gives_the_columns_alone_and_an_empty_sky_is_no_error(sky):
    client = client_of("viewer")
    for given in ({"RA": 0, "DEC": 90, "SR": 0}, {"RA": 0, "DEC": 90, "SR": 9, "MAXREC": 0}):
        table = asked(client, SOURCES, **given)
        assert len(table.array) == 0 and {"id", "ra", "dec"} <= {one.name for one in table.fields}
    empty = client.get(SOURCES, {"RA": 271.3, "DEC": 61.7, "SR": 1e-9})
    assert len(table_of(empty.getvalue()).array) == 0 and b"Error" not in empty.getvalue()


def test_names_are_read_in_any_case_and_what_is_not_known_is_no_concern(sky):
    client = client_of("viewer")
    table = asked(client, SOURCES, ra=0, Dec="+90", sR="1e-2", verb=1, runid="x", VERSION="1.1")
    assert len(table.array) == np.count_nonzero(distance_deg(*sky, 0.0, 90.0) <= 0.01)
    assert [one.name for one in table.fields] == ["id", "ra", "dec"]
    few, main, every = (len(asked(client, SOURCES, RA=0, DEC=0, SR=0, VERB=verb).fields) for verb in (1, 2, 3))
    assert few < main < every


def test_no_more_comes_than_was_asked_for_and_that_there_is_more_is_told(sky, monkeypatch):
    monkeypatch.setattr(cone_search, "_CHUNK", 50)
    client, everything = client_of("viewer"), sky[0].size
    for most, is_cut in ((49, True), (50, True), (51, True), (everything - 1, True), (everything, False)):
        answer = client.get(SOURCES, {"RA": 0, "DEC": 0, "SR": 180, "MAXREC": most})
        content = answer.getvalue()
        assert len(table_of(content).array) == most and faults(content) == ""
        assert (b'value="OVERFLOW"' in content) == is_cut
        assert answer.streaming


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "RA: it is missing"),
        ("RA=1&DEC=2", "SR: it is missing"),
        ("RA=x&DEC=2&SR=1", "is no number"),
        ("RA=nan&DEC=2&SR=1", "is no number"),
        ("RA=1_0&DEC=2&SR=1", "is no number"),
        ("RA=1e999&DEC=2&SR=1", "RA: inf is none"),
        ("RA=1e99&DEC=2&SR=1", "RA: 1e+99 is none"),
        ("RA=360&DEC=2&SR=1", "RA: 360 is none"),
        ("RA=-0.1&DEC=2&SR=1", "RA: -0.1 is none"),
        ("RA=1&DEC=-90.1&SR=1", "DEC: -90.1 is none"),
        ("RA=1&DEC=2&SR=-1", "SR: -1 is no radius"),
        ("RA=1&DEC=2&SR=181", "SR: 181 is no radius"),
        ("RA=1&ra=2&DEC=2&SR=1", "RA: give it once"),
        ("RA=1&DEC=2&SR=1&VERB=4", "VERB: give 1"),
        ("RA=1&DEC=2&SR=1&MAXREC=-1", "is no whole number"),
        ("RA=1&DEC=2&SR=1&RESPONSEFORMAT=fits", "there are VOTables only"),
        ("RA=%00%3C&DEC=2&SR=1", "is no number"),
    ],
)
def test_what_cannot_be_read_is_told_in_the_table(query: str, sentence: str):
    told = complaint(client_of("viewer").get(f"{SCS}?{query}"))
    assert sentence in told.replace("'", "").replace("&quot;", "")


def test_the_database_asks_its_index_and_no_table_for_a_small_cone(sky):
    user = account("viewer")
    near = Source.objects.visible_to(user).within([(0.0, 0.0, 60.0)]).order_by("id")[:101]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    plan = near.explain()
    assert "using source_sky" in plan and "Seq Scan" not in plan, plan


def test_whoever_has_no_account_or_no_right_is_told_so_in_a_table():
    query = f"{SCS}?RA=1&DEC=2&SR=1"
    answer = Client().get(query)
    assert answer["WWW-Authenticate"].startswith("Basic ")
    assert "Show a token" in complaint(answer, 401)
    assert "does not have the scope detections:read" in complaint(client_of("viewer", ["alerts:read"]).get(query), 403)
    wrong = base64.b64encode(b"me:astrid_nothing").decode()
    assert "This token is unknown" in complaint(Client(headers={"Authorization": f"Basic {wrong}"}).get(query), 401)
    assert Client().post(SCS).status_code in (401, 405)


def test_a_token_opens_as_a_password_under_any_name_and_a_proxys_password_leaves_the_session():
    query, user = f"{SCS}?RA=1&DEC=2&SR=1", account("viewer")
    basic = base64.b64encode(f"whoever:{token_of(user)}".encode()).decode()
    assert table_of(Client(headers={"Authorization": f"Basic {basic}"}).get(query).getvalue()).fields
    with_session = Client(headers={"Authorization": "Basic " + base64.b64encode(b"proxy:secret").decode()})
    assert with_session.get(query).status_code == 401
    with_session.force_login(user)
    assert with_session.get(query).status_code == 200


def test_a_client_that_asks_too_often_is_told_when_to_come_again(settings):
    settings.ASTRID_API_RATE = "2/h"
    client = client_of("viewer")
    answers = [client.get(SCS, {"RA": 1, "DEC": 2, "SR": 1}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    complaint(answers[-1], 429)
    assert int(answers[-1]["Retry-After"]) > 0


def test_a_blind_curator_sees_no_more_than_in_lists_and_nobody_what_was_injected():
    SystemConfig.objects.create(key="curation.blind", value=True)
    row = DetectionFactory(ra=10.0, dec=20.0)
    DetectionFactory(ra=10.0, dec=20.0, is_injected=True, source=None)
    judge(row, True, person=UserFactory(), label="variable_star")
    where = {"RA": 10, "DEC": 20, "SR": 0.01, "VERB": 3}
    (seen,) = asked(client_of("viewer"), SCS, **where).array
    assert (seen["id"], seen["human_label"]) == (str(row.pk), "variable_star")
    (veiled,) = asked(client_of("curator"), SCS, **where).array
    assert (veiled["human_label"], veiled["status"], veiled["detection_type"]) == ("", "pending", "unknown")
    assert np.isclose(veiled["mjd_utc"], row.observation.mjd_utc, rtol=0.0, atol=1e-9)
