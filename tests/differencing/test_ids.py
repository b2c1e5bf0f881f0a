"""Keys of what work is about."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

from differencing.ids import field_and_night, field_night


def test_the_key_of_a_field_and_night_is_read_back():
    field_id, night = uuid4(), dt.date(2024, 2, 29)
    assert field_and_night(field_night(field_id, night)) == (field_id, night)
