"""Cutouts of other surveys' alerts: the same pixels as astropy's, and a reason for what is none."""

from __future__ import annotations

import gzip
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.stamps import read_stamp, write_stamp
from tests.detection.alert_packets import STAMPS, fits_bytes, star


def by_astropy(content: bytes) -> np.ndarray:
    plain = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        return np.array(fits.getdata(io.BytesIO(plain)), dtype=np.float32)


@pytest.mark.parametrize("is_gzipped", [True, False])
def test_a_plain_image_of_floats_is_read_as_it_stands(is_gzipped):
    image = star((43, 63))
    image[0, 0] = np.nan
    found = read_stamp(fits_bytes(image, is_gzipped=is_gzipped, BUNIT="DN"))
    assert found.image.dtype == np.float32 and found.image.flags.writeable and found.unit == "DN"
    np.testing.assert_array_equal(found.image, image)
    assert found.before_first is None


def test_what_is_no_plain_image_of_floats_is_read_by_astropy():
    """Scaled integers with blanks: the values are those that the header means."""
    unit = fits.PrimaryHDU(np.array([[1, 2], [3, -32768]], dtype=np.int16))
    unit.header.update(BSCALE=0.5, BZERO=10.0, BLANK=-32768)
    buffer = io.BytesIO()
    unit.writeto(buffer)
    np.testing.assert_array_equal(
        read_stamp(buffer.getvalue()).image, np.array([[10.5, 11.0], [11.5, np.nan]], dtype=np.float32)
    )
    np.testing.assert_array_equal(read_stamp(fits_bytes(np.eye(3))).image, np.eye(3, dtype=np.float32))


def test_a_written_cutout_is_read_as_it_was_and_is_the_same_bytes_each_time():
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    image[1, 2] = np.nan
    content = write_stamp(image, "difference", {"CRVAL1": 10.0, "CRPIX1": 2.0, "CD1_1": -1e-4})
    np.testing.assert_array_equal(read_stamp(content).image, image)
    assert content == write_stamp(image, "difference", {"CRVAL1": 10.0, "CRPIX1": 2.0, "CD1_1": -1e-4})
    assert b"CTYPE1" not in gzip.decompress(write_stamp(image, "difference", None)), "no place that nobody knows"


def test_the_corner_in_the_frame_is_told():
    assert read_stamp(fits_bytes(star(), CUTMINX=3794, CUTMINY=3607)).before_first == (3794, 3607)


def bomb() -> bytes:
    return gzip.compress(b"SIMPLE  =" + b" " * 20_000_000, mtime=0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xd8\xff\xe0 a picture", "a JPEG picture"),
        (b"hello", "no FITS image"),
        (gzip.compress(b"hello", mtime=0), "no FITS image"),
        (fits_bytes(star())[:500], "ends too early"),
        (b"\x1f\x8b" + b"\0" * 50, "is damaged"),
        (fits_bytes(star(), is_gzipped=False)[:4000], "shorter than its header says"),
        (fits_bytes(star(), is_gzipped=False)[:200], "no whole header"),
        (bomb(), "unpacks to more than"),
        (fits_bytes(np.zeros((2, 2000), np.float32)), "is no cutout"),
        (fits_bytes(np.zeros((2, 2, 2), np.float32)), "no image of two axes"),
    ],
)
def test_what_is_no_cutout_is_refused_with_the_reason(content, reason):
    with pytest.raises(FitsRefused, match=reason):
        read_stamp(content)


def real_stamps(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted((folder / "alerts_ztf_avro").glob("*.avro")):
        with path.open("rb") as file:
            packets: list[Any] = list(fastavro.reader(file))
        yield from ((path.name, packet[name]["stampData"]) for packet in packets for name in STAMPS)
    for path in sorted([*folder.glob("alerts_fink_parquet/*"), *folder.glob("alerts_rubin_parquet/*")]):
        for packet in pq.read_table(path, columns=[*STAMPS]).to_pylist():
            for name in STAMPS:
                found = packet[name]
                yield path.name, found if isinstance(found, bytes) else found["stampData"]


def test_all_real_cutouts_have_astropys_pixels(shared_data):
    seen = 0
    for name, content in real_stamps(shared_data):
        if content.startswith(b"\xff\xd8"):
            continue  # Packets that somebody made with pictures.
        np.testing.assert_array_equal(read_stamp(content).image, by_astropy(content), err_msg=name)
        seen += 1
    assert seen > 800
