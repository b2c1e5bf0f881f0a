"""The pixels of an object's epochs, as pages fetch them: one answer, packed, kept by browsers."""

from __future__ import annotations

import gzip
import json
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from astropy.wcs import WCS
from django.test import Client

from catalog.files import storage
from detection.cutouts.epochs import MASKED, MOST_EPOCHS, SATURATED, address_of
from detection.cutouts.pictures import version_of
from detection.models import Detection
from observations.numerics.fits.products import encode_image
from tests.browsers import staff_of
from tests.curation.cutouts import SIZE, cutouts, detection_with_cutouts, store
from tests.detection.numerics.test_packing import Packed, unpacked
from tests.factories import CandidateFactory, DetectionFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


@pytest.fixture
def client() -> Client:
    return staff_of("viewer")


def address(*rows: Detection) -> str:
    return address_of([(row.pk, version_of(row.cutouts_path)) for row in rows])


def read(body: bytes) -> list[dict[str, Any]]:
    """Read an answer as the browser does; the planes come as images."""
    head, _, rest = body.partition(b"\n")
    told: list[dict[str, Any]] = json.loads(head)["epochs"]
    for epoch in told:
        if "fault" in epoch:
            continue
        size = epoch["size"]
        for name, numbers in epoch["images"].items():
            epoch["images"][name] = unpacked(Packed(*numbers, rest[: 2 * size**2]), size)
            rest = rest[2 * size**2 :]
        if epoch["has_mask"]:
            epoch["mask"], rest = np.frombuffer(rest[: size**2], np.uint8).reshape(size, size), rest[size**2 :]
    assert rest == b"", "nothing is sent that nothing tells of"
    return told


def epochs(client: Client, *rows: Detection) -> list[dict[str, Any]]:
    answer = client.get(address(*rows))
    assert answer.status_code == 200
    return read(answer.content)


def test_the_leading_epoch_comes_whole_and_of_the_others_what_the_strip_shows(client: Client):
    rows = [detection_with_cutouts(seed) for seed in range(3)]
    told = epochs(client, *rows)
    assert [epoch["id"] for epoch in told] == [str(row.pk) for row in rows]
    assert [list(epoch["images"]) for epoch in told] == [
        ["science", "reference", "difference"], ["science", "difference"], ["science", "difference"],
    ]  # fmt: skip
    for seed, epoch in enumerate(told):
        stamps = dict(zip(("science", "reference", "difference"), cutouts(seed), strict=False))
        for name, image in epoch["images"].items():
            noise = {"science": 12.0, "reference": 5.0, "difference": 13.0}[name]
            np.testing.assert_allclose(image, stamps[name], rtol=1e-3, atol=0.01 * noise, equal_nan=True)
        assert ((epoch["mask"] > 0) == (cutouts(seed)[3] > 0)).all()


def test_an_epoch_whose_file_is_gone_says_so_and_the_others_still_come(client: Client):
    there, gone = detection_with_cutouts(1), DetectionFactory(cutouts_path="cutouts/gone.npy")
    damaged = DetectionFactory(cutouts_path="cutouts/bad.npy")
    storage.write_atomically(damaged.cutouts_path, b"no array")
    told = epochs(client, gone, there, damaged)
    assert "no longer stored" in told[0]["fault"]
    assert told[1]["images"].keys() == {"science", "difference"}
    assert "cannot be read" in told[2]["fault"]


def test_a_key_that_names_nothing_leads_nowhere_and_tells_nothing(client: Client):
    row, stranger = detection_with_cutouts(1), uuid4()
    named = address_of([(row.pk, None), (stranger, None)])
    assert "no longer stored" in read(client.get(named).content)[1]["fault"]
    assert client.get(address_of([(stranger, None), (row.pk, None)])).status_code == 404
    for wrong in ("", "epochs=", "epochs=x", f"epochs={','.join(uuid4().hex for _ in range(MOST_EPOCHS + 1))}"):
        assert client.get(f"/detections/pixels?{wrong}").status_code == 400, wrong


def test_the_pixels_are_those_of_who_may_see_detections():
    named = address(detection_with_cutouts(1))
    somebody = Client()
    assert somebody.get(named).status_code == 302
    somebody.force_login(UserFactory())
    assert somebody.get(named).status_code == 403


def test_browsers_keep_the_answer_until_one_of_the_files_is_written_anew(client: Client):
    rows = [detection_with_cutouts(seed) for seed in range(2)]
    named = address(*rows)
    first = client.get(named)
    assert first["Cache-Control"] == "private, max-age=31536000, immutable"
    again = client.get(named, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = address_of([(row.pk, None) for row in rows])
    assert client.get(plain)["Cache-Control"] == "private, no-cache"
    store(rows[1], cutouts(5)[:, :-1, :-1])
    later = client.get(named, headers={"If-None-Match": first["ETag"]})
    assert (later.status_code, later["Cache-Control"]) == (200, "private, no-cache")
    assert read(later.content)[1]["size"] == SIZE - 1
    assert client.get(address(*rows))["Cache-Control"].endswith("immutable")
    storage.remove(rows[1].cutouts_path)
    assert client.get(address(*rows))["Cache-Control"] == "private, no-cache", "it may come back"


def test_five_epochs_take_less_than_one_file(client: Client):
    rows = [detection_with_cutouts(seed) for seed in range(5)]
    packed = client.get(address(*rows), headers={"Accept-Encoding": "gzip, br"})
    plain = client.get(address(*rows))
    assert packed["Content-Encoding"] == "gzip"
    assert packed["ETag"] != plain["ETag"]
    assert "Accept-Encoding" in packed["Vary"] and "Accept-Encoding" in plain["Vary"]
    assert not plain.has_header("Content-Encoding")
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < storage.open_stored(rows[0].cutouts_path).stat().st_size


WCS_OF_FRAMES = WCS(naxis=2)
WCS_OF_FRAMES.wcs.ctype = ["RA---TAN", "DEC--TAN"]
WCS_OF_FRAMES.wcs.crval, WCS_OF_FRAMES.wcs.crpix = [150.0, 2.0], [101.0, 91.0]
WCS_OF_FRAMES.wcs.cd = np.array([[-2.9e-4, 1.2e-4], [1.2e-4, 2.9e-4]])


def frame(name: str, bits: np.ndarray, x: float, y: float) -> Detection:
    """Return a detection at a place of a difference image with these bits as its mask."""
    image = encode_image(np.zeros(bits.shape, np.float32), wcs=WCS_OF_FRAMES, extra=[("MASK", bits)])
    path = storage.write_atomically(name, image)
    ra, dec = WCS_OF_FRAMES.all_pix2world(x, y, 0)
    candidate = CandidateFactory(
        difference_run__difference_image_path=path, pixel_x=x, pixel_y=y, ra=float(ra), dec=float(dec)
    )
    row: Detection = DetectionFactory(candidate=candidate)
    return row


@pytest.mark.parametrize(("x", "y"), [(70.2, 60.7), (3.0, 117.6)])
def test_saturated_pixels_are_told_apart_from_masked_ones(client: Client, x: float, y: float):
    bits = np.zeros((120, 100), dtype=np.uint8)
    bits[55:58, 66:75] = bits[110:118, 1:4] = 1
    bits[56, 68:70] = bits[115, 2] = 1 | 2
    row = frame("saturated.fits", bits, x=x, y=y)
    stamps = cutouts(1)
    left, bottom = round(x) - SIZE // 2, round(y) - SIZE // 2
    expected = np.full((SIZE, SIZE), MASKED, dtype=np.uint8)
    for j in range(SIZE):
        for i in range(SIZE):
            if 0 <= bottom + j < 120 and 0 <= left + i < 100:
                expected[j, i] = (0, MASKED, 2, MASKED | SATURATED)[bits[bottom + j, left + i]]
    stamps[3] = expected > 0
    store(row, stamps)
    assert (epochs(client, row)[0]["mask"] == expected).all()
    assert (expected & SATURATED).any()
    storage.remove("saturated.fits")
    assert (epochs(client, row)[0]["mask"] == (expected > 0) * MASKED).all(), "without the image nobody knows"


def test_where_nothing_is_bad_no_mask_is_sent(client: Client):
    row, stamps = DetectionFactory(), cutouts(1)
    stamps[3] = 0.0
    store(row, stamps)
    assert not epochs(client, row)[0]["has_mask"]


def test_positions_in_a_cutout_are_those_of_its_frame(client: Client):
    row = frame("sky.fits", np.zeros((120, 100), dtype=np.uint8), x=70.2, y=60.7)
    store(row, cutouts(1))
    cards = epochs(client, row)[0]["wcs"]
    local = WCS({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", **cards})
    x0, y0 = round(70.2) - SIZE // 2, round(60.7) - SIZE // 2
    for x, y in ((0, 0), (62, 0), (31, 31), (10, 62)):
        apart = local.pixel_to_world(x, y).separation(WCS_OF_FRAMES.pixel_to_world(x + x0, y + y0)).arcsec
        assert apart < 1e-3, (x, y)


def test_a_nominal_position_has_no_coordinates_under_the_pointer(client: Client):
    row = frame("nominal.fits", np.zeros((120, 100), dtype=np.uint8), x=70.2, y=60.7)
    store(row, cutouts(1))
    row.observation.wcs_quality = "nominal"
    row.observation.save()
    assert epochs(client, row)[0]["wcs"] is None


def test_the_number_of_queries_does_not_grow_with_epochs(client: Client, django_assert_num_queries):
    rows = [detection_with_cutouts(seed) for seed in range(6)]
    with django_assert_num_queries(3):
        client.get(address(*rows[:1]))
    with django_assert_num_queries(3):
        client.get(address(*rows))
