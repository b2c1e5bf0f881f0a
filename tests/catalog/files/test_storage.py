"""Files are written whole or not at all, and never outside the data root."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.files import storage

# Runs in a child: a limit on file sizes is the full disk that any user can have (the write fails with EFBIG).
FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from django.conf import settings
settings.configure(ASTRID_DATA_ROOT=Path(sys.argv[1]))
from catalog.files import storage
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    storage.write_atomically("products/frame.fits", b"x" * 20_000)
except storage.StorageFull as error:
    print("full:", error)
"""


@pytest.fixture
def root(empty_data_root: Path) -> Path:
    return empty_data_root


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_what_is_written_is_read_back_under_the_relative_path_returned(root: Path) -> None:
    stored = storage.write_atomically(Path("a") / "b" / "frame.fits", b"pixels")

    assert stored == "a/b/frame.fits"
    assert storage.open_stored(stored).read_bytes() == b"pixels"
    assert _names(root) == ["frame.fits"]


def test_a_second_write_replaces_the_first(root: Path) -> None:
    storage.write_atomically("frame.fits", b"a longer first text")
    storage.write_atomically("frame.fits", b"second")

    assert (root / "frame.fits").read_bytes() == b"second"


def test_a_reader_who_holds_the_old_file_keeps_it_whole(root: Path) -> None:
    storage.write_atomically("frame.fits", b"first")
    with (root / "frame.fits").open("rb") as held:
        storage.write_atomically("frame.fits", b"second")

        assert held.read() == b"first"


@pytest.mark.parametrize(
    "path", ["../out", "a/../../out", "/etc/passwd", "link/out", "", ".", "a/.."], ids=lambda value: value or "empty"
)
def test_a_path_that_leads_out_of_the_root_is_refused(root: Path, tmp_path_factory, path: str) -> None:
    (root / "link").symlink_to(tmp_path_factory.mktemp("elsewhere"))

    with pytest.raises(storage.OutsideStorage):
        storage.write_atomically(path, b"x")
    with pytest.raises(storage.OutsideStorage):
        storage.remove(path)


def test_a_sibling_whose_name_begins_like_the_root_is_outside(tmp_path: Path, settings) -> None:
    settings.ASTRID_DATA_ROOT = tmp_path / "data"
    (tmp_path / "data-other").mkdir()

    with pytest.raises(storage.OutsideStorage):
        storage.resolve("../data-other/file")


@pytest.mark.parametrize("old", [None, b"the good old file"], ids=["no old file", "old file"])
def test_a_full_disk_leaves_no_stump_and_the_old_file_intact(root: Path, old: bytes | None) -> None:
    if old is not None:
        storage.write_atomically("products/frame.fits", old)

    run = subprocess.run([sys.executable, "-c", FULL_DISK, str(root)], capture_output=True, text=True, check=True)

    assert run.stdout.startswith("full: No room for frame.fits (20000 bytes)"), run.stderr
    assert _names(root) == ([] if old is None else ["frame.fits"])
    if old is not None:
        assert (root / "products/frame.fits").read_bytes() == old


def test_another_fault_of_the_disk_is_not_called_full(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)

    with pytest.raises(OSError, match="Input/output"):
        storage.write_atomically("frame.fits", b"x")
    assert _names(root) == []


def test_a_file_that_is_missing_is_not_opened(root: Path) -> None:
    (root / "folder").mkdir()

    for path in ("frame.fits", "folder"):
        with pytest.raises(FileNotFoundError):
            storage.open_stored(path)


def test_removing_a_file_that_is_gone_is_no_error(root: Path) -> None:
    storage.write_atomically("frame.fits", b"x")
    storage.remove("frame.fits")
    storage.remove("frame.fits")

    assert _names(root) == []


def test_the_content_is_on_disk_before_it_has_its_final_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, bool]] = []
    sync = os.fsync

    def recording(descriptor: int) -> None:
        seen.append((os.fstat(descriptor).st_size, (root / "frame.fits").exists()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", recording)
    storage.write_atomically("frame.fits", b"12345")

    assert seen[0] == (5, False)
    assert seen[-1][1], "the folder is synced after the rename"


def test_of_many_files_each_is_on_disk_before_it_has_its_name_and_their_folders_after(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"cutouts/{folder}/{number}.npy" for folder in "ab" for number in range(3)]
    seen: list[tuple[bool, int, int]] = []
    sync = os.fsync

    def recording(descriptor: int) -> None:
        status = os.fstat(descriptor)
        seen.append((stat.S_ISDIR(status.st_mode), status.st_size, sum((root / name).exists() for name in names)))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", recording)
    storage.write_all({name: name.encode() for name in names})

    assert {name: (root / name).read_bytes() for name in names} == {name: name.encode() for name in names}
    files = [(size, there) for is_folder, size, there in seen if not is_folder]
    assert files == [(len(name), before) for before, name in enumerate(names)]
    after_all = [is_folder for is_folder, _, there in seen if there == len(names)]
    assert after_all == [True, True], "each of the two folders once, when all is in it"


def test_of_many_files_the_one_that_has_no_room_is_not_there_and_those_before_it_are(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, left = os.fsync, iter([True, True])

    def full(descriptor: int) -> None:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode) and not next(left, False):
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(storage.StorageFull):
        storage.write_all({f"c/{number}": b"x" for number in range(4)})
    assert _names(root) == ["0", "1"]
