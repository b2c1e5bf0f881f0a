"""Subtractions whose images lie in the data root, small and known pixel for pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.wcs import WCS

from catalog.files import storage
from differencing.models import DifferenceRun
from observations.numerics.fits.products import encode_image
from tests.factories import DifferenceRunFactory

WIDTH, HEIGHT = 96, 64
FOLDER = "differences/example"


def wcs() -> WCS:
    """Return a projection that is turned, so that no axis can be taken for the other."""
    found = WCS(naxis=2)
    found.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    found.wcs.crval, found.wcs.crpix = [150.0, 2.0], [48.5, 32.5]
    found.wcs.cd = np.array([[-2.9e-4, 1.2e-4], [1.2e-4, 2.9e-4]])
    return found


def images(seed: int = 7) -> dict[str, np.ndarray]:
    """Return science, reference, difference, score and mask: noise, one new source, one bad column, one empty row."""
    random = np.random.default_rng(seed)
    science, reference = (random.normal(0.0, 10.0, (HEIGHT, WIDTH)).astype(np.float32) for _ in range(2))
    science[20:23, 30:33] += 500.0
    difference = science - reference
    score = difference / np.float32(14.0)
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[:, 5] = True
    for image in (science, reference, difference, score):
        image[0] = np.nan
    return {"science": science, "reference": reference, "difference": difference, "score": score, "mask": mask}


def write_images(run: DifferenceRun, seed: int = 7, projection: WCS | None = None) -> None:
    """Write the three products as the stage does."""
    write_all(run, images(seed), projection)


def write_all(run: DifferenceRun, made: dict[str, np.ndarray], projection: WCS | None = None) -> None:
    """Write the products of these images."""
    contents: dict[str, tuple[np.ndarray, list[tuple[str, Any]]]] = {
        run.difference_image_path: (made["difference"], [("MASK", made["mask"])]),
        run.significance_map_path: (made["score"], []),
        run.reference_aligned_path: (made["reference"], [("SCIENCE", made["science"])]),
    }
    for path, (data, extra) in contents.items():
        storage.write_atomically(path, encode_image(data, wcs=projection or wcs(), extra=extra))


def run_with_images(**values: Any) -> DifferenceRun:
    """Return a completed run whose images are there."""
    run = DifferenceRunFactory(
        difference_image_path=f"{FOLDER}/difference.fits",
        significance_map_path=f"{FOLDER}/score.fits",
        reference_aligned_path=f"{FOLDER}/reference.fits",
        **values,
    )
    write_images(run)
    return run
