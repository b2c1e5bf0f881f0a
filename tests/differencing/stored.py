"""Differences whose images lie in the data root, for tests of pages."""

from __future__ import annotations

import numpy as np

from catalog import storage
from differencing.models import DifferenceRun
from observations.numerics.fits_products import encode_image
from tests.factories import DifferenceRunFactory, ObservationFactory, digest


def stored_difference() -> DifferenceRun:
    """Make a completed difference of 64 × 48 pixels with all its products."""
    frame = ObservationFactory(image_width=64, image_height=48, original_name="m31_0042.fits")
    rng = np.random.default_rng(1)
    science, reference, difference, score = rng.normal(0, 1, (4, 48, 64)).astype(np.float32)
    row: DifferenceRun = DifferenceRunFactory(observation=frame, inputs_hash=digest("inputs"), noise_level=1.0)
    folder = f"differences/{row.pk}"
    row.difference_image_path = storage.write_atomically(f"{folder}/d.fits", encode_image(difference))
    row.significance_map_path = storage.write_atomically(f"{folder}/s.fits", encode_image(score))
    products = encode_image(reference, extra=[("SCIENCE", science)])
    row.reference_aligned_path = storage.write_atomically(f"{folder}/r.fits", products)
    row.save()
    return row
