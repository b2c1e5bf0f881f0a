"""The schemas of packets: what was released stays, and files of any version are read with any other."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import io
import json
import types
import typing
from typing import Any

import fastavro
import pytest
from fastavro.read import SchemaResolutionError

from curation.packets.avro import SCHEMAS, encode, schema_of
from curation.packets.facts import SCHEMA_VERSION, PacketFacts, as_record, spelled
from tests.curation.packets.scene import made_up, plainly_read

# Of each version that was released. A change of one of these files breaks every reader that has kept it: add a version.
RELEASED = {"1.0": "59ca8990d24dd2dab22473229bcde9482dc51db3756a5a2b5a0818db2860c24d"}
RECORDS = [as_record(made_up()), as_record(made_up(is_bare=True))]


def versions() -> list[str]:
    return [path.stem.removeprefix("astrid.alert.v").replace("_", ".") for path in sorted(SCHEMAS.glob("*.avsc"))]


def test_a_released_schema_never_changes():
    kept = {version: hashlib.sha256(json.dumps(schema_of(version)).encode()).hexdigest() for version in versions()}
    assert kept == RELEASED
    assert SCHEMA_VERSION in RELEASED


def test_plain_fastavro_loads_the_schema_and_each_record_has_its_words():
    path = SCHEMAS / f"astrid.alert.v{SCHEMA_VERSION.replace('.', '_')}.avsc"
    loaded: Any = fastavro.schema.load_schema(path)
    assert (loaded["name"], loaded["version"]) == ("astrid.alert.Alert", SCHEMA_VERSION)


def test_the_schema_and_the_facts_name_the_same():
    named: dict[str, Any] = {}

    def walk(schema: Any, kind: Any) -> None:
        if isinstance(schema, str):
            schema = named.get(schema, schema)
        if isinstance(schema, list):
            schema, kind = schema[1], typing.get_args(kind)[0]
            return walk(schema, kind)
        if isinstance(schema, dict) and schema["type"] == "array":
            return walk(schema["items"], typing.get_args(kind)[0])
        if not isinstance(schema, dict) or schema["type"] != "record":
            assert not dataclasses.is_dataclass(kind), schema
            return None
        named[schema["name"]] = schema
        hints = typing.get_type_hints(kind)
        fields = {field["name"]: field for field in schema["fields"]}
        assert list(fields) == [spelled(entry.name) for entry in dataclasses.fields(kind)], schema["name"]
        for name, hint in hints.items():
            field = fields[spelled(name)]
            may_be_null = typing.get_origin(hint) is types.UnionType
            assert (isinstance(field["type"], list) and field["type"][0] == "null") == may_be_null, name
            # What may be null may one day be left out: it has a default from the first version on.
            assert ("default" in field) == may_be_null, name
            walk(field["type"], hint)
        return None

    walk(schema_of(SCHEMA_VERSION), PacketFacts)


def check_compatible(written: Any, read: Any) -> None:
    """Check that what was written with one schema is read with another."""
    for record in RECORDS:
        buffer = io.BytesIO()
        fastavro.writer(buffer, fastavro.parse_schema(copy.deepcopy(written)), [record])
        buffer.seek(0)
        [_] = fastavro.reader(buffer, reader_schema=fastavro.parse_schema(copy.deepcopy(read)))


def later() -> Any:
    """Return the schema as a next version may have it: one field more, in a record within as well."""
    schema = copy.deepcopy(schema_of(SCHEMA_VERSION))
    more = {"name": "hostRedshift", "type": ["null", "double"], "default": None}
    schema["version"] = "1.1"
    schema["fields"].append(more)
    next(field for field in schema["fields"] if field["name"] == "source")["type"]["fields"].append(more)
    return schema


@pytest.mark.parametrize("other", [*versions(), "later"])
@pytest.mark.parametrize("one", versions())
def test_files_of_each_version_are_read_with_each_other_and_with_a_later_one(one: str, other: str):
    schemas = schema_of(one), later() if other == "later" else schema_of(other)
    check_compatible(*schemas)
    check_compatible(*reversed(schemas))


def without_a_default(schema: Any) -> None:
    schema["fields"].append({"name": "hostRedshift", "type": "double"})


def of_another_type(schema: Any) -> None:
    next(field for field in schema["fields"] if field["name"] == "alertId")["type"] = "string"


def under_another_name(schema: Any) -> None:
    next(field for field in schema["fields"] if field["name"] == "role")["name"] = "kindOfData"


@pytest.mark.parametrize("change", [without_a_default, of_another_type, under_another_name])
def test_a_change_that_breaks_readers_is_noticed(change: Any):
    changed = copy.deepcopy(schema_of(SCHEMA_VERSION))
    change(changed)
    with pytest.raises(SchemaResolutionError):
        check_compatible(schema_of(SCHEMA_VERSION), changed)


def test_a_container_is_read_by_plain_fastavro_and_one_that_is_cut_off_or_damaged_is_refused():
    container = encode(made_up())
    assert plainly_read(container.content) == RECORDS[0]
    for broken in (
        container.content[:-40],
        container.content[: container.header_bytes + 30],
        container.content[:-16] + bytes(16),
        container.content[:100],
    ):
        with pytest.raises((ValueError, EOFError)):
            plainly_read(broken)


def test_a_record_that_does_not_fit_the_schema_is_never_written():
    with pytest.raises((ValueError, TypeError), match="sequence"):
        encode(made_up(sequence="first"))
