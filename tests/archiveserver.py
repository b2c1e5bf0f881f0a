"""An archive on this machine: Simple Image Access 2.0 and the files behind it, which a test lets be slow, cut or wrong.

Its answers have the columns of ObsCore 1.1 as archives write them, with what they leave out: sizes, places, bands.
"""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
from astropy.io.votable import from_table
from astropy.io.votable.tree import Info
from astropy.table import MaskedColumn, Table

DATALINK = "application/x-votable+xml;content=datalink"


@dataclass
class Offer:
    """A file of the archive. answer : what is sent instead of its bytes. cuts : after how many bytes it breaks off."""

    did: str
    path: str
    body: bytes
    mjd: float = 61000.0
    size_kb: int | None = None
    access_format: str = "application/fits"
    etag: str = '"1"'
    is_listed: bool = True
    answer: Callable[[BaseHTTPRequestHandler], None] | None = None
    cuts: list[int] = field(default_factory=list)
    released: str = ""


@dataclass
class ArchiveServer:
    """What it offers, what it was asked and what it gave.

    most_rows : of one answer. refusing : codes, each with its Retry-After, of the next requests. complaint : what the
    service says against every question. slow_s : how long each answer takes to begin.
    """

    offers: list[Offer] = field(default_factory=list)
    address: str = ""
    most_rows: int = 1000
    refusing: list[tuple[int, str]] = field(default_factory=list)
    complaint: str = ""
    slow_s: float = 0.0
    questions: list[dict[str, list[str]]] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    tokens: list[tuple[str, str]] = field(default_factory=list)
    begun: list[float] = field(default_factory=list)
    wholes: Counter[str] = field(default_factory=Counter)
    sent_bytes: Counter[str] = field(default_factory=Counter)
    ranges: list[tuple[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://{self.address}/sia2/query"

    def url(self, path: str) -> str:
        return f"http://{self.address}{path}"

    def listing(self, given: dict[str, list[str]]) -> bytes:
        """Answer a question of SIA 2."""
        if self.complaint:
            return _votable(self._rows([]), "ERROR", self.complaint)
        rows = [offer for offer in self.offers if offer.is_listed and _is_within(offer.mjd, given.get("TIME", []))]
        most = min(self.most_rows, int(given.get("MAXREC", ["1000000"])[0]))
        is_over = len(rows) > most
        return _votable(self._rows(rows[:most]), "OVERFLOW" if is_over else "OK", "")

    def _rows(self, offers: list[Offer]) -> Table:
        sizes = [offer.size_kb for offer in offers]
        count = len(offers)
        return Table(
            {
                "dataproduct_type": np.array(["image"] * count, dtype="S200"),
                "calib_level": np.full(count, 2, dtype=np.int32),
                "obs_collection": np.array(["SURVEY"] * count, dtype="S200"),
                "obs_id": np.array([offer.did.rpartition("?")[2] for offer in offers], dtype="S200"),
                "obs_publisher_did": np.array([offer.did for offer in offers], dtype="S200"),
                "access_url": np.array([self.url(offer.path) for offer in offers], dtype="S200"),
                "access_format": np.array([offer.access_format for offer in offers], dtype="S200"),
                "access_estsize": MaskedColumn(
                    [size or 0 for size in sizes], mask=[size is None for size in sizes], dtype=np.int64, unit="kbyte"
                ),
                "s_ra": MaskedColumn(np.full(count, 150.0), mask=np.arange(count) % 2 == 1, unit="deg"),
                "s_dec": MaskedColumn(np.full(count, 22.0), mask=np.arange(count) % 2 == 1, unit="deg"),
                "t_min": MaskedColumn([offer.mjd for offer in offers], dtype=float, unit="d"),
                "t_max": np.array([np.nan] * count),
                "em_min": np.full(count, np.nan),
                "em_max": np.full(count, np.nan),
                "obs_release_date": np.array([offer.released for offer in offers], dtype="S200"),
            }
        )

    def links(self, did: str) -> bytes:
        """Answer a question of DataLink: a preview, and the file itself where it has one."""
        this = [offer for offer in self.offers if offer.did == did and not offer.is_listed]
        rows = [("#preview", self.url("/preview.png")), *(("#this", self.url(one.path)) for one in this)]
        columns = [np.array(column, dtype="S200") for column in zip(*rows, strict=True)]
        empty, key = np.array([""] * len(rows), dtype="S200"), np.array([did] * len(rows), dtype="S200")
        table = Table({"ID": key, "semantics": columns[0], "access_url": columns[1], "error_message": empty})
        return _votable(table, "OK", "")

    def gives(self, path: str) -> Offer | None:
        return next((offer for offer in self.offers if offer.path == path), None)

    def change(self, at: str, **values: object) -> None:
        self.offers = [replace(offer, **values) if offer.path == at else offer for offer in self.offers]


@contextmanager
def serving_archive(*offers: Offer) -> Iterator[ArchiveServer]:
    """Serve until the block ends."""
    archive, lock = ArchiveServer(list(offers)), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with lock:
                archive.at_once += 1
                archive.most_at_once = max(archive.at_once, archive.most_at_once)
                archive.begun.append(time.monotonic())
                archive.agents.add(self.headers["User-Agent"])
                archive.tokens.append((self.path, self.headers.get("Authorization", "")))
                refusal = archive.refusing.pop(0) if archive.refusing else None
            time.sleep(archive.slow_s)
            try:
                self._refuse(*refusal) if refusal else self._answer()
            finally:
                with lock:
                    archive.at_once -= 1

        def _refuse(self, code: int, retry_after: str) -> None:
            self.send_response(code)
            if retry_after:
                self.send_header("Retry-After", retry_after)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            given = parse_qs(parts.query)
            if parts.path == "/sia2/query":
                archive.questions.append(given)
                self._send(archive.listing(given), "application/x-votable+xml")
            elif parts.path == "/links":
                self._send(archive.links(given["ID"][0]), DATALINK)
            elif (offer := archive.gives(parts.path)) is None:
                self.send_error(404)
            elif offer.answer is not None:
                offer.answer(self)
            else:
                self._give(offer)

        def _give(self, offer: Offer) -> None:
            """Send a file, or the part of it that is asked for if it is still the same."""
            asked, start = self.headers.get("Range", ""), 0
            if asked:
                archive.ranges.append((offer.path, asked))
            if asked and self.headers.get("If-Range") == offer.etag:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
            rest = offer.body[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(offer.body) - 1}/{len(offer.body)}")
            self.send_header("ETag", offer.etag)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            if offer.cuts:
                rest = rest[: offer.cuts.pop(0)]
            else:
                archive.wholes[offer.path] += 1
            archive.sent_bytes[offer.path] += len(rest)
            self.wfile.write(rest)

        def _send(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    archive.address = f"127.0.0.1:{server.server_port}"
    try:
        yield archive
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _is_within(mjd: float, windows: list[str]) -> bool:
    for window in windows:
        low, high = (float(word) for word in window.split())
        if not low <= mjd <= high:
            return False
    return True


def _votable(rows: Table, status: str, words: str) -> bytes:
    whole = from_table(rows)
    info = Info(name="QUERY_STATUS", value=status)
    info.content = words
    whole.resources[0].infos.append(info)
    whole.resources[0].type = "results"
    buffer = io.BytesIO()
    whole.to_xml(buffer)
    return buffer.getvalue()
