"""The comparison with the truth counts what it should."""

from __future__ import annotations

import re
from typing import Any

from astrid_site.night import truth


def a_row(x: float, y: float, **values: Any) -> dict[str, Any]:
    return {
        "file": "a.fits", "pixel_x": x, "pixel_y": y, "snr": 20.0, "flux": 950.0, "flux_error": 50.0,
        "confidence_score": 0.9, "is_dipole": False, "is_reference_ghost": False, **values,
    }  # fmt: skip


def a_source(name: str, x: float, y: float, change_adu: float = 1000.0) -> dict[str, Any]:
    return {"name": name, "kind": name, "x": x, "y": y, "change_adu": change_adu, "is_on_host": False}


def compared(detections: list, candidates: list, sources: list, status: str = "differenced", **known: Any):
    whole = {
        "observations": [
            {"file": "a.fits", "status": status, "failure_code": "clouded", "error_message": "Too little light."},
            {"file": "not simulated.fits", "status": status},
        ],
        "detections": detections,
        "candidates": candidates,
    }
    return truth.compare(whole, {"files": {"a.fits": {"sources": sources, **known}}})


def test_a_detection_within_the_radius_is_the_sources_and_one_beyond_is_false():
    near, far = a_row(12.9, 10.0), a_row(10.0, 13.1)
    frames = compared([near, far], [near, far], [a_source("one", 10.0, 10.0)])
    assert [match.detection for match in frames[0].matches] == [near]
    assert frames[0].false == (("false", far),)
    assert truth.names_of(frames) == {("a.fits", 12.9, 10.0): "one", ("a.fits", 10.0, 13.1): "false"}


def test_a_detection_just_beyond_the_radius_is_not_the_sources():
    off = a_row(13.1, 10.0)
    frames = compared([off], [off], [a_source("one", 10.0, 10.0)])
    assert frames[0].matches[0].detection is None
    assert frames[0].false == (("false", off),)


def test_a_false_detection_at_an_artefact_of_the_simulation_has_its_name():
    at, off = a_row(40.0, 50.0), a_row(40.0, 56.0)
    artefacts = [{"kind": "ghost", "x": 41.0, "y": 50.5, "flux_adu": 900.0}]
    frames = compared([at, off], [at, off], [a_source("one", 10.0, 10.0)], artefacts=artefacts)
    assert [name for name, _ in frames[0].false] == ["ghost", "false"]
    lines = list(truth.table(frames))
    assert lines[0] == "a.fits  0 of 1 injected sources found, 2 false"
    assert re.match(r"    ghost +false +S/N +20\.0   x 40\.0, y 50\.0   score 0\.90", lines[2])


def test_a_missed_source_says_how_far_it_came():
    scored, ghost = a_row(10.0, 10.0), a_row(50.0, 50.0, is_reference_ghost=True)
    sources = [a_source("low", 10.0, 10.0), a_source("ghost", 50.0, 50.0), a_source("none", 90.0, 90.0, 300.0)]
    lines = list(truth.table(compared([], [scored, ghost], sources)))
    assert lines[0] == "a.fits  0 of 3 injected sources found, 0 false"
    assert "a candidate, but scored below the threshold" in lines[1]
    assert "a candidate, but flagged as reference ghost" in lines[2]
    # 300 ADU over the median error of 50.
    assert "no candidate; expected S/N about 6" in lines[3]


def test_the_totals_count_faint_sources_apart():
    found = a_row(10.0, 10.0)
    sources = [a_source("bright", 10.0, 10.0), a_source("lost", 40.0, 40.0), a_source("faint", 90.0, 90.0, 300.0)]
    lines = list(truth.totals(compared([found], [found], sources)))
    assert lines[0] == "1 of 3 injected sources found; with an expected S/N above 10, 1 of 2"
    assert lines[2] == "median of measured over true flux: 0.950"


def test_sources_of_a_failed_frame_are_not_counted():
    frames = compared([], [], [a_source("one", 10.0, 10.0)], status="failed")
    assert list(truth.table(frames)) == ["a.fits  failed: Too little light."]
    lines = list(truth.totals(frames))
    assert lines[0].startswith("0 of 0 injected sources found")
    assert lines[-1] == "a.fits was not compared (clouded); its sources are not counted"
