"""Rows as Apache Parquet, a group of rows at a time: types as in the database, with units and UCDs in the schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rest_framework import serializers

from catalog.web.rest.columns import COLUMNS, Column
from catalog.web.rest.tables import Row, as_json_bytes
from catalog.web.rest.votable import Field, Fields

if TYPE_CHECKING:
    import pyarrow


class ParquetTable:
    """Keys are texts, what is nested is JSON, times are in UTC to the microsecond; what is missing is null."""

    def __init__(self, fields: Fields) -> None:
        # Loaded when the first is asked for: it takes a third of a second and 50 MB.
        from pyarrow import parquet

        self._sent = _Sent()
        self._schema = _schema(fields)
        self._writer = parquet.ParquetWriter(self._sent, self._schema, compression="zstd")

    def begin(self) -> bytes:
        return self._sent.taken()

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Write one group of rows."""
        import pyarrow

        if rows:
            columns = [[_value(row[entry.name], entry.type) for row in rows] for entry in self._schema]
            arrays = [
                pyarrow.array(column, type=entry.type) for column, entry in zip(columns, self._schema, strict=True)
            ]
            self._writer.write_table(pyarrow.Table.from_arrays(arrays, schema=self._schema))
        return self._sent.taken()

    def end(self) -> bytes:
        self._writer.close()
        return self._sent.taken()


class _Sent:
    """A file that keeps nothing but what was written to it since it was asked last."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 0

    def write(self, content: bytes) -> int:
        self._parts.append(bytes(content))
        self._at += len(content)
        return len(content)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        """Have nothing to do."""

    def close(self) -> None:
        """Stay readable."""

    def taken(self) -> bytes:
        content = b"".join(self._parts)
        self._parts.clear()
        return content


def _schema(fields: Fields) -> pyarrow.Schema:
    import pyarrow

    return pyarrow.schema([_entry(name, field) for name, field in fields.items()])


def _entry(name: str, field: Field) -> pyarrow.Field:
    import pyarrow

    column = COLUMNS.get(name, Column(""))
    said = {"unit": column.unit, "ucd": column.ucd, "description": str(field.help_text or column.description)}
    return pyarrow.field(name, _type(field), metadata={key: text for key, text in said.items() if text})


def _type(field: Field) -> pyarrow.DataType:
    import pyarrow

    if isinstance(field, serializers.FloatField):
        return pyarrow.float64()
    if isinstance(field, serializers.IntegerField):
        return pyarrow.int64()
    if isinstance(field, serializers.BooleanField):
        return pyarrow.bool_()
    if isinstance(field, serializers.DateTimeField):
        return pyarrow.timestamp("us", tz="UTC")
    return pyarrow.date32() if isinstance(field, serializers.DateField) else pyarrow.string()


def _value(value: object, kind: pyarrow.DataType) -> object:
    import pyarrow

    if value is None or kind != pyarrow.string():
        return value
    return as_json_bytes(value).decode() if isinstance(value, dict | list | tuple) else str(value)
