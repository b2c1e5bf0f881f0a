"""Rows as a table of the Virtual Observatory."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from rest_framework import serializers
from rest_framework.utils.encoders import JSONEncoder

if TYPE_CHECKING:
    from astropy.table import MaskedColumn

# What XML cannot hold.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UCDS = {"id": "meta.id;meta.main", "ra": "pos.eq.ra;meta.main", "dec": "pos.eq.dec;meta.main"}
_UNITS = {"ra": "deg", "dec": "deg"}
_KEY_LENGTH = 36


Field = serializers.Field[object, object, object, object]
Fields = Mapping[str, Field]


def votable(fields: Fields, rows: Sequence[Mapping[str, object]]) -> bytes:
    """Return rows as a VOTable; `fields` are the serializer's, by the name of their column."""
    # Loaded when the first is asked for: the web server starts half a second sooner.
    from astropy.io.votable import from_table
    from astropy.table import Table

    document = from_table(Table([_column(name, field, rows) for name, field in fields.items()]))
    document.resources[0].type = "results"
    for column in document.get_first_table().fields:
        column.ucd = _UCDS.get(column.name)
    buffer = io.BytesIO()
    document.to_xml(buffer, tabledata_format="tabledata")
    return buffer.getvalue()


def _column(name: str, field: Field, rows: Sequence[Mapping[str, object]]) -> MaskedColumn:
    from astropy.table import MaskedColumn

    values = [row[name] for row in rows]
    missing = [value is None for value in values]
    kind, filler = _kind(field)
    filled = [filler if value is None else value for value in values]
    if kind.startswith(("S", "U")):
        texts = [_text(value) for value in filled]
        kind = kind if kind != "U" else f"U{max(map(len, texts), default=1) or 1}"
        filled = [*texts]
    return MaskedColumn(
        np.array(filled, dtype=kind),
        name=name,
        mask=missing,
        unit=_UNITS.get(name),
        description=str(field.help_text or "") or None,
    )


def _kind(field: Field) -> tuple[str, object]:
    """Return the type of a column and what stands for a missing value in it."""
    if isinstance(field, serializers.FloatField):
        return "f8", math.nan
    if isinstance(field, serializers.IntegerField):
        return "i8", 0
    if isinstance(field, serializers.BooleanField):
        return "?", False
    if isinstance(field, serializers.UUIDField | serializers.PrimaryKeyRelatedField):
        return f"S{_KEY_LENGTH}", ""
    return "U", ""


def _text(value: object) -> str:
    text = json.dumps(value, cls=JSONEncoder) if isinstance(value, dict | list) else str(value)
    return _NOT_XML.sub("", text)
