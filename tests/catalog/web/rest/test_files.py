"""The files of rows by token: whole, in parts, and only for who may have their pixels."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.configuration.values import set_value
from catalog.files import storage
from catalog.people.audit import MACHINE
from tests.clients import client_of
from tests.factories import DifferenceRunFactory

pytestmark = pytest.mark.django_db
CONTENT = bytes(range(256)) * 4


@pytest.fixture
def address(empty_data_root: Any) -> str:
    path = storage.write_atomically("products/difference.fits", CONTENT)
    row = DifferenceRunFactory(difference_image_path=path)
    return f"/api/v1/difference-runs/{row.pk}/files/difference.fits/"


def body(answer: Any) -> bytes:
    return b"".join(answer)


def test_a_file_is_given_whole_with_its_size_and_not_again_to_who_has_it(address: str):
    client = client_of("viewer")
    answer = client.get(address)
    assert (answer.status_code, body(answer)) == (200, CONTENT)
    assert (answer["Content-Type"], answer["Content-Length"]) == ("application/fits", "1024")
    again = client.get(address, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("asked", "expected", "told"),
    [
        ("bytes=0-9", CONTENT[:10], "bytes 0-9/1024"),
        ("bytes=1000-", CONTENT[1000:], "bytes 1000-1023/1024"),
        ("bytes=1000-5000", CONTENT[1000:], "bytes 1000-1023/1024"),
        ("bytes=-4", CONTENT[-4:], "bytes 1020-1023/1024"),
        ("bytes=-5000", CONTENT, "bytes 0-1023/1024"),
        ("bytes=0-", CONTENT, "bytes 0-1023/1024"),
        ("bytes=0-1,5-6", CONTENT, None),
        ("lines=1-2", CONTENT, None),
        ("bytes=9-2", CONTENT, None),
        ("bytes=-", CONTENT, None),
    ],
)
def test_a_download_that_broke_off_goes_on_where_it_was(address: str, asked: str, expected: bytes, told: str | None):
    answer = client_of("viewer").get(address, headers={"Range": asked})
    assert (answer.status_code, body(answer), answer.get("Content-Range")) == (206 if told else 200, expected, told)


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=-0"])
def test_a_part_that_is_not_there_is_refused(address: str, asked: str):
    answer = client_of("viewer").get(address, headers={"Range": asked})
    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */1024")


def test_a_part_of_a_file_that_has_changed_is_the_whole_new_one(address: str):
    client = client_of("viewer")
    tag = client.get(address)["ETag"]
    assert client.get(address, headers={"Range": "bytes=0-9", "If-Range": tag}).status_code == 206
    storage.write_atomically("products/difference.fits", CONTENT[:100])
    answer = client.get(address, headers={"Range": "bytes=0-9", "If-Range": tag})
    assert (answer.status_code, body(answer)) == (200, CONTENT[:100])


def test_a_file_that_is_not_there_says_so(address: str):
    client = client_of("viewer")
    assert client.get(address.replace("difference.fits", "score.fits")).json()["code"] == "no_such_file"
    answer = client.get(address.replace("difference.fits", "other.fits"))
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_file")
    storage.remove("products/difference.fits")
    answer = client.get(address)
    assert (answer.status_code, answer.json()["code"]) == (410, "file_gone")


def test_who_reviews_what_was_injected_gets_no_file_that_tells_it(address: str):
    set_value("curation.fake_share", 0.1, MACHINE)
    answer = client_of("curator").get(address)
    assert (answer.status_code, answer.json()["code"]) == (403, "judges_injected")
    assert client_of("viewer").get(address).status_code == 200
