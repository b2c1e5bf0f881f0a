from __future__ import annotations

import pytest

from tests.curation.packets.scene import alerted, avro_of, plainly_read, published

pytestmark = pytest.mark.django_db


def test_x(empty_data_root):
    row = alerted()
    content = avro_of(published(row))
    record = plainly_read(content)
    import pprint
    for k in list(record):
        if k.startswith("cutout"):
            record[k]["stampData"] = len(record[k]["stampData"])
    pprint.pprint(record, width=160)
    print(len(content))
    assert 0
