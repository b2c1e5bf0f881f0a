"""Lists of addresses and index pages: what is in them, and nothing outside."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from django.conf import settings as site

from catalog.configuration.values import set_value
from catalog.people.audit import MACHINE
from observations.archives.door import door_of
from observations.archives.found import ListRefused
from observations.archives.index import read_list
from observations.archives.question import Question
from observations.models import Archive, ArchiveKind, ArchiveProduct, Observation
from tests.factories import SurveyFactory
from tests.webserver import content, serving

APACHE = b"""<!DOCTYPE HTML><html><head><title>Index of /night</title></head><body><pre>
<a href="?C=N;O=D">Name</a> <a href="/">Parent Directory</a> -
<a href="a.fits.fz">a.fits.fz</a>   2026-01-19 10:20  8.1M
<a href="notes.txt">notes.txt</a>   2026-01-19 10:20  1K
<a href="/night/b.fits">b.fits</a>  2026-01-19 10:21  200
<a href="http://elsewhere.example.org/c.fits">c</a> <a href="../other/d.fits">d</a> <a href="%2e%2e/e.fits">e</a>
<a href="deep/">deep/</a> 2026-01-19 10:20 -
</pre></body></html>"""
DEEP = b'<html><a href="f.fits">f.fits</a> 12-Jan-2026 11:00 300<a href="../">up</a><a href="deeper/">deeper</a></html>'


@contextmanager
def read(settings, answers):
    with serving(answers) as host:
        settings.ASTRID_OUTGOING_HOSTS = [host]
        survey = SurveyFactory(name="listed", base_url=f"http://{host}{next(iter(answers))}")
        archive = Archive(survey=survey, kind=ArchiveKind.LIST, begins_at="2025-01-01T00:00:00Z")
        archive.full_clean(exclude=["question"])
        yield archive, host, lambda question=None: read_list(archive, question or Question(), door_of(archive))


@pytest.fixture(autouse=True)
def _no_pause(db):
    set_value("ingest.archive_pause_seconds", 0.0, MACHINE)


def test_an_index_page_is_read_in_depth_and_nothing_outside_its_folder(settings):
    answers = {"/night/": content(APACHE), "/night/deep/": content(DEEP)}
    with read(settings, answers) as (_, host, look):
        found = look(Question(depth=1)).found
        assert {one.url.removeprefix(f"http://{host}") for one in found} == {
            "/night/a.fits.fz", "/night/b.fits", "/night/deep/f.fits",
        }  # fmt: skip
        sizes = {one.title or one.url.rpartition("/")[2]: one.size_bytes for one in found}
        assert sizes == {"a.fits.fz": round(8.1 * 2**20), "b.fits": 200, "f.fits": 300}
        assert len(look(Question(depth=0)).found) == 2
        assert [one.url[-6:] for one in look(Question(depth=1, pattern="f*")).found] == ["f.fits"]


@pytest.mark.parametrize(
    "body",
    [
        b"# of last night\nhttps://a.example.org/1.fits\n\n2.fits.gz  ignored\nreadme.txt\n",
        b"name,url,size\none,https://a.example.org/1.fits,10\ntwo,2.fits.gz,\n",
        json.dumps({"files": [{"access_url": "https://a.example.org/1.fits", "id": "x"}, "2.fits.gz"]}).encode(),
    ],
)
def test_a_list_is_read_as_text_csv_or_json(settings, body):
    with read(settings, {"/list": content(body)}) as (_, host, look):
        assert [one.url for one in look().found] == ["https://a.example.org/1.fits", f"http://{host}/2.fits.gz"]


@pytest.mark.parametrize("body", [b"[1, 2", b"What a lovely night it was"])
def test_what_is_no_list_is_refused_with_a_reason(settings, body):
    with read(settings, {"/list": content(body)}) as (_, _, look), pytest.raises(ListRefused, match="list"):
        look()


def test_a_page_to_log_in_names_no_file(settings):
    with read(settings, {"/list": content(b"<html>Please log in</html>")}) as (_, _, look):
        assert look().found == ()


def test_a_file_that_changes_under_its_address_is_fetched_again_and_only_then(archive_server, lights, work, archive):
    index = '<html><a href="a.fits">a</a> 2026-01-19 {}</html>'
    answers = {"/n/": content(index.format("10:00").encode()), "/n/a.fits": content(lights[0])}
    with serving(answers) as host:
        _become_list(archive, host)
        work()
        work(again=True)
        assert ArchiveProduct.objects.get().ended_at is not None and Observation.objects.count() == 1
        answers["/n/"], answers["/n/a.fits"] = content(index.format("11:00").encode()), content(lights[1])
        work(again=True)
        assert Observation.objects.count() == 2 and ArchiveProduct.objects.count() == 1


def _become_list(archive: Archive, host: str) -> None:
    site.ASTRID_OUTGOING_HOSTS = [*site.ASTRID_OUTGOING_HOSTS, host]
    archive.kind, archive.survey.base_url = ArchiveKind.LIST, f"http://{host}/n/"
    archive.survey.save()
    archive.save()
