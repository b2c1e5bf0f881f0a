"""What a network says, and what is alike: distances between what it goes by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Of what a network goes by.
FEATURES = 48
# What something real may be by its stamp alone, in the order of a network's outputs; all else is an artefact.
TYPES = ("supernova", "variable", "transient")

Floats = NDArray[np.float32]


def unpacked(stored: Sequence[bytes]) -> Floats:
    """Return features as they are stored, 48 float16 in little endian each, as (n, 48).

    ValueError : what is stored has another length.
    """
    if any(len(one) != 2 * FEATURES for one in stored):
        raise ValueError(f"features are {FEATURES} numbers of two bytes each")
    return np.frombuffer(b"".join(stored), dtype="<f2").reshape(-1, FEATURES).astype(np.float32)


def distances(one: Floats, others: Floats) -> Floats:
    """Return the Euclidean distance of each of the others (n, 48) from one (48,).

    The last layer of the network is linear in the features, so their own scale is that of its judgement.
    """
    apart = others - one
    found: Floats = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    return found


def usual_distance(several: Floats) -> float:
    """Return how far two of several (n, 48) usually lie apart: the rms over all pairs, NaN for fewer than two.

    That is the root of twice the sum of the variances, whatever the order of the rows.
    """
    return float(np.sqrt(2.0 * several.var(axis=0, ddof=1).sum())) if len(several) > 1 else float("nan")
