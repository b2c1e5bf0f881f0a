"""Files of alerts: what is damaged is refused by its name, and the rest go on."""

from __future__ import annotations

from pathlib import Path

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detection.numerics.packets.files import Found, Refused, files_under, packets_in
from tests.detection.alert_packets import STAMPS, fits_bytes, lsst, star, write_avro, ztf


def read(path: Path) -> list[Found | Refused]:
    return list(packets_in(path))


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy"])
def test_a_container_of_several_packets_is_read_whatever_its_codec(tmp_path, codec):
    path = write_avro(tmp_path / "three.avro", *(ztf(candid=k) for k in (1, 2, 3)), codec=codec)
    assert [one.packet.key for one in read(path)] == ["1", "2", "3"]


def test_both_surveys_are_told_apart_by_what_their_packets_hold(tmp_path):
    assert [one.packet.survey for one in read(write_avro(tmp_path / "a.avro", ztf()))] == ["ZTF"]
    assert [one.packet.survey for one in read(write_avro(tmp_path / "b.avro", lsst()))] == ["LSST"]


@pytest.mark.parametrize("record", [ztf(), lsst()])
def test_a_table_of_a_broker_is_read_like_the_packets(tmp_path, record):
    path = tmp_path / "table.parquet"
    more = {**record, "a_broker_says": "supernova"}
    pq.write_table(pa.Table.from_pylist([more, more]), path)
    [first, _] = read(path)
    [packet] = read(write_avro(tmp_path / "packet.avro", record))
    np.testing.assert_array_equal(first.packet.stamps, packet.packet.stamps)
    assert first.packet.measured == packet.packet.measured and first.packet.scores == packet.packet.scores


def test_a_packet_that_is_refused_has_its_name_and_the_others_go_on(tmp_path):
    bad = ztf(candid=2, stamps=[b"\xff\xd8\xff"] * 3)
    [first, refused, last] = read(write_avro(tmp_path / "some.avro", ztf(candid=1), bad, ztf(candid=3)))
    assert (first.packet.key, last.packet.key) == ("1", "3")
    assert refused == Refused(
        "some.avro, packet 2 (candid 2)", "`cutoutScience` cannot be read: it is a JPEG picture, not FITS"
    )


def test_a_truncated_file_gives_what_comes_before_the_damage(tmp_path):
    path = write_avro(tmp_path / "cut.avro", *(ztf(candid=k) for k in (1, 2)))
    path.write_bytes(path.read_bytes()[:-5000])
    found = read(path)
    assert isinstance(found[-1], Refused) and "damaged or cut short" in found[-1].reason
    assert found[-1].name.startswith("cut.avro")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\x00\x00\x00\x02\xa4 of the wire, without its schema", "neither an Avro container nor a parquet table"),
        (b"<html>", "neither an Avro container nor a parquet table"),
        (b"Obj\x01 and nothing that follows", "damaged or cut short"),
        (b"PAR1 and nothing that follows", "damaged or cut short"),
    ],
)
def test_what_is_no_file_of_alerts_is_refused(tmp_path, content, reason):
    path = tmp_path / "odd.avro"
    path.write_bytes(content)
    [refused] = read(path)
    assert refused.name == "odd.avro" and reason in refused.reason


def test_packets_of_a_survey_that_nobody_knows_are_refused(tmp_path):
    path = tmp_path / "other.avro"
    schema = {"type": "record", "name": "other", "fields": [{"name": "flux", "type": "double"}]}
    with path.open("wb") as file:
        fastavro.writer(file, schema, [{"flux": 1.0}])
    [refused] = read(path)
    assert "from no survey that is known" in refused.reason
    with path.open("wb") as file:
        fastavro.writer(file, "double", [1.0])
    assert read(path)[0].reason == "it is no record"


def test_damage_anywhere_in_a_file_never_ends_the_import(tmp_path):
    """Bytes turned at random: whatever the libraries make of them, it is a packet or a reason."""
    whole = write_avro(tmp_path / "whole.avro", ztf(), ztf(candid=2), codec="snappy").read_bytes()
    table = tmp_path / "whole.parquet"
    pq.write_table(pa.Table.from_pylist([ztf()]), table)
    rng = np.random.default_rng(11)
    for content in (whole, table.read_bytes()):
        for _ in range(40):
            turned = bytearray(content)
            for place in rng.integers(4, len(turned), 3):
                turned[place] = rng.integers(0, 256)
            path = tmp_path / "turned"
            path.write_bytes(bytes(turned))
            assert all(isinstance(one, Found | Refused) for one in read(path))


def test_a_folder_is_looked_through_for_alerts_alone(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("b.avro", "deep/a.PARQUET", "index.csv"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in files_under(tmp_path)] == ["b.avro", "a.PARQUET"]
    assert files_under(tmp_path / "index.csv") == [tmp_path / "index.csv"]


def test_all_real_packets_are_read_but_those_with_pictures(shared_data):
    folders = ("alerts_ztf_avro", "alerts_fink_parquet", "alerts_rubin_parquet")
    found = [one for folder in folders for path in files_under(shared_data / folder) for one in packets_in(path)]
    refused = [one for one in found if isinstance(one, Refused)]
    assert len(found) == 296 and len(refused) == 6
    assert all("JPEG" in one.reason for one in refused)


def test_cutouts_without_gzip_are_read_too(tmp_path):
    plain = [fits_bytes(star(), is_gzipped=False)] * len(STAMPS)
    [found] = read(write_avro(tmp_path / "plain.avro", ztf(stamps=plain)))
    np.testing.assert_array_equal(found.packet.stamps[0], star())
