"""Scripts and style sheets: one version never meets another, and what is sent is small."""

from __future__ import annotations

import gzip
import re

import pytest
from django.templatetags.static import static
from django.test import Client

from astrid_site.site.static_files import version
from curation.triage import files

GZIP = {"accept-encoding": "gzip"}


def test_addresses_name_the_version_and_are_kept_for_ever(client: Client):
    address = static("js/triage.js")
    assert re.fullmatch(r"/static/v[0-9a-f]{12}/js/triage\.js", address)
    answer = client.get(address)
    assert answer.status_code == 200
    assert "immutable" in answer["Cache-Control"]
    assert "immutable" not in client.get("/static/js/triage.js")["Cache-Control"]


@pytest.mark.django_db
def test_what_another_version_asks_for_is_not_there(client: Client):
    assert client.get(static("js/triage.js").replace(version(), "v000000000000/")).status_code == 404


def test_texts_are_compressed_for_those_who_can_read_that(client: Client):
    address = static("css/site.css")
    packed, plain = client.get(address, headers=GZIP), client.get(address)
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"] and "Accept-Encoding" in plain["Vary"]
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < len(plain.content) / 3


def test_all_that_triage_is_drawn_with_is_kept_for_outages():
    kept = files.kept()
    assert {"js/triage.js", "js/greys.js", "js/site.js", "js/away.js", "css/site.css"} <= set(kept)
    for name in kept:
        for other in re.findall(r'from "\./([\w.-]+)"', files.content(name).decode()):
            assert f"js/{other}" in kept, f"{name} imports it"


@pytest.mark.usefixtures("db")
def test_the_files_of_triage_come_to_less_than_its_share_of_a_cold_page(client: Client):
    # Of 150 kB; the page itself and the images of a first object take the rest.
    sizes = {name: len(client.get(static(name), headers=GZIP).content) for name in files.kept()}
    assert sum(sizes.values()) < 100_000, sizes
