"""Stamps of other surveys, scored by a command."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from detection.models import Model
from detection.numerics.infer import score
from detection.registry.weights import ensure_default_model, weights_path

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


def triplets(count: int = 5) -> np.ndarray:
    """Return stars of a FWHM of 2.5 px on noise, in the science images and the differences."""
    rng = np.random.default_rng(3)
    found = rng.normal(100.0, 3.0, (count, 3, 63, 63)).astype(np.float32)
    y, x = np.mgrid[:63, :63] - 31
    star = 2000.0 * np.exp(-4.0 * np.log(2.0) * (x**2 + y**2) / 2.5**2)
    found[:, 0] += star
    found[:, 2] += star - 100.0
    return found


def scored(tmp_path: Path, found: np.ndarray, **options: object) -> list[dict[str, str]]:
    np.savez(tmp_path / "stamps.npz", triplets=found)
    call_command("score_stamps", str(tmp_path / "stamps.npz"), out=tmp_path / "scores.csv", **options)
    with (tmp_path / "scores.csv").open() as file:
        return list(csv.DictReader(file))


def test_each_stamp_has_a_line_with_the_score_of_the_active_model(tmp_path, capsys):
    found = triplets()
    found[1, 2] = np.nan
    # What surveys write where they know nothing is no count.
    found[2, :, :, 60:] = np.finfo(np.float32).min
    rows = scored(tmp_path, found, fwhm=2.5)
    assert list(rows[0]) == [
        "index", "confidence_score", "p_supernova", "p_variable", "p_transient", "p_artifact", "anomaly",
    ]  # fmt: skip
    assert [row["index"] for row in rows] == ["0", "1", "2", "3", "4"]
    stamps = np.concatenate([found, np.zeros((5, 1, 63, 63), np.float32)], axis=1)
    expected = score(stamps, weights_path(ensure_default_model()), fwhm_px=2.5)
    assert np.isfinite(expected).tolist() == [True, False, True, True, True]
    for row, value in zip(rows, expected, strict=True):
        assert row["confidence_score"] == ("" if np.isnan(value) else f"{value:.6f}")
        if np.isnan(value):
            assert set(row.values()) == {row["index"], ""}, "nothing is made up"
            continue
        of_all = [float(row[f"p_{name}"]) for name in ("supernova", "variable", "transient", "artifact")]
        assert sum(of_all) == pytest.approx(1.0, abs=1e-5)
        assert of_all[-1] == pytest.approx(1.0 - value, abs=1e-5)
        assert 0.0 <= float(row["anomaly"]) <= 1.0
    assert "4 of 5 scored by" in capsys.readouterr().out


def test_the_width_of_a_star_is_found_where_it_is_not_told_and_that_is_said(tmp_path, capsys):
    assert all(float(row["confidence_score"]) > 0.5 for row in scored(tmp_path, triplets()))
    said = capsys.readouterr().err
    width = float(said.split("taken to be ")[1].split(" px")[0])
    assert width == pytest.approx(2.5, abs=0.4)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (np.zeros((2, 3, 31, 31)), r"not numbers \(n, 3, 63, 63\)"),
        (np.full((2, 3, 63, 63), "x"), "not numbers"),
        (np.zeros((2, 3, 63, 63)), "bright enough"),
    ],
)
def test_what_are_no_stamps_is_refused_with_a_sentence(tmp_path, found, why):
    with pytest.raises(CommandError, match=why):
        scored(tmp_path, found)
    assert not (tmp_path / "scores.csv").exists()


def test_a_file_that_is_no_npz_and_a_model_that_is_not_there_are_refused(tmp_path):
    (tmp_path / "page.npz").write_bytes(b"<html>")
    with pytest.raises(CommandError, match=r"page.npz is no .npz file"):
        call_command("score_stamps", str(tmp_path / "page.npz"), out=tmp_path / "scores.csv")
    with pytest.raises(CommandError, match="no model braai:9; choose one of: none is registered"):
        scored(tmp_path, triplets(1), model="braai:9")
    ensure_default_model()
    [model] = Model.objects.all()
    assert scored(tmp_path, triplets(1), model=f"{model.name}:{model.version}", fwhm=2.5)
