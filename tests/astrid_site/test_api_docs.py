"""Every example of docs/api.md and docs/packets.md is run as a program of its own, against a real web server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.models import ProcessingJob
from catalog.people.scopes import SCOPES
from curation.alerts.publishing import publish_pending
from curation.models import Alert, ValidationEvent
from tests.clients import account, token_of
from tests.curation.cutouts import detection_with_cutouts
from tests.factories import AlertFactory
from tests.lights import write
from tests.siteserver import serving_site
from tests.waiting import PATIENCE_SECONDS

FOLDER = Path(__file__).resolve().parent.parent.parent / "docs"
DOCS, PACKETS = ((FOLDER / name).read_text() for name in ("api.md", "packets.md"))
EXAMPLES = re.findall(r"^```(python|bash)\n(.*?)^```", DOCS + PACKETS, flags=re.DOTALL | re.MULTILINE)
# It goes on for ever: it is run, and killed, among the tests of the feed.
READER = "sqlite3"


def test_there_are_examples_for_all_that_is_told():
    assert len(EXAMPLES) >= 10
    assert sum(READER in text for _, text in EXAMPLES) == 1


@pytest.mark.django_db(transaction=True)
def test_every_example_does_what_it_says(tmp_path, empty_data_root):
    detection = detection_with_cutouts(confidence_score=0.9)
    AlertFactory(detection=detection, title="first of all")
    publish_pending()
    write(tmp_path / "light.fits")
    programs = {"python": [sys.executable, "-W", "error", "-c"], "bash": ["bash", "-euc"]}
    said = {}
    with serving_site() as address:
        environment = {**os.environ, "ASTRID_URL": address, "ASTRID_TOKEN": token_of(account("administrator"))}
        for language, text in EXAMPLES:
            if READER not in text:
                done = subprocess.run(
                    [*programs[language], text],
                    cwd=tmp_path,
                    env=environment,
                    capture_output=True,
                    text=True,
                    timeout=PATIENCE_SECONDS,
                )
                assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
                said[text] = done.stdout
    everything = "".join(said.values())
    assert f"{address}/api/v1/detections/" in everything, "the list of all lists"
    assert everything.count(str(detection.pk)) >= 3, "the list, and twice the table"
    assert f"{detection.source.ra} {detection.source.dec} 0 None" in everything
    assert "first of all" in everything, "the stream"
    assert f"{Alert.objects.get().number} new {detection.source.ra} {detection.source.dec} None 0.9" in everything
    assert "DIFFERENCE (63, 63)" in everything, "the packet's cutout"
    assert ValidationEvent.objects.get().label == "asteroid"
    assert ProcessingJob.objects.filter(job_type__in=("receive", "download")).count() == 2


def test_every_scope_is_documented_with_what_it_does_and_no_other():
    documented = dict(re.findall(r"^\| `([a-z-]+:[a-z]+)` \| [^|]+ \| ([^|]+) \|$", DOCS, flags=re.MULTILINE))
    assert documented == {name: scope.title for name, scope in SCOPES.items()}
