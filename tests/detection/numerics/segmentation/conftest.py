"""Weights that are not trained, and a difference with a trail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from detection.numerics.segmentation.network import ARCHITECTURE, TrailsUnet


def untrained(path: Path, **changes: object) -> Path:
    """Write weights drawn at random, of the architecture or of another."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        tensors = TrailsUnet().state_dict()
    path.write_bytes(save(tensors, metadata={"architecture": str(changes.get("architecture", ARCHITECTURE))}))
    return path


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    return untrained(tmp_path_factory.mktemp("segmentation") / "untrained.safetensors")


def blank(shape, seed=1):
    """Return a difference that holds noise alone, and a mask of nothing."""
    return np.random.default_rng(seed).normal(0.0, 7.0, shape).astype(np.float32), np.zeros(shape, dtype=bool)
