"""What machines share: each reads what any of them wrote last, from a working copy that may be lost at any time."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, InMemoryStorage, storages
from django.test import override_settings

from astrid_site.running.shared_storage import django_storage
from catalog.files import remote, storage

pytest_plugins = ["tests.buckets"]

FRAME = "processed/7/frame.fits"


@dataclass(frozen=True)
class Machine:
    """One data root."""

    root: Path

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with override_settings(ASTRID_DATA_ROOT=self.root):
            yield

    def write(self, content: bytes, path: str = FRAME) -> None:
        with self.at_work():
            assert storage.write_atomically(path, content) == path

    def read(self, path: str = FRAME) -> bytes:
        with self.at_work():
            return storage.open_stored(path).read_bytes()

    def has(self, path: str = FRAME) -> bool:
        with self.at_work():
            return storage.exists(path)

    def files(self) -> list[str]:
        """Return what lies in the data root without the notes of what was fetched."""
        found = [path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()]
        return sorted(name for name in found if not name.endswith(".remote"))


@pytest.fixture(params=["files", "s3", "another"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Share a storage of Django's own, a bucket, or one that only the interface is known of; give its kind."""
    if request.param == "files":
        address = (
            f"{FileSystemStorage.__module__}.FileSystemStorage?location={tmp_path / 'shared'}&allow_overwrite=true"
        )
    else:
        address = request.getfixturevalue("s3_address")
    if request.param == "another":
        bucket, options = request.getfixturevalue("bucket"), address.partition("?")[2]
        address = f"storages.backends.s3.S3Storage?bucket_name={bucket}&{options}"
    with override_settings(STORAGES={remote.ALIAS: django_storage(address)}):
        yield request.param


@pytest.fixture
def s3(s3_address: str) -> Iterator[None]:
    with override_settings(STORAGES={remote.ALIAS: django_storage(s3_address)}):
        yield


def share_by(backend: type[Any], **options: Any) -> Any:
    """Share a storage of a class of a test's own."""
    place = f"{backend.__module__}.{backend.__qualname__}"
    return override_settings(STORAGES={remote.ALIAS: {"BACKEND": place, "OPTIONS": options}})


@pytest.fixture
def one(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "one")


@pytest.fixture
def other(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "other")


@pytest.fixture
def fetches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with the names of the objects that are fetched."""
    names: list[str] = []
    real = remote.chunks

    def recording(name: str) -> Iterator[bytes]:
        names.append(name)
        return real(name)

    monkeypatch.setattr(remote, "chunks", recording)
    return names


# --- One writes, the other reads ---


def test_what_one_machine_writes_the_other_reads(shared, one, other):
    assert not other.has()
    one.write(b"pixels")
    assert other.has()
    assert other.read() == one.read() == b"pixels"
    assert other.files() == [FRAME]


def test_what_one_machine_replaces_the_other_reads_anew(shared, one, other):
    one.write(b"first")
    assert other.read() == b"first"
    one.write(b"the second")
    assert other.read() == b"the second"
    other.write(b"and the third")
    assert one.read() == b"and the third"


def test_a_replacement_of_the_same_length_is_noticed(s3, one, other):
    for content in (b"aaaa", b"bbbb", b"cccc"):
        one.write(content)
        assert other.read() == content


def test_a_reader_who_holds_the_old_file_keeps_it_whole(shared, one, other):
    one.write(b"first")
    with other.at_work(), storage.open_stored(FRAME).open("rb") as held:
        one.write(b"the second")
        assert other.read() == b"the second"
        assert held.read() == b"first"


def test_what_has_not_changed_is_fetched_once_and_by_its_writer_never(s3, one, other, fetches):
    one.write(b"pixels")
    for _ in range(3):
        assert one.read() == b"pixels"
    assert fetches == []
    for _ in range(3):
        assert other.read() == b"pixels"
    assert fetches == [FRAME]


def test_a_local_copy_that_is_deleted_or_spoilt_is_brought_again(shared, one, other):
    one.write(b"pixels")
    assert other.read() == b"pixels"
    (other.root / FRAME).unlink()
    assert other.read() == b"pixels"
    (other.root / FRAME).write_bytes(b"rotten")
    assert other.read() == b"pixels"
    for note in other.root.rglob(".*.remote"):
        note.write_text('{"version": ')
    assert other.read() == b"pixels"


def test_a_file_of_before_the_storage_was_shared_is_not_taken_for_what_it_holds(shared, one, other):
    (one.root / FRAME).parent.mkdir(parents=True)
    (one.root / FRAME).write_bytes(b"of an earlier life")
    assert not one.has()
    with pytest.raises(FileNotFoundError):
        one.read()
    other.write(b"pixels")
    assert one.read() == b"pixels"


def test_what_one_machine_removes_the_other_does_not_read_any_more(shared, one, other):
    one.write(b"pixels")
    assert other.read() == b"pixels"
    with one.at_work():
        storage.remove(FRAME)
        storage.remove(FRAME)
    assert one.files() == []
    assert not other.has()
    with pytest.raises(FileNotFoundError):
        other.read()


def test_what_belongs_to_a_machine_stays_on_it(shared, one, other):
    for name in storage.OF_THIS_MACHINE:
        one.write(b"mine", f"{name}/file")
        assert one.has(f"{name}/file") and one.read(f"{name}/file") == b"mine"
        assert not other.has(f"{name}/file")


def test_a_raw_file_is_linked_here_and_read_there(shared, one, other, tmp_path):
    delivered = tmp_path / "delivered.fits.gz"
    delivered.write_bytes(gzip.compress(b"pixels" * 1000, mtime=0))
    for machine in (one, other, one):
        with machine.at_work():
            assert storage.keep("raw/ab/abc.fits.gz", delivered) == "raw/ab/abc.fits.gz"
    assert (one.root / "raw/ab/abc.fits.gz").samefile(delivered)
    assert other.files() == [], "it is there already, and nobody has read it here"
    assert other.read("raw/ab/abc.fits.gz") == delivered.read_bytes(), "the bytes as delivered, not unpacked"


def test_a_raw_file_of_another_file_system_is_sent_and_fetched_where_it_is_read(
    shared, one, other, tmp_path, monkeypatch
):
    def no_link(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    (tmp_path / "delivered.fits").write_bytes(b"pixels")
    monkeypatch.setattr(os, "link", no_link)
    with one.at_work():
        storage.keep("raw/ab/abc.fits", tmp_path / "delivered.fits")
    assert one.files() == []
    assert one.read("raw/ab/abc.fits") == other.read("raw/ab/abc.fits") == b"pixels"


def test_a_delivered_file_that_is_written_to_while_it_is_sent_is_not_taken_for_what_was_sent(
    s3, one, tmp_path, monkeypatch
):
    delivered = tmp_path / "delivered.fits"
    delivered.write_bytes(b"pixels")
    real = remote.put

    def written_to_meanwhile(name: str, source: Path) -> str:
        version = real(name, source)
        delivered.write_bytes(b"others")
        return version

    monkeypatch.setattr(remote, "put", written_to_meanwhile)
    with one.at_work():
        storage.keep("raw/ab/abc.fits", delivered)
    assert one.read("raw/ab/abc.fits") == b"pixels"


def test_a_file_that_was_written_bit_by_bit_is_shared_when_it_is_whole(shared, one, other):
    with one.at_work():
        target = storage.resolve("incoming/7/upload.fits")
        target.parent.mkdir(parents=True)
        target.write_bytes(b"uploaded")
        assert not storage.exists("incoming/7/upload.fits")
        storage.share("incoming/7/upload.fits")
    assert other.read("incoming/7/upload.fits") == b"uploaded"


# --- What goes wrong ---


class Failing(FileSystemStorage):
    """Breaks off amid sending or giving, when a test says so."""

    error: OSError | None = None

    def _save(self, name: str, content: Any) -> str:
        if self.error is not None:
            content.read(3)
            raise self.error
        return str(super()._save(name, content))

    def _open(self, name: str, mode: str = "rb") -> Any:
        file: Any = super()._open(name, mode)
        if self.error is not None:
            file.chunks = self._broken_off
        return file

    def _broken_off(self) -> Iterator[bytes]:
        yield b"pix"
        assert self.error is not None
        raise self.error


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[Failing]:
    with share_by(Failing, location=tmp_path / "shared", allow_overwrite=True):
        yield storages[remote.ALIAS]


@pytest.mark.parametrize("old", [None, b"the old"], ids=["no old file", "old file"])
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), storage.StorageUnreachable),
        (OSError(errno.ENOSPC, "No space left on device"), storage.StorageFull),
    ],
)
def test_a_write_that_the_shared_storage_does_not_take_changes_nothing_anywhere(failing, one, other, error, told, old):
    if old is not None:
        one.write(old)
    before = one.files()
    failing.error = error
    with pytest.raises(told, match=r"frame\.fits"):
        one.write(b"the new pixels")
    failing.error = None
    assert one.files() == before
    assert other.has() == (old is not None)
    if old is not None:
        assert one.read() == other.read() == old


def test_a_fetch_that_breaks_off_leaves_no_stump_and_is_not_read(failing, one, other):
    one.write(b"pixels")
    failing.error = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
    with pytest.raises(storage.StorageUnreachable):
        other.read()
    assert other.files() == []
    failing.error = None
    assert other.read() == b"pixels"


def test_a_machine_without_room_for_what_it_is_to_read_says_so(shared, one, other, monkeypatch):
    one.write(b"pixels")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(storage.StorageFull, match=r"frame\.fits"):
            other.read()
    assert other.files() == []
    assert other.read() == b"pixels"


def test_a_machine_without_room_for_what_it_writes_sends_nothing(shared, one, other, monkeypatch):
    one.write(b"the old")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("tempfile.mkstemp", full)
        with pytest.raises(storage.StorageFull):
            one.write(b"the new pixels")
    assert one.read() == other.read() == b"the old"


def test_a_storage_that_does_not_overwrite_is_refused_with_what_to_do(one, tmp_path):
    with share_by(FileSystemStorage, location=tmp_path / "shared"):
        one.write(b"first")
        with pytest.raises(ImproperlyConfigured, match="let it overwrite"):
            one.write(b"the second")
        assert one.read() == b"first"
    assert [path.name for path in (tmp_path / "shared").rglob("*") if path.is_file()] == ["frame.fits"]


class WholeSeconds(InMemoryStorage):
    """Cannot tell two writes within one second apart, as many storages cannot."""

    def get_modified_time(self, name: str) -> Any:
        return super().get_modified_time(name).replace(microsecond=0)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        self.delete(name)
        return name


def test_a_storage_whose_clock_is_coarse_is_asked_for_the_content_each_time(one, other):
    with share_by(WholeSeconds):
        for content in (b"aaaa", b"bbbb", b"cccc"):
            one.write(content)
            assert other.read() == one.read() == content


# --- S3 ---


def test_an_object_carries_the_hash_of_its_content(s3, one, s3_client, bucket):
    one.write(b"pixels")
    head = s3_client.head_object(Bucket=bucket, Key=f"night/products/{FRAME}")
    assert head["Metadata"] == {"sha256": hashlib.sha256(b"pixels").hexdigest()}


def test_a_file_that_goes_in_parts_comes_back_whole(s3, one, other, s3_client, bucket):
    content = os.urandom(20_000_000)
    one.write(content)
    assert "-3" in s3_client.head_object(Bucket=bucket, Key=f"night/products/{FRAME}")["ETag"], "three parts"
    assert other.read() == content


def test_an_object_that_another_tool_has_put_there_is_read_and_fetched_once(s3, one, s3_client, bucket, fetches):
    for content in (b"copied", b"replaced"):
        s3_client.put_object(Bucket=bucket, Key=f"night/products/{FRAME}", Body=content)
        fetches.clear()
        assert [one.read(), one.read()] == [content] * 2
        assert fetches == [FRAME]


def test_an_object_that_is_replaced_while_it_is_fetched_is_fetched_again(s3, one, other, monkeypatch):
    one.write(b"first")
    real = remote.chunks
    later = iter([b"the second"])

    def replaced_meanwhile(name: str) -> Iterator[bytes]:
        for content in later:
            one.write(content)
        return real(name)

    monkeypatch.setattr(remote, "chunks", replaced_meanwhile)
    assert other.read() == b"the second"


def test_an_object_that_is_not_what_it_says_it_is_is_never_read(s3, one, s3_client, bucket):
    key, wrong = f"night/products/{FRAME}", {"sha256": hashlib.sha256(b"pixels").hexdigest()}
    s3_client.put_object(Bucket=bucket, Key=key, Body=b"pixelz", Metadata=wrong)
    with pytest.raises(storage.StorageUnreachable, match="not what the shared storage says"):
        one.read()
    assert one.files() == []


def test_a_bucket_that_is_not_there_is_not_one_without_the_file(s3_address, bucket, one):
    address = s3_address.replace(bucket, "no-such-bucket")
    with override_settings(STORAGES={remote.ALIAS: django_storage(address)}):
        for ask in (one.has, one.read, lambda: one.write(b"pixels")):
            with pytest.raises(storage.StorageUnreachable, match=r"frame\.fits: .*(404|NoSuchBucket)"):
                ask()
    assert one.files() == []


def test_a_server_that_does_not_answer_is_told(s3_address, s3_server, one):
    with override_settings(
        STORAGES={remote.ALIAS: django_storage(s3_address.replace(s3_server, "http://127.0.0.1:9"))}
    ):
        with pytest.raises(storage.StorageUnreachable, match=r"127\.0\.0\.1:9"):
            one.write(b"pixels")
        storages[remote.ALIAS].connection.meta.client.close()
    assert one.files() == []


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("XMinioStorageFull", 507, storage.StorageFull),
        ("QuotaExceeded", 403, storage.StorageFull),
        ("AccessDenied", 403, storage.StorageUnreachable),
        ("SlowDown", 503, storage.StorageUnreachable),
    ],
)
def test_what_the_server_refuses_for_lack_of_space_is_told_apart(s3, one, monkeypatch, code, status, told):
    def refuse(*_: object) -> None:
        answer = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(answer, "PutObject")

    monkeypatch.setattr(storages[remote.ALIAS], "_save", refuse)
    with pytest.raises(told, match=r"frame\.fits"):
        one.write(b"pixels")
    assert one.files() == []


# --- Nothing shared ---


def test_without_a_shared_storage_nothing_of_it_is_asked(one, monkeypatch, tmp_path):
    for name in ("version", "put", "chunks", "delete"):
        monkeypatch.delattr(remote, name)
    (tmp_path / "delivered.fits").write_bytes(b"raw")
    one.write(b"pixels")
    assert one.has() and one.read() == b"pixels"
    with one.at_work():
        storage.keep("raw/ab/abc.fits", tmp_path / "delivered.fits")
        storage.share(FRAME)
        storage.remove(FRAME)
    assert [path.name for path in one.root.rglob("*") if path.is_file()] == ["abc.fits"]
