"""Stored arrays come back as they were written, without Python's own parser, which threads must not share."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import numpy as np
import pytest

from catalog.files import arrays

PLAIN = [
    np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4),
    np.array([1.5, np.nan, np.inf]),
    np.arange(5, dtype=np.uint8),
    np.array([[True, False]]),
    np.zeros((0, 4), np.int16),
]


def written(folder: Path, values: np.ndarray) -> Path:
    path = folder / "values.npy"
    np.save(path, values)
    return path


@pytest.mark.parametrize("is_mapped", [False, True])
@pytest.mark.parametrize("values", PLAIN, ids=lambda values: f"{values.dtype}{values.shape}")
def test_numbers_are_read_as_written_and_nothing_is_parsed(tmp_path, monkeypatch, values, is_mapped):
    if is_mapped and not values.size:
        pytest.skip("nothing can be mapped of nothing")
    monkeypatch.setattr(ast, "literal_eval", lambda _: pytest.fail("parsed"))
    found = arrays.load(written(tmp_path, values), is_mapped=is_mapped)
    assert (found.dtype, found.shape) == (values.dtype, values.shape)
    np.testing.assert_array_equal(found, values)
    assert isinstance(found, np.memmap) == is_mapped


@pytest.mark.parametrize(
    "values",
    [
        np.array([(1.0, 2)], dtype=[("value", "<f4"), ("cause", "u1")]),
        np.asfortranarray(PLAIN[0]),
        np.array(["a", "bc"]),
    ],
    ids=["of several kinds", "column by column", "texts"],
)
def test_what_is_written_otherwise_is_read_too(tmp_path, values):
    np.testing.assert_array_equal(arrays.load(written(tmp_path, values)), values)


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_what_is_no_array_is_refused(tmp_path, content):
    path = tmp_path / "values.npy"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"empty|pickled|header|magic|EOF"):
        arrays.load(path)


@pytest.mark.parametrize("is_mapped", [False, True])
def test_what_is_cut_off_is_refused(tmp_path, is_mapped):
    path = written(tmp_path, PLAIN[0])
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"reshape|length"):
        arrays.load(path, is_mapped=is_mapped)


def test_objects_are_never_unpacked(tmp_path):
    path = tmp_path / "values.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        arrays.load(path)


def test_all_arrays_of_a_file_come_by_name():
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=PLAIN[0], b=PLAIN[1])
    buffer.seek(0)
    found = arrays.load_all(buffer)
    assert set(found) == {"a", "b"}
    np.testing.assert_array_equal(found["a"], PLAIN[0])
