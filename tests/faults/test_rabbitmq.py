"""The same night over RabbitMQ, and over a RabbitMQ that is stopped and wiped amid it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.system import PATIENCE_SECONDS, assert_same, system, wait_for
from tests.ports import free_ports

# Debian's own script on PATH changes the user when root runs it; the one beneath does not.
PROGRAMS = [Path("/usr/lib/rabbitmq/bin/rabbitmq-server"), Path(shutil.which("rabbitmq-server") or "/nowhere")]
PROGRAM = next((path for path in PROGRAMS if path.exists()), None)

pytestmark = pytest.mark.skipif(
    PROGRAM is None,
    reason="NOT TESTED OVER RABBITMQ: there is no rabbitmq-server (Debian: apt install rabbitmq-server)",
)


class RabbitMQ:
    """A broker of the tests' own, on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = free_ports(2)
        self.url = f"amqp://guest:guest@127.0.0.1:{self._ports[0]}//"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {
            **os.environ,
            "HOME": str(self._folder),
            "RABBITMQ_NODENAME": f"astrid{self._ports[0]}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._ports[0]),
            "RABBITMQ_DIST_PORT": str(self._ports[1]),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "messages"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_PID_FILE": str(self._folder / "pid"),
        }
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [str(PROGRAM)], env=environment, stdout=output, stderr=output, start_new_session=True
            )
        wait_for(self._answers, lambda: (self._folder / "output").read_text()[-2000:])

    def stop(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def wipe(self) -> None:
        shutil.rmtree(self._folder / "messages")

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(PATIENCE_SECONDS)
            if probe.connect_ex(("127.0.0.1", self._ports[0])):
                return False
            probe.sendall(b"AMQP\x00\x00\x09\x01")
            return probe.recv(1) == b"\x01"


@pytest.fixture
def broker() -> Iterator[RabbitMQ]:
    folder = Path(tempfile.mkdtemp(prefix="astrid-rabbitmq-"))
    made = RabbitMQ(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_night_over_rabbitmq_ends_as_one_in_the_foreground(delivered_nights, faultless, first_start, broker):
    with system(first_start.cluster, CELERY_BROKER_URL=broker.url) as whole:
        whole.start_all()
        whole.manage("ingest", str(delivered_nights))
        whole.wait_until_idle()
        assert_same(whole.fingerprint(), faultless)


@pytest.mark.faults
def test_a_rabbitmq_that_is_stopped_for_a_minute_and_comes_back_empty_loses_no_work(
    delivered_nights, faultless, broker
):
    with system(CELERY_BROKER_URL=broker.url) as broken:
        broken.start_all()
        broken.manage("ingest", str(delivered_nights))
        done = "SELECT count(*) FROM catalog_processingjob WHERE status = 'completed'"
        wait_for(lambda: broken.query(done)[0][0] > 3, broken.jobs)
        broker.stop()
        broker.wipe()
        time.sleep(60.0)
        broker.start()
        broken.wait_until_idle()
        assert_same(broken.fingerprint(), faultless)
