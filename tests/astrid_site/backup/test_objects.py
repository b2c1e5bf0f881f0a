"""What a shared storage holds is listed, or fetched; what an earlier backup has of it is linked."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from astrid_site.backup import manifest, objects, sums
from astrid_site.backup.manifest import FilesAre
from astrid_site.backup.progress import Progress
from catalog.files import remote, storage

NAMES = ["cutouts/a/1.npy", "cutouts/a.npy", "raw/ab/frame.fits", "raw/b.fits"]


def quiet(_line: str) -> None:
    """Say nothing."""


@pytest.fixture
def bucket(empty_data_root: Path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bucket")
    options = {"location": str(folder), "allow_overwrite": True}
    shared = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    with override_settings(STORAGES=settings.STORAGES | {"products": shared}):
        for name in NAMES:
            storage.write_atomically(name, name.encode())
        yield folder


def test_all_objects_are_listed_and_those_that_are_gone_are_named(bucket, tmp_path):
    files = objects.listed(tmp_path, Progress(quiet))
    assert (files.kept, files.count) == (FilesAre.LISTED, 4)
    assert sorted((tmp_path / manifest.OBJECTS).read_text().split()) == sorted(NAMES)
    assert list(objects.gone(tmp_path / manifest.OBJECTS)) == []
    storage.remove("raw/ab/frame.fits")
    storage.write_atomically("raw/aa.fits", b"new")
    assert list(objects.gone(tmp_path / manifest.OBJECTS)) == ["raw/ab/frame.fits"]


def test_all_objects_are_fetched_with_their_hashes_and_linked_where_an_earlier_backup_has_the_same(
    bucket, tmp_path, monkeypatch
):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    files = objects.copied(first, None, Progress(quiet))
    assert (files.count, files.bytes) == (4, sum(len(name) for name in NAMES))
    known = {name: digest for digest, name in sums.lines(first / manifest.SUMS)}
    assert {name: (first / "files" / name).read_text() for name in known} == {name: name for name in NAMES}
    assert known == {name: sums.hashed(first / "files" / name) for name in NAMES}
    # As S3 tells it; of this storage nothing is known but times.
    monkeypatch.setattr(remote, "version", lambda name: f"sha256:{known[name]}" if name != "raw/b.fits" else "other")
    objects.copied(second, first, Progress(quiet))
    same = {name: (second / "files" / name).samefile(first / "files" / name) for name in NAMES}
    assert same == {name: name != "raw/b.fits" for name in NAMES}


def test_a_folder_goes_with_all_that_is_stored_in_it(bucket):
    storage.remove_folder("cutouts/a")
    assert list(remote.names("cutouts")) == ["cutouts/a.npy"]
    assert not (storage.data_root() / "cutouts/a").exists()


def test_a_name_with_a_newline_or_a_backslash_is_listed_so_that_it_is_read_back(tmp_path):
    names = ["plain", "two\nlines", "back\\slash", "\\n"]
    path = tmp_path / "SHA256SUMS"
    path.write_text("".join(sums.line("0" * 64, name) for name in names), newline="")
    assert [name for _, name in sums.lines(path)] == names
