"""Every list as a table of the Virtual Observatory: judged by astropy's validator and by STILTS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from astrid_site.site.api import RESOURCES
from catalog.people import audit
from catalog.web.rest.columns import COLUMNS
from catalog.web.rest.votable import refusal
from curation.alerts.publishing import publish_pending
from tests.clients import client_of
from tests.factories import AlertFactory, PreprocessRunFactory, ProcessingJobFactory, ValidationEventFactory
from tests.rows import rows_of_every_kind
from tests.votables import faults, lint, needs_stilts, table_of

# That there is a test database is told by the tests; what they look at was made once, for all of them.
pytestmark = pytest.mark.django_db

# In the unit that stands in another field, or in that of the data.
WITHOUT_UNIT = {"saturation_level", "background_level", "background_noise", "level", "noise"}
OF_NUMBERS = ("double", "long")


@pytest.fixture(scope="module")
def tables(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, bytes]]:
    """Give every list as a VOTable, by its name, with rows in each."""
    with django_db_blocker.unblock(), transaction.atomic():
        event = ValidationEventFactory(notes="a < b & c, \x07 ü 💫 ]]>")
        AlertFactory(detection=event.detection)
        PreprocessRunFactory()
        ProcessingJobFactory()
        rows_of_every_kind()
        audit.record(event, "look")
        publish_pending()
        client = client_of("administrator")
        answers = {
            view.resource: client.get(f"{reverse(f'api:{view.resource}-list')}?format=votable") for view in RESOURCES
        }
        yield {name: answer.content for name, answer in answers.items()}
        transaction.set_rollback(True)


def test_astropys_validator_finds_nothing_wrong_with_any_list(tables: dict[str, bytes]):
    found = {name: faults(content) for name, content in tables.items()}
    assert {name: report for name, report in found.items() if report} == {}


@needs_stilts
def test_stilts_finds_nothing_wrong_with_any_list_or_refusal(tables: dict[str, bytes], tmp_path: Any):
    assert lint([refusal('RA: "a<b" is no number.'), *tables.values()], tmp_path) == ""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b'datatype="double"', b'datatype="doubel"'),
        (b'ucd="pos.eq.ra;meta.main"', b'ucd="pos.eq.right"'),
        (b'unit="deg"', b'unit="degree(s)"'),
    ],
)
def test_the_validators_tell_a_fault_that_was_planted(
    tables: dict[str, bytes], tmp_path: Any, right: bytes, wrong: bytes
):
    content = tables["detections"].replace(right, wrong, 1)
    assert content != tables["detections"] and faults(content)


@needs_stilts
def test_stilts_tells_faults_that_were_planted(tables: dict[str, bytes], tmp_path: Any):
    content = tables["detections"]
    for right, wrong in ((b'datatype="double"', b'datatype="doubel"'), (b'ref="icrs"', b'ref="nowhere"')):
        content = content.replace(right, wrong, 1)
    told = lint([tables["sources"], content], tmp_path)
    assert "doubel" in told and "nowhere" in told


def test_every_column_has_a_ucd_a_description_and_a_unit_where_it_is_a_quantity(tables: dict[str, bytes]):
    for name, content in tables.items():
        table = table_of(content)
        assert len(table.array), name
        for column in table.fields:
            assert column.ucd and column.description, f"{name}: {column.name} is missing in catalog/web/rest/columns.py"
        quantities = {one.name for one in table.fields if one.unit is None and one.datatype == "double"}
        unitless = {one for one in quantities if COLUMNS[one].ucd.split(".")[0] not in ("stat", "arith", "meta")}
        assert unitless - WITHOUT_UNIT - {"ellipticity", "masked_share", "transparency", "colour_term"} <= set(), name


def test_positions_and_times_say_in_what_they_are_counted(tables: dict[str, bytes]):
    for name, content in tables.items():
        table = table_of(content)
        systems = {column.name: column.ref for column in table.fields if column.ref}
        dated = {column.name for column in table.fields if column.xtype == "timestamp"}
        assert {systems[column] for column in dated} <= {"utc"}, name
        # How long something lasts is counted from nowhere.
        moments = {column.name for column in table.fields if column.unit == "d" and column.ucd != "time.duration"}
        assert moments <= systems.keys() - dated, name
        assert ("ra" in {column.name for column in table.fields}) == (systems.get("ra") == "icrs"), name
    photometry = tables["forced-photometry"].decode()
    assert '<TIMESYS ID="bjd_tdb" timeorigin="JD-origin" timescale="TDB" refposition="BARYCENTER"/>' in photometry
    assert '<TIMESYS ID="mjd_utc" timeorigin="MJD-origin" timescale="UTC" refposition="TOPOCENTER"/>' in photometry
    assert '<COOSYS ID="icrs" system="ICRS"/>' in photometry


def test_keys_are_whole_and_what_is_missing_is_masked(tables: dict[str, bytes]):
    table = table_of(tables["validation-events"])
    kinds = {column.name: (column.datatype, column.arraysize) for column in table.fields}
    assert kinds["id"] == ("char", "36") and kinds["supersedes"] == ("char", "36*")
    assert kinds["notes"] == ("unicodeChar", "*") and kinds["is_valid"] == ("boolean", None)
    read = table.to_table()
    assert len(read["id"][0]) == 36 and read["notes"][0] == "a < b & c,  ü 💫 ]]>"
    for name, column in (("incoming-files", "size_bytes"), ("detections", "validation_confidence")):
        assert table_of(tables[name]).to_table()[column].mask.all(), column
