"""Stand-ins of the Transient Name Server and the Minor Planet Center on this machine: they keep what they took.

They answer as the real ones do and fail as a test tells them: take something and stay silent, say 504 and take nothing.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from observations.numerics.sphere import separation_deg

KEY = "the-key-of-the-bot"


@dataclass
class Namers:
    """What both took, in order, and how they fail next.

    faults : of the next requests to send: "hang" takes it and answers nothing, "504 taken" takes it and says 504,
    "504" takes nothing, "403" and the like say so. bad_rows : internal names that are refused with a reason.
    """

    host: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    submissions: list[dict[str, str]] = field(default_factory=list)
    documents: list[bytes] = field(default_factory=list)
    known: list[tuple[float, float, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    bad_rows: set[str] = field(default_factory=set)
    is_slow: bool = False
    agents: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def names(self) -> list[str]:
        """Return our names of all objects that were taken, as often as they were."""
        return [entry["internal_name"] for report in self.taken for entry in report["at_report"].values()]

    def trk_subs(self) -> list[str]:
        """Return our names of all tracklets that were taken, once for each submission."""
        found = []
        for document in self.documents:
            found += sorted(set(re.findall(r"<trkSub>(\w+)</trkSub>", document.decode())))
        return found

    # --- The Transient Name Server ---
    def tns(self, path: str, form: dict[str, str]) -> tuple[int, object]:
        if form.get("api_key") != KEY:
            return 403, {"id_code": 403, "id_message": "Forbidden"}
        if path.endswith("/get/search"):
            return 200, {"id_code": 200, "data": {"reply": self._search(json.loads(form["data"]))}}
        if path.endswith("/get/bulk-report-reply"):
            return self._reply(int(form["report_id"]))
        report = json.loads(form["data"])
        self.taken.append(report)
        return 200, {"id_code": 200, "id_message": "OK", "data": {"report_id": len(self.taken)}}

    def _search(self, asked: dict[str, str]) -> list[dict[str, object]]:
        found = []
        if "internal_name" in asked:
            names = {name: number for number, name in enumerate(self.names)}
            if asked["internal_name"] in names and asked["internal_name"] not in self.bad_rows:
                found.append(f"2026x{names[asked['internal_name']]}")
        else:
            ra, dec, radius = (float(asked[name]) for name in ("ra", "dec", "radius"))
            places = [(ra_, dec_, name) for ra_, dec_, name in self.known]
            for report in self.taken:
                for entry in report["at_report"].values():
                    place = float(entry["ra"]["value"]), float(entry["dec"]["value"])
                    places.append((*place, f"2026x{self.names.index(entry['internal_name'])}"))
            found = [name for ra_, dec_, name in places if 3600.0 * separation_deg(ra, dec, ra_, dec_) <= radius]
        return [{"prefix": "AT", "objname": name, "objid": 1} for name in found]

    def _reply(self, number: int) -> tuple[int, object]:
        if self.is_slow or number > len(self.taken):
            return 404, {"id_code": 404, "id_message": "Not found"}
        answers: list[object] = []
        for entry in self.taken[number - 1]["at_report"].values():
            name = entry["internal_name"]
            if name in self.bad_rows:
                answers.append(
                    {"discovery_datetime": {"value": {"5": {"message": "Discovery date is in the future."}}}}
                )
            else:
                answers.append({"100": {"objname": f"2026x{self.names.index(name)}"}})
        return 200, {"id_code": 200, "data": {"feedback": {"at_report": answers}}}

    # --- The Minor Planet Center ---
    def submit(self, content_type: str, body: bytes) -> tuple[int, str]:
        parsed = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
        form = {str(part.get_param("name", header="content-disposition")): part for part in parsed.get_payload()}
        self.submissions.append({name: str(part.get_payload()).strip() for name, part in form.items()})
        self.documents.append(form["source"].get_payload(decode=True))
        return 200, f"Submission ID is 2026-11-30T03:00:00.123_0000{len(self.documents):04d}"

    def where(self, asked: list[str]) -> object:
        found, lacking = [], []
        for name in asked:
            if name.split()[0] not in self.trk_subs():
                lacking.append(name)
                continue
            designation = self.named.get(name.split()[0])
            said = f"has been identified as {designation}" if designation else "is awaiting processing"
            if name.split()[0] in self.bad_rows:
                said = "was rejected: residuals are too large"
            found.append({name: [{"iau_desig": designation, "status_decoded": f"{name} {said}."}]})
        return {"found": found, "malformed": [], "not_found": lacking}


@contextmanager
def naming() -> Iterator[Namers]:
    """Serve until the block ends."""
    namers, lock = Namers(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                namers.asked.append(self.path)
                namers.agents.append(self.headers["User-Agent"])
                is_sent = "set/bulk-report" in self.path or "submit" in self.path
                fault = namers.faults.pop(0) if is_sent and namers.faults else ""
                status, answer = (504, "") if fault in ("504",) else (0, "")
                if not status and fault.isdigit():
                    status, answer = int(fault), json.dumps({"id_code": int(fault), "id_message": "No."})
                if not status:
                    status, answer = self.taken(body)
            if fault == "hang":
                namers.ended.wait(30.0)
                self.close_connection = True
                return
            self.say(504 if fault == "504 taken" else status, answer)

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                namers.asked.append(self.path)
                answer = json.dumps(namers.where(json.loads(body)))
            self.say(200, answer)

        def taken(self, body: bytes) -> tuple[int, str]:
            if "submit" in self.path:
                return namers.submit(self.headers["Content-Type"], body)
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            status, answer = namers.tns(self.path, form)
            return status, json.dumps(answer)

        def say(self, status: int, text: str) -> None:
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing: those who ask hang up, as the tests want it."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    namers.host = f"127.0.0.1:{server.server_port}"
    try:
        yield namers
    finally:
        namers.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
