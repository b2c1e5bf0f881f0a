"""Slow servers hold every download of a whole system, which goes on with everything else."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.faults.system import PATIENCE_SECONDS, System, system, wait_for
from tests.webserver import serving

pytestmark = pytest.mark.faults

UPLOAD = """
from pathlib import Path
from observations.delivery.incoming import submit_upload
from observations.numerics.fits.facts import Overrides
submit_upload([Path("{path}").read_bytes()], "light.fits", Overrides())
"""
ALERT = """
from tests.factories import AlertFactory
AlertFactory()
"""
PROBES = "SELECT count(*) FROM catalog_probe WHERE queue = 'light' AND answered_at > now() - interval '1 second'"


def shell(whole: System, program: str) -> None:
    whole.manage("shell", "--no-imports", "-c", program)


def count(whole: System, sql: str) -> int:
    return int(whole.query(f"SELECT count(*) FROM {sql}")[0][0])


def test_more_slow_addresses_than_threads_stop_neither_alerts_nor_uploads_nor_probes(few_frames):
    light: Path = few_frames / "night1_light01.fits"
    body, goes_on, asked = light.read_bytes(), threading.Event(), threading.Semaphore(0)

    def drip(handler: BaseHTTPRequestHandler) -> None:
        """Send a byte now and then until the rest may come."""
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        sent = 0
        asked.release()
        while not goes_on.wait(0.1):
            handler.wfile.write(body[sent : sent + 100])
            sent += 100
        handler.wfile.write(body[sent:])

    files = {f"/{number}.fits": drip for number in range(4)}
    with serving(files) as host, system(ASTRID_DOWNLOADS="2", ASTRID_OUTGOING_HOSTS=host) as whole:
        for number in range(4):
            whole.manage("ingest", f"http://{host}/{number}.fits")
        for name in ("downloads", "light", "beat"):
            whole.start(name)
        for _ in range(2):
            assert asked.acquire(timeout=PATIENCE_SECONDS)
        assert count(whole, "catalog_processingjob WHERE job_type = 'download' AND status = 'running'") == 2
        shell(whole, ALERT)
        shell(whole, UPLOAD.format(path=light))
        wait_for(lambda: count(whole, "curation_alertpublication") == 1, whole.jobs)
        uploaded = "catalog_processingjob WHERE job_type = 'receive' AND status = 'completed'"
        wait_for(lambda: count(whole, uploaded) == 1, whole.jobs)
        wait_for(lambda: whole.query(PROBES)[0][0], whole.jobs)
        unfinished = "catalog_processingjob WHERE job_type = 'download' AND status IN ('pending', 'running')"
        assert count(whole, unfinished) == 4, "all the time"
        goes_on.set()
        wait_for(lambda: count(whole, unfinished) == 0, whole.jobs)
        taken_in = "observations_incomingfile, jsonb_array_elements(results) r"
        assert count(whole, f"(SELECT DISTINCT r->>'entity_id' FROM {taken_in}) AS frames") == 1
