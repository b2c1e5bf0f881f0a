"""All processes under one command: what dies is started again, the end takes all, a killed one leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from astrid_site.running import supervisor
from astrid_site.running.supervisor import AlreadyRunning, PortTaken, Service, running
from tests.waiting import wait_for

REPOSITORY = Path(__file__).resolve().parents[3]
SLEEPER = (sys.executable, "-c", "import time; time.sleep(3600)")
# A worker with a child of its own, which ends neither with its parent nor by itself.
FAMILY = (sys.executable, "-c", f"import subprocess; subprocess.run({list(SLEEPER)!r})")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(3600)",
)


def children(root: Path) -> list[int]:
    record = root / "run" / "supervisor.json"
    return [child["pid"] for child in json.loads(record.read_text())["children"]] if record.exists() else []


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_what_dies_is_started_again_and_told(empty_data_root):
    said: list[str] = []
    with running(said.append, [Service("sleeper", SLEEPER)]):
        wait_for(lambda: len(children(empty_data_root)) == 1)
        (first,) = children(empty_data_root)
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: children(empty_data_root) not in ([first], []))
        (second,) = children(empty_data_root)
        assert is_alive(second)
    assert "sleeper ended (signal SIGKILL)" in said[0]
    assert "sleeper.log" in said[0]


def test_what_dies_young_again_and_again_is_started_ever_later(empty_data_root):
    said: list[str] = []
    with running(said.append, [Service("broken", (sys.executable, "-c", "raise SystemExit(3)"))]):
        wait_for(lambda: len(said) >= 2)
    assert "(exit status 3)" in said[0]
    assert "in 1 s" in said[0]
    assert "in 3 s" in said[1]


def test_at_the_end_everything_has_ended_the_stubborn_and_their_children_too(empty_data_root, monkeypatch):
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.5)
    wanted = [Service("sleeper", SLEEPER), Service("stubborn", STUBBORN), Service("family", FAMILY)]
    with running(str, wanted):
        wait_for(lambda: len(children(empty_data_root)) == 3)
        pids = children(empty_data_root)
        wait_for(lambda: psutil.Process(pids[2]).children())
        family = [*pids, *(child.pid for child in psutil.Process(pids[2]).children())]
    wait_for(lambda: not [pid for pid in family if is_alive(pid)])
    assert children(empty_data_root) == []


RUN_AND_WAIT = """
import os, sys, django
django.setup()
from astrid_site.running.supervisor import Service, running
with running(print, [Service("stubborn", {stubborn!r})]) as everything:
    everything.wait()
"""


def supervisor_process(root: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "ASTRID_DATA_ROOT": str(root), "DJANGO_SETTINGS_MODULE": "astrid_site.settings"}
    command = [sys.executable, "-c", RUN_AND_WAIT.format(stubborn=STUBBORN)]
    return subprocess.Popen(command, cwd=REPOSITORY, env=environment)


def test_what_a_killed_supervisor_leaves_is_ended_by_the_next(empty_data_root):
    first = supervisor_process(empty_data_root)
    try:
        wait_for(lambda: len(children(empty_data_root)) == 1)
        (left,) = children(empty_data_root)
        wait_for(lambda: "ready" in (empty_data_root / "log" / "stubborn.log").read_text())
        with pytest.raises(AlreadyRunning, match=str(first.pid)), running(str, [Service("sleeper", SLEEPER)]):
            pass
    finally:
        first.kill()
        first.wait()
    assert is_alive(left), "it does not listen to SIGTERM"
    said: list[str] = []
    with running(said.append, [Service("sleeper", SLEEPER)]):
        assert not is_alive(left)
    assert said == ["Stopping 1 processes that an earlier run left behind"]


def test_a_stranger_with_the_number_of_an_old_child_is_left_alone(empty_data_root):
    stranger = subprocess.Popen(SLEEPER)
    try:
        (empty_data_root / "run").mkdir()
        old = {"pid": stranger.pid, "created": time.time() - 86400.0}
        (empty_data_root / "run" / "supervisor.json").write_text(json.dumps({"supervisor": old, "children": [old]}))
        with running(str, [Service("sleeper", SLEEPER)]):
            assert is_alive(stranger.pid)
    finally:
        stranger.kill()
        stranger.wait()


def test_a_port_that_is_taken_is_told_with_what_to_do_and_nothing_is_started(empty_data_root, settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings.PORT = taken.getsockname()[1]
        with pytest.raises(PortTaken, match="PORT="), running(str, [Service("web", SLEEPER)]):
            pass
    assert children(empty_data_root) == []


def test_the_services_are_a_web_server_workers_of_each_queue_and_their_clock(empty_data_root, settings):
    settings.ASTRID_DOWNLOADS = 7
    services = {service.name: service.arguments for service in supervisor.services()}
    assert set(services) == {"web", "beat", *settings.QUEUES}
    for queue in settings.QUEUES:
        arguments = services[queue]
        assert arguments[arguments.index("-Q") + 1] == queue
    assert services["downloads"][-1] == "7"
