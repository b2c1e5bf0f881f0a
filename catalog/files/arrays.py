"""Stored arrays, read by many threads at once.

numpy takes the head of a file apart with Python's own parser, which in 3.11 breaks now and then where two threads parse
at the same time ("AST constructor recursion depth mismatch"), and which takes as long as the pixels of a cutout.
"""

from __future__ import annotations

import math
import re
import threading
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

# Of whatever kind of number.
Values = NDArray[Any]
_MAGIC = b"\x93NUMPY\x01\x00"
# Numbers of one kind, row by row, as `numpy.save` writes them.
_PLAIN = re.compile(rb"\{'descr': '([<|][a-z]\d+)', 'fortran_order': False, 'shape': \((\d+(?:, \d+)*),?\), \} *\n")
_parsing = threading.Lock()


def load(path: Path, *, is_mapped: bool = False) -> Values:
    """Return what an .npy file holds, mapped to read only where wanted; ValueError where it is none, or cut off."""
    with path.open("rb") as file:
        found = _PLAIN.fullmatch(_head(file))
        if found is None:
            return _parsed(path, is_mapped=is_mapped)
        dtype, shape = np.dtype(found[1].decode()), tuple(map(int, found[2].split(b", ")))
        if is_mapped:
            return np.memmap(path, dtype, "r", file.tell(), shape)
        return np.fromfile(file, dtype, math.prod(shape)).reshape(shape)


def _parsed(path: Path, *, is_mapped: bool) -> Values:
    try:
        with _parsing:
            values: Values = np.load(path, mmap_mode="r" if is_mapped else None, allow_pickle=False)
    except EOFError as error:
        raise ValueError(f"{path.name} is empty.") from error
    return values


def load_all(file: IO[bytes]) -> dict[str, Values]:
    """Return all arrays of an .npz file."""
    with _parsing, np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


def _head(file: IO[bytes]) -> bytes:
    """Return the head of an array file of the first version, b"" of anything else."""
    begin = file.read(len(_MAGIC) + 2)
    if not begin.startswith(_MAGIC):
        return b""
    return file.read(int.from_bytes(begin[len(_MAGIC) :], "little"))
