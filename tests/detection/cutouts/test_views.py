"""Cutouts of detections as pictures."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from catalog.files import storage
from detection.models import Detection
from tests.browsers import staff_of
from tests.factories import DetectionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return staff_of("viewer")


def write_cutouts(path: str, level: float = 0.0) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.full((4, 63, 63), level, dtype=np.float32))
    storage.write_atomically(path, buffer.getvalue())


def picture(client: Client, row: Detection, query: str = "", **headers: str) -> Any:
    return client.get(f"/detections/{row.pk}/cutouts.png{query}", headers=headers)


def test_cutouts_are_pictures_of_the_size_that_is_asked_for(client: Client, empty_data_root: Path):
    row = DetectionFactory(cutouts_path="cutouts/a.npy")
    write_cutouts(row.cutouts_path)
    for query, size in (("?small", (254, 82)), ("", (575, 189)), ("?part=difference", (378, 378))):
        answer = picture(client, row, query)
        assert answer["Content-Type"] == "image/png"
        assert Image.open(io.BytesIO(answer.content)).size == size
        assert answer["Cache-Control"].startswith("private")


def test_cutouts_are_sent_again_only_when_they_were_written_anew(client: Client, empty_data_root: Path):
    row = DetectionFactory(cutouts_path="cutouts/a.npy")
    write_cutouts(row.cutouts_path)
    known = picture(client, row)["ETag"]
    again = picture(client, row, **{"if-none-match": known})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", known)
    write_cutouts(row.cutouts_path, level=5.0)
    assert picture(client, row, **{"if-none-match": known}).status_code == 200


def test_programs_get_the_stored_file_as_it_is(client: Client, empty_data_root: Path):
    row = DetectionFactory(cutouts_path="cutouts/a.npy")
    write_cutouts(row.cutouts_path, level=1.0 / 3.0)
    answer = client.get(f"/detections/{row.pk}/pixels")
    assert answer.content == storage.open_stored(row.cutouts_path).read_bytes()
    assert np.load(io.BytesIO(answer.content)).shape == (4, 63, 63)


def test_missing_and_damaged_cutouts_are_not_found(client: Client, empty_data_root: Path):
    gone, none = DetectionFactory(cutouts_path="cutouts/gone.npy"), DetectionFactory()
    damaged, outside = DetectionFactory(cutouts_path="cutouts/bad.npy"), DetectionFactory(cutouts_path="../secret")
    storage.write_atomically(damaged.cutouts_path, b"no array")
    for row in (gone, none, damaged, outside):
        assert picture(client, row).status_code == 404
    write_cutouts("cutouts/gone.npy")
    assert picture(client, gone, "?part=everything").status_code == 404
