"""A night whose stages are done on different machines over one bucket ends as one that a single machine does."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from astrid_site.night.foreground import process_paths
from astrid_site.running.shared_storage import django_storage
from catalog.configuration.values import snapshot
from catalog.files import remote
from catalog.work import jobs
from catalog.work.stages import stages
from observations.delivery.ingest import Overrides, ingest_paths
from tests.faults.fingerprint import collect
from tests.nights import quiet

pytest_plugins = ["tests.buckets"]

# What the first machine does; the second does the rest.
FIRST = ("masters", "preprocess", "register")


def alone(folder: Path, root: Path) -> dict[str, Any]:
    """Return what the nights come to on one machine without a shared storage."""
    with override_settings(ASTRID_DATA_ROOT=root):
        process_paths([folder], Overrides(), quiet)
        return collect()


def together(folder: Path, roots: dict[str, Path]) -> dict[str, Any]:
    """Return what they come to where one machine ingests, one preprocesses, one differences and one looks."""
    with override_settings(ASTRID_DATA_ROOT=roots["web"]):
        ingest_paths([folder], overrides=Overrides(), config=snapshot(), report=quiet, workflow_id="nights")
    while (job := jobs.claim_next(list(stages()), "worker")) is not None:
        place = "first" if job.job_type in FIRST else "second"
        with override_settings(ASTRID_DATA_ROOT=roots[place]):
            jobs.do(job, is_tried_again=False)
        if job.job_type == "register":
            # A working copy may go at any time.
            shutil.rmtree(roots["first"])
    with override_settings(ASTRID_DATA_ROOT=roots["eye"]):
        return collect()


@pytest.mark.django_db
@pytest.mark.usefixtures("loops")
def test_stages_on_different_machines_over_one_bucket_leave_the_rows_and_files_of_one_machine(
    few_frames, s3_address, s3_client, bucket, tmp_path
):
    with transaction.atomic():
        expected = alone(few_frames, tmp_path / "alone")
        transaction.set_rollback(True)
    assert expected["detections"]

    roots = {name: tmp_path / name for name in ("web", "first", "second", "eye")}
    with override_settings(STORAGES={remote.ALIAS: django_storage(s3_address)}):
        found = together(few_frames, roots)

    assert found == expected
    pages = s3_client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    kinds = {entry["Key"].split("/")[2] for page in pages for entry in page["Contents"]}
    assert kinds == {"raw", "masters", "processed", "references", "differences", "cutouts", "models"}
    assert not list(roots["second"].glob("masters"))
    assert (roots["second"] / "differences").is_dir()
    assert not list(roots["web"].glob("differences"))
