"""A service of the Virtual Observatory on this machine: TAP and cone search over stars that a test gives it."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
from astropy.io.votable import from_table
from astropy.io.votable.tree import Info
from astropy.table import Table

from observations.numerics.sphere import separation_deg

_CIRCLE = re.compile(r"CIRCLE\('ICRS', ([\d.]+), (-?[\d.]+), ([\d.]+)\)")
_FAINTEST = re.compile(r"phot_g_mean_mag < ([\d.]+)")
_TOP = re.compile(r"SELECT TOP (\d+) ([\w, ]+) FROM ([\w.]+)")


@dataclass
class SkyServer:
    """What it answers from, what it was asked, and with which codes it refuses first.

    table : columns as Gaia's. refusing : HTTP codes of the next answers. complaint : what TAP says against a query.
    """

    table: Table
    address: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    refusing: list[int] = field(default_factory=list)
    complaint: str = ""
    at_once: int = 0
    most_at_once: int = 0

    def answer(self, path: str, given: dict[str, str]) -> bytes:
        if self.complaint:
            return self._votable(self.table[:0], Info(name="QUERY_STATUS", value="ERROR"), self.complaint)
        if path.endswith("/sync"):
            rows = self._by_query(given["QUERY"])
        else:
            rows = self._within(float(given["RA"]), float(given["DEC"]), float(given["SR"]))
        return self._votable(rows, Info(name="QUERY_STATUS", value="OK"), "")

    def _by_query(self, query: str) -> Table:
        circle, faintest, top = (pattern.search(query) for pattern in (_CIRCLE, _FAINTEST, _TOP))
        rows = self._within(*(float(value) for value in circle.groups()))
        rows = rows[rows["phot_g_mean_mag"] < float(faintest[1])]
        rows.sort("phot_g_mean_mag")
        return rows[: int(top[1])][top[2].split(", ")]

    def _within(self, ra: float, dec: float, radius: float) -> Table:
        return self.table[separation_deg(self.table["ra"], self.table["dec"], ra, dec) < radius]

    def _votable(self, rows: Table, status: Info, words: str) -> bytes:
        whole = from_table(rows)
        status.content = words
        whole.resources[0].infos.append(status)
        buffer = io.BytesIO()
        whole.to_xml(buffer)
        return buffer.getvalue()


@contextmanager
def serving_sky(table: Table) -> Iterator[SkyServer]:
    """Serve until the block ends."""
    sky, lock = SkyServer(table), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            with lock:
                sky.at_once += 1
                sky.most_at_once = max(sky.at_once, sky.most_at_once)
                sky.asked.append({name: values[0] for name, values in parse_qs(parts.query).items()})
                sky.agents.append(self.headers["User-Agent"])
            code = sky.refusing.pop(0) if sky.refusing else 200
            body = b"busy" if code != 200 else sky.answer(parts.path, sky.asked[-1])
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            with lock:
                sky.at_once -= 1

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    sky.address = f"127.0.0.1:{server.server_port}"
    try:
        yield sky
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def gaia_table(ra: np.ndarray, dec: np.ndarray, mag: np.ndarray, motion: tuple[float, float] = (0.0, 0.0)) -> Table:
    """Return stars as a table of Gaia's columns; positions hold at 2016.0, all stars move alike, mas a year."""
    pm = {name: np.full(len(ra), value) for name, value in zip(("pmra", "pmdec"), motion, strict=True)}
    magnitudes = {"phot_g_mean_mag": mag, "phot_bp_mean_mag": mag + 0.4, "phot_rp_mean_mag": mag - 0.4}
    return Table({"ra": ra, "dec": dec, **pm, **magnitudes})
