"""MLflow is told of a training where there is a server, and keeps none from its end where it does not answer."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from detection.registry.weights import DEFAULT_CARD, read_card
from detection.stage.tracking import track


@pytest.fixture
def server(settings):
    """A server that answers as MLflow's REST interface does, and keeps what it was told."""
    told: list[tuple[str, dict]] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.append((self.path, {}))
            self._say(404, {"error_code": "RESOURCE_DOES_NOT_EXIST"})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.append((self.path.rpartition("/mlflow/")[2], body))
            self._say(200, {"experiment_id": "4", "run": {"info": {"run_id": "run 17"}}})

        def _say(self, code: int, answer: dict) -> None:
            content = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    settings.MLFLOW_TRACKING_URI = f"http://127.0.0.1:{httpd.server_port}/"
    settings.ASTRID_OUTGOING_HOSTS = ["127.0.0.1"]
    yield told
    httpd.shutdown()
    httpd.server_close()


def test_the_run_gets_the_figures_of_the_card_and_its_id_comes_back(server):
    card = read_card(DEFAULT_CARD)
    said: list[str] = []
    assert track(card, said.append) == "run 17"
    assert said == []
    names = [name for name, _ in server[1:]]
    assert names == ["experiments/create", "runs/create", "runs/log-batch", "runs/update"]
    batch = dict(server)["runs/log-batch"]
    assert {"key": "auc", "value": card.metrics["auc"]}.items() <= next(
        metric for metric in batch["metrics"] if metric["key"] == "auc"
    ).items()
    assert {param["key"] for param in batch["params"]} >= {"sha256", "seed"}
    assert dict(server)["runs/update"]["status"] == "FINISHED"


def test_without_a_server_nobody_is_asked(settings):
    settings.MLFLOW_TRACKING_URI = ""
    assert track(read_card(DEFAULT_CARD), print) == ""


def test_a_server_that_is_not_there_is_told_in_the_log_and_the_id_is_empty(server, settings):
    settings.MLFLOW_TRACKING_URI = "http://127.0.0.1:9/"
    said: list[str] = []
    assert track(read_card(DEFAULT_CARD), said.append) == ""
    assert "MLflow" in said[0]
    settings.ASTRID_OUTGOING_HOSTS = []
    assert track(read_card(DEFAULT_CARD), said.append) == ""
    assert "ASTRID_OUTGOING_HOSTS" in said[1]
