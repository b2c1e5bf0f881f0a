"""`python -m tests.faults.fingerprint`: everything that matters in a data root, free of keys and times, as JSON."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import Any

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
    django.setup()
    json.dump(collect(), sys.stdout, sort_keys=True, indent=1)


def collect() -> dict[str, Any]:
    """Return rows and file hashes by what they are about; two runs over the same frames give the same."""
    from catalog.files import storage
    from catalog.models import ProcessingJob
    from detection.models import Detection, ForcedPhotometry, ModelRun, Source
    from differencing.models import Candidate, DifferenceRun, Reference, Tracklet
    from observations.models import Observation
    from preprocessing.models import CalibrationMaster, PreprocessRun

    def digest(path: str) -> str:
        return hashlib.sha256(storage.open_stored(path).read_bytes()).hexdigest()[:16] if path else ""

    name = "observation__original_name"
    return {
        "observations": sorted(Observation.objects.values_list("original_name", "status", "failure_code", "sha256")),
        "masters": sorted([m.kind, m.inputs_hash, digest(m.file_path)] for m in CalibrationMaster.objects.all()),
        "preprocessed": sorted(
            [r.observation.original_name, r.status, r.failure_code, r.wcs_aligned, digest(r.processed_fits_path)]
            for r in PreprocessRun.objects.select_related("observation")
        ),
        "references": sorted(r.inputs_hash for r in Reference.objects.all()),
        "differences": sorted(
            [
                r.observation.original_name, r.status, r.failure_code, r.candidates_found,
                digest(r.difference_image_path), digest(r.significance_map_path), digest(r.reference_aligned_path),
            ]
            for r in DifferenceRun.objects.select_related("observation")
        ),
        "candidates": sorted(
            Candidate.objects.values_list(name, "pixel_x", "pixel_y", "flux", "significance", "status", "ra", "dec")
        ),
        "model_runs": sorted(ModelRun.objects.values_list(name, "status", "total_predictions")),
        "detections": sorted(
            [d.observation.original_name, d.pixel_x, d.pixel_y, d.confidence_score, d.status, digest(d.cutouts_path)]
            for d in Detection.objects.select_related("observation")
        ),
        # A mean over detections depends in its last digits on the order in which they came.
        "sources": sorted([s.detection_count, round(s.ra, 9), round(s.dec, 9)] for s in Source.objects.all()),
        "tracklets": sorted(
            sorted(t.members.values_list(name, flat=True)) for t in Tracklet.objects.prefetch_related("members")
        ),
        "forced": sorted(
            [row.observation.original_name, round(row.ra, 7), round(row.dec, 7), row.reason, round(row.flux or 0.0, 1)]
            for row in ForcedPhotometry.objects.select_related("observation")
        ),
        "unfinished": ProcessingJob.objects.filter(status__in=["pending", "running"]).count(),
        "running": sum(
            model.objects.filter(status="running").count() for model in (PreprocessRun, DifferenceRun, ModelRun)
        ),
        "at_work": Observation.objects.filter(status__in=["preprocessing", "differencing"]).count(),
    }  # fmt: skip


if __name__ == "__main__":
    main()
