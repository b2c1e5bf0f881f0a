"""The embedded server starts from whatever state it was left in, once, and where its user can reach it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from django.test import override_settings

from astrid_site.running import postgres
from tests.waiting import PATIENCE_SECONDS

REPOSITORY = Path(__file__).resolve().parents[3]
# Nothing here has to survive a power cut.
OPTIONS = {"fsync": "off"}

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root's server runs as another user")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that an unprivileged user may enter, which pytest's own is not when root runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="astrid launcher "))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def root(open_folder: Path) -> Iterator[Path]:
    """Give a data root with a space in its name, in which nothing lies yet, and stop its server at the end."""
    yield from _used_as_root(open_folder / "data root")


@pytest.fixture(scope="module")
def made_root() -> Iterator[Path]:
    """Make a cluster once, for copies, which are quicker than making it anew."""
    folder = Path(tempfile.mkdtemp(prefix="astrid launcher "))
    folder.chmod(0o755)
    try:
        for root in _used_as_root(folder / "made"):
            postgres.ensure_running()
            postgres.stop()
            yield root
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def used_root(root: Path, made_root: Path) -> Path:
    """Give a data root with a cluster that was used before and is stopped."""
    root.mkdir()
    # Not shutil.copytree, which gives the copy to who copies.
    subprocess.run(["cp", "-a", made_root / "postgres", root / "postgres"], check=True)
    return root


def _used_as_root(folder: Path) -> Iterator[Path]:
    with override_settings(ASTRID_DATA_ROOT=folder, EMBEDDED_POSTGRES=True, EMBEDDED_POSTGRES_OPTIONS=OPTIONS):
        yield folder
        postgres.stop()
        cluster = postgres.locate(folder)
        if not cluster.socket_dir.is_relative_to(cluster.home):
            shutil.rmtree(cluster.socket_dir, ignore_errors=True)


def _connect(root: Path) -> psycopg.Connection:
    database = postgres.django_database(postgres.locate(root))
    return psycopg.connect(
        host=database["HOST"], port=database["PORT"], user=database["USER"], dbname=database["NAME"], autocommit=True
    )


def _postmaster(root: Path) -> psutil.Process:
    process = postgres._postmaster(postgres.locate(root))
    assert process is not None
    return process


def _kill_everything(root: Path) -> None:
    postmaster = _postmaster(root)
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        # A background worker may end by itself in the moment that its parent is gone.
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(family, timeout=PATIENCE_SECONDS)


def _manage(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, REPOSITORY / "manage.py", *arguments],
        env={**environment, "ASTRID_DATA_ROOT": str(root)},
        capture_output=True,
        text=True,
    )


def test_the_first_call_starts_the_second_finds_it_and_stop_ends_it(root: Path) -> None:
    assert postgres.ensure_running() is True
    assert postgres.ensure_running() is False
    assert postgres.describe()[0]
    assert postgres.stop() is True
    assert postgres.stop() is False
    assert not postgres.describe()[0]


def test_after_a_kill_of_everything_it_starts_again_with_what_was_committed(used_root: Path) -> None:
    postgres.ensure_running()
    with _connect(used_root) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    _kill_everything(used_root)
    assert (postgres.locate(used_root).data / "postmaster.pid").exists(), "the kill left its traces"

    assert postgres.ensure_running() is True
    with _connect(used_root) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(used_root: Path) -> None:
    postgres.ensure_running()
    _kill_everything(used_root)
    cluster = postgres.locate(used_root)
    uid = cluster.data.stat().st_uid
    # A living process of the server's own user: what PostgreSQL itself would take for a running server.
    stranger = subprocess.Popen(["sleep", "3600"], user=None if uid == os.geteuid() else uid)
    try:
        for path in (cluster.data / "postmaster.pid", cluster.socket_dir / f".s.PGSQL.{postgres.PORT}.lock"):
            lines = path.read_text().split("\n")
            path.write_text("\n".join([str(stranger.pid), *lines[1:]]))

        assert postgres.ensure_running() is True
    finally:
        stranger.kill()
        stranger.wait()


def test_of_two_starts_at_once_one_starts_it(used_root: Path) -> None:
    started: list[bool] = []
    threads = [threading.Thread(target=lambda: started.append(postgres.ensure_running())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(started) == [False, False, True]


def test_a_creation_that_was_cut_short_is_made_anew(root: Path) -> None:
    cluster = postgres.locate(root)
    (cluster.home / "data.new").mkdir(parents=True)
    (cluster.home / "data.new" / "PG_VERSION").write_text("16\n")
    if cluster.uid is not None and cluster.gid is not None:
        os.chown(cluster.home, cluster.uid, cluster.gid)

    assert postgres.ensure_running() is True
    assert not (cluster.home / "data.new").exists()


def test_a_server_that_another_client_uses_is_not_stopped_from_under_it(used_root: Path) -> None:
    postgres.ensure_running()
    with _connect(used_root):
        assert postgres.stop(only_if_unused=True) is False
    assert postgres.describe()[0]


def test_a_root_too_deep_for_a_socket_is_served_from_a_short_private_directory(open_folder: Path) -> None:
    deep = open_folder / "/".join(["a rather long folder name"] * 5)
    for _ in _used_as_root(deep):
        assert postgres.ensure_running() is True
        socket_dir = postgres.locate(deep).socket_dir

        assert not socket_dir.is_relative_to(deep)
        assert socket_dir.stat().st_mode & 0o777 == 0o700
        with _connect(deep) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


@pytest.mark.parametrize("name", ["comma, in it", "it's", 'a "quoted" one', "back\\slash"])
def test_a_name_that_libpq_would_misread_keeps_the_socket_out_of_it(tmp_path: Path, name: str) -> None:
    assert name not in str(postgres.locate(tmp_path / name).socket_dir)


def test_a_socket_directory_that_somebody_put_there_is_refused(used_root: Path, open_folder: Path) -> None:
    cluster = postgres.locate(used_root)
    shutil.rmtree(cluster.socket_dir)
    cluster.socket_dir.symlink_to(open_folder)
    if cluster.uid is not None and cluster.gid is not None:
        os.chown(cluster.socket_dir, cluster.uid, cluster.gid, follow_symlinks=False)

    with pytest.raises(postgres.ServerUnavailable, match="is not a directory of uid"):
        postgres.ensure_running()


def test_a_server_that_cannot_start_says_why(used_root: Path) -> None:
    with (
        override_settings(EMBEDDED_POSTGRES_OPTIONS={"shared_buffers": "1 parsec"}),
        pytest.raises(postgres.ServerUnavailable, match="parsec"),
    ):
        postgres.ensure_running()


def test_with_another_server_named_nothing_is_started(root: Path) -> None:
    with override_settings(EMBEDDED_POSTGRES=False):
        assert postgres.ensure_running() is False
        assert postgres.stop() is False
    assert not root.exists()


@as_root
def test_where_the_servers_user_cannot_go_cluster_and_programs_lie_elsewhere(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = open_folder / "elsewhere"
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    may_enter = postgres._may_enter
    monkeypatch.setattr(postgres, "ELSEWHERE", elsewhere)
    monkeypatch.setattr(
        postgres, "_may_enter", lambda uid, path: "site-packages" not in path.parts and may_enter(uid, path)
    )
    for root in _used_as_root(home / "var"):
        assert postgres.ensure_running() is True
        assert Path(_postmaster(root).exe()).is_relative_to(elsewhere)
        assert postgres.locate(root).data.is_relative_to(elsewhere)
        assert not (root / "postgres").exists()
    told = capsys.readouterr().err
    assert f"the database is in {elsewhere}" in told
    assert f"copied to {elsewhere}" in told


@as_root
def test_roots_server_runs_as_the_owner_of_the_cluster(open_folder: Path) -> None:
    owner = 12345
    (open_folder / "postgres" / "data").mkdir(parents=True)
    os.chown(open_folder / "postgres" / "data", owner, owner)

    assert postgres.locate(open_folder).uid == owner


def test_a_command_that_needs_no_database_starts_none(root: Path) -> None:
    for arguments in (["check"], ["migrate", "--help"]):
        assert _manage(root, *arguments).returncode == 0
    assert _manage(root, "db", "status").returncode == 3
    assert not (root / "postgres").exists()


def test_a_command_that_needs_the_database_starts_it_and_leaves_it_until_db_stop(used_root: Path) -> None:
    run = _manage(used_root, "showmigrations", "catalog")

    assert run.returncode == 0, run.stderr
    assert _postmaster(used_root).is_running()
    assert _manage(used_root, "db", "stop").returncode == 0
    assert postgres.describe()[0] is False


def test_processes_that_start_at_one_moment_make_one_directory(root):
    root.mkdir()
    cluster = postgres.locate(root)
    for turn in range(40):
        path, together = root / f"private-{turn}", threading.Barrier(8)
        faults: list[Exception] = []

        def make(path: Path = path, together: threading.Barrier = together, faults: list[Exception] = faults) -> None:
            together.wait()
            try:
                postgres._make_private_dir(cluster, path)
            except OSError as fault:
                faults.append(fault)

        threads = [threading.Thread(target=make) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == []
    assert not list(root.glob(".private-*"))
