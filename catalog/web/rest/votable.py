"""Rows as a table of the Virtual Observatory: VOTable 1.4, written as the rows come."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from rest_framework import serializers
from rest_framework.utils.encoders import JSONEncoder

from catalog.web.rest.columns import COLUMNS, Column

# What XML cannot hold.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_START = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
)
_END = "</VOTABLE>\n"
_KEY_LENGTH = 36
# Of times that are written as dates, which have no origin.
_DATED = "utc"
# What columns are counted in, by the ID that they refer to. Positions hold at the time of their own row: no epoch.
_SYSTEMS = {
    "icrs": '<COOSYS ID="icrs" system="ICRS"/>',
    _DATED: '<TIMESYS ID="utc" timescale="UTC" refposition="TOPOCENTER"/>',
    "mjd_utc": '<TIMESYS ID="mjd_utc" timeorigin="MJD-origin" timescale="UTC" refposition="TOPOCENTER"/>',
    "mjd_tt": '<TIMESYS ID="mjd_tt" timeorigin="MJD-origin" timescale="TT" refposition="UNKNOWN"/>',
    "bjd_tdb": '<TIMESYS ID="bjd_tdb" timeorigin="JD-origin" timescale="TDB" refposition="BARYCENTER"/>',
}

Field = serializers.Field[object, object, object, object]
Fields = Mapping[str, Field]
Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class _Kind:
    """How a column is written. length : arraysize; "" for single numbers."""

    datatype: str
    length: str = ""
    xtype: str = ""


_TEXT, _WORD, _TIME = _Kind("unicodeChar", "*"), _Kind("char", "*"), _Kind("char", "*", "timestamp")


def head(fields: Fields, description: str = "") -> str:
    """Return what stands before the first row."""
    columns = {name: COLUMNS.get(name, Column("")) for name in fields}
    kinds = {name: _kind(field) for name, field in fields.items()}
    systems = {name: _DATED if kinds[name].xtype else column.system for name, column in columns.items()}
    lines = ['<RESOURCE type="results">']
    lines += [f"<DESCRIPTION>{_xml(description)}</DESCRIPTION>"] if description else []
    lines += ['<INFO name="QUERY_STATUS" value="OK"/>']
    lines += [*(_SYSTEMS[system] for system in dict.fromkeys(systems.values()) if system), "<TABLE>"]
    for name, field in fields.items():
        told = str(field.help_text or columns[name].description)
        lines.append(_field(name, columns[name], kinds[name], systems[name], told))
    return _START + "\n".join([*lines, "<DATA>", "<TABLEDATA>", ""])


def body(fields: Fields, rows: Rows) -> str:
    """Return rows, each a line."""
    return "".join(f"<TR>{''.join([f'<TD>{_cell(row[name])}</TD>' for name in fields])}</TR>\n" for row in rows)


def tail(*, is_cut: bool = False) -> str:
    """Return what stands after the last row. is_cut : there are more of them."""
    overflow = '<INFO name="QUERY_STATUS" value="OVERFLOW"/>\n' if is_cut else ""
    return f"</TABLEDATA>\n</DATA>\n</TABLE>\n{overflow}</RESOURCE>\n{_END}"


def refusal(message: str) -> bytes:
    """Return a VOTable that says what is wrong: Simple Cone Search looks for it at the top, DALI in the resource."""
    text = quoteattr(_NOT_XML.sub("", message))
    return (
        f'{_START}<INFO ID="Error" name="Error" value={text}/>\n<RESOURCE type="results">\n'
        f'<INFO name="QUERY_STATUS" value="ERROR">{_xml(message)}</INFO>\n</RESOURCE>\n{_END}'
    ).encode()


def _field(name: str, column: Column, kind: _Kind, system: str, description: str) -> str:
    told = {
        "name": name, "datatype": kind.datatype, "arraysize": kind.length, "xtype": kind.xtype, "unit": column.unit,
        "ucd": column.ucd, "ref": system,
    }  # fmt: skip
    attributes = " ".join(f"{key}={quoteattr(value)}" for key, value in told.items() if value)
    return f"<FIELD {attributes}><DESCRIPTION>{_xml(description)}</DESCRIPTION></FIELD>"


def _kind(field: Field) -> _Kind:
    if isinstance(field, serializers.FloatField):
        return _Kind("double")
    if isinstance(field, serializers.IntegerField) or _counts(field):
        return _Kind("long")
    if isinstance(field, serializers.BooleanField):
        return _Kind("boolean")
    if isinstance(field, serializers.DateTimeField | serializers.DateField):
        return _TIME
    if isinstance(field, serializers.UUIDField | serializers.PrimaryKeyRelatedField):
        # A missing one is shorter than a key.
        return _Kind("char", f"{_KEY_LENGTH}*" if field.allow_null else str(_KEY_LENGTH))
    return _WORD if isinstance(field, serializers.ChoiceField) else _TEXT


def _counts(field: Field) -> bool:
    """Tell whether a choice is one of numbers."""
    return isinstance(field, serializers.ChoiceField) and all(
        isinstance(one, int) for one in field.choices if one != ""
    )


def _cell(value: object) -> str:
    """Return a value as text; what is missing is an empty cell, of whatever type."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else "NaN" if math.isnan(value) else f"{'+-'[value < 0]}Inf"
    if isinstance(value, int):
        return str(value)
    return _xml(json.dumps(value, cls=JSONEncoder) if isinstance(value, dict | list) else str(value))


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("", text))
