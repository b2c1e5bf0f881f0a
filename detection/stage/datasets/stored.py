"""Data sets as files under the data root and as rows: written whole or not at all, checked whenever they are read."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.files import storage
from catalog.people import audit
from detection.models import DataSet
from detection.numerics.compact import coded, decoded
from detection.numerics.gathered import Gathered, as_columns, from_columns

EXAMPLES, MANIFEST = "examples.npz", "manifest.json"
_STAMPS = "stamps"
# What decides about the pixels of an example.
_CODE = ("observations", "preprocessing", "differencing", "detection")


class DataSetRefused(ValueError):
    """The data set cannot be made, found or read; the sentence says why."""


@cache
def code_version() -> str:
    """Return a hash over the code that makes pixels of pixels: the same code gives the same."""
    digest = hashlib.sha256()
    base = Path(settings.BASE_DIR)
    for path in sorted(path for app in _CODE for path in (base / app).rglob("numerics/**/*.py")):
        digest.update(path.relative_to(base).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def write(
    of: Gathered, name: str, version: str, manifest: Mapping[str, object], *, is_golden: bool, actor: audit.Actor
) -> DataSet:
    """Write the file of examples, then the manifest, then the row; raise DataSetRefused where the version is taken.

    What ends in between leaves files that no row names, which the next try of the same version writes over.
    """
    if DataSet.objects.filter(name=name, version=version).exists():
        raise DataSetRefused(f"{name}:{version} is there already, and a data set never changes: give another version")
    content = packed(of)
    sha256, made_at, path = hashlib.sha256(content).hexdigest(), timezone.now(), f"datasets/{name}-{version}"
    code = code_version()
    of_it = {"name": name, "version": version, "sha256": sha256, "made_at": made_at.isoformat(), "code_version": code}
    # As it is read again: a tuple is a list there.
    whole: dict[str, object] = json.loads(json.dumps({**of_it, **manifest}, allow_nan=False))
    try:
        storage.write_atomically(f"{path}/{EXAMPLES}", content)
        storage.write_atomically(f"{path}/{MANIFEST}", (json.dumps(whole, indent=1, allow_nan=False) + "\n").encode())
    except storage.OutsideStorage as error:
        raise DataSetRefused(f"{name}-{version} is no name of a folder") from error
    row = DataSet(
        name=name, version=version, path=path, sha256=sha256, example_count=len(of), code_version=code,
        real_count=int(of.examples.is_real.sum()), manifest=whole, made_at=made_at,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            audit.record(row, "make_data_set", actor=actor, new={"sha256": sha256}, summary=str(row))
            if is_golden:
                mark_golden(row, actor)
    except IntegrityError as error:
        raise DataSetRefused(f"{name}:{version} was made at the same time by somebody else") from error
    return row


@transaction.atomic
def mark_golden(row: DataSet, actor: audit.Actor) -> None:
    """Let models be compared on this data set from now on, in place of the one before."""
    for other in DataSet.objects.select_for_update().golden().exclude(pk=row.pk):
        other.is_golden = False
        other.save(update_fields=["is_golden", "updated_at"])
        audit.record(other, "unmark_golden", actor=actor, old={"is_golden": True}, new={"is_golden": False})
    row.is_golden = True
    row.save(update_fields=["is_golden", "updated_at"])
    audit.record(row, "mark_golden", actor=actor, old={"is_golden": False}, new={"is_golden": True}, summary=str(row))


def find(asked: str) -> DataSet:
    """Return the data set NAME:VERSION, or the newest of a name. Raises DataSetRefused."""
    name, _, version = asked.partition(":")
    rows = DataSet.objects.filter(name=name, **({"version": version} if version else {}))
    row = rows.order_by("-made_at", "-id").first()
    if row is None:
        there = ", ".join(str(each) for each in DataSet.objects.order_by("name", "-made_at")[:20])
        raise DataSetRefused(f"there is no data set {asked}; choose one of: {there or 'none has been made'}")
    return row


def read(row: DataSet) -> Gathered:
    """Return the examples of a data set. Raises DataSetRefused where its file is gone or is not what was written."""
    try:
        content = storage.open_stored(f"{row.path}/{EXAMPLES}").read_bytes()
    except (OSError, storage.OutsideStorage) as error:
        raise DataSetRefused(f"the examples of {row} are missing: {row.path}/{EXAMPLES}") from error
    if hashlib.sha256(content).hexdigest() != row.sha256:
        raise DataSetRefused(
            f"the examples of {row} are not what was written: the sha256 of {row.path}/{EXAMPLES} differs from the "
            "registered one. Make the data set anew, under another version"
        )
    return unpacked(content)


def packed(of: Gathered) -> bytes:
    """Return the columns as an .npz file: the same columns give the same bytes."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **as_columns(of))
    return buffer.getvalue()


def packed_small(of: Gathered) -> bytes:
    """Return the same in as few bytes as can be, with stamps to a seventh of a sigma."""
    buffer = io.BytesIO()
    columns = as_columns(of)
    columns[_STAMPS] = coded(of.examples.stamps)
    np.savez_compressed(buffer, allow_pickle=False, **columns)
    return buffer.getvalue()


def unpacked(content: bytes) -> Gathered:
    """Return what `packed` or `packed_small` gave. Raises DataSetRefused."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            columns = dict(file)
            if columns.get(_STAMPS, np.empty(0)).dtype == np.int8:
                columns[_STAMPS] = decoded(columns[_STAMPS])
            return from_columns(columns)
    except (OSError, ValueError, BadZipFile) as error:
        raise DataSetRefused(f"the file of examples cannot be read: {error}") from error
