"""The demo from simulated frames to the printed table and the picture."""

from __future__ import annotations

import contextlib
import io
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import override_settings
from matplotlib.image import imread

from astrid_site.management.commands import demo
from astrid_site.night import contact_sheet, demonstration
from astrid_site.night.document import document
from astrid_site.running import database
from curation.judgements.verdicts import OPEN
from detection.models import Detection
from detection.sources.photometry import magnitude
from observations.delivery.simulated_folder import SimulatedFolder
from observations.models import Observation
from preprocessing.models import PreprocessRun
from tests.nights import PARAMETERS

pytestmark = pytest.mark.usefixtures("_given_database")


@pytest.fixture
def _given_database(monkeypatch):
    """Leave the database to the tests: the command would close their connection."""
    monkeypatch.setattr(database, "usable", lambda report, **_: contextlib.nullcontext())


@dataclass(frozen=True)
class Run:
    """What one run of the command wrote."""

    output: str
    progress: str
    sheet: bytes


def run_demo(root: Path, *arguments: str) -> Run:
    output, progress = io.StringIO(), io.StringIO()
    call_command("demo", "--alone", *arguments, stdout=output, stderr=progress)
    sheets = list((root / "demo").glob("*.png"))
    return Run(output.getvalue(), progress.getvalue(), sheets[0].read_bytes() if sheets else b"")


@pytest.fixture(scope="module")
def runs(loops, django_db_setup, django_db_blocker, tmp_path_factory):
    """Run the demo twice on small nights; what it wrote to the database is taken back at the end."""
    root = tmp_path_factory.mktemp("demo")
    patch = pytest.MonkeyPatch()
    patch.setattr(database, "usable", lambda report, **_: contextlib.nullcontext())
    patch.setattr(demonstration, "parameters_of", lambda **_: PARAMETERS)
    arguments = ("--size", str(PARAMETERS.size), "--picture", str(root / "small.png"))
    with django_db_blocker.unblock(), override_settings(ASTRID_DATA_ROOT=root), transaction.atomic():
        try:
            yield run_demo(root, *arguments), run_demo(root, *arguments), root
        finally:
            transaction.set_rollback(True)
            patch.undo()


def test_each_injected_source_of_each_usable_frame_has_a_line(runs):
    lines = [line for line in runs[0].output.splitlines() if re.match(r" {4}(transient\d\d|asteroid|variable)", line)]
    # The good frames of the second night, each with the transients, the asteroid and the variable.
    assert len(lines) == PARAMETERS.frames * (PARAMETERS.transients + 2)
    assert all(re.search(r"found +S/N +[\d.]+ +flux / truth +[\d.]+|MISSED", line) for line in lines)


def test_the_asteroid_and_the_variable_are_found_in_every_usable_frame(runs):
    for name in ("asteroid", "variable"):
        outcomes = re.findall(rf"^ {{4}}{name}\s+(\w+)", runs[0].output, flags=re.MULTILINE)
        assert outcomes == ["found"] * PARAMETERS.frames


def test_the_clouded_frame_is_shown_as_failed_and_its_sources_are_not_counted(runs):
    assert re.search(r"^night2_light03\.fits  failed: \w", runs[0].output, flags=re.MULTILINE)
    assert re.search(r"night2_light03\.fits was not compared \(\w+\)", runs[0].output)
    injected = PARAMETERS.frames * (PARAMETERS.transients + 2)
    assert re.search(rf"^\d+ of {injected} injected sources found", runs[0].output, flags=re.MULTILINE)


def test_the_moving_object_is_reported_at_its_true_rate(runs):
    rates = re.findall(r"moving object in 3 frames, ([\d.]+) arcsec/min", runs[0].output)
    # 0.3 px/min at 1.2 arcsec/px; centroids of S/N 15 over 45 minutes allow 0.01 arcsec/min.
    assert [float(rate) for rate in rates] == [pytest.approx(0.36, abs=0.01)]


def test_a_second_run_simulates_nothing_and_prints_the_same(runs):
    first, second, _ = runs
    assert "simulated truth.json" in first.progress
    assert not [line for line in second.progress.splitlines() if line.startswith("simulated")]
    assert second.output == first.output
    assert second.sheet == first.sheet


@pytest.fixture
def frames(runs):
    """The preprocessed frames of the demo with what is truly in each."""
    (path,) = (runs[2] / "demo").glob("*/truth.json")
    known = json.loads(path.read_text())["files"]
    rows = PreprocessRun.objects.select_related("observation").order_by("observation__mjd_utc")
    return [(row, known[row.observation.original_name]) for row in rows]


def good(frames):
    return [(row, known) for row, known in frames if not known["is_clouded"]]


def matched(frames):
    """Yield each injected source that was found as (its truth, its detection, the frame's row)."""
    for row, known in good(frames):
        for source in known["sources"]:
            for detection in Detection.objects.filter(observation=row.observation).select_related("candidate"):
                if math.hypot(detection.pixel_x - source["x"], detection.pixel_y - source["y"]) < 3.0:
                    yield source, detection, row


def test_every_good_frame_is_solved_with_the_catalogue_of_the_simulated_sky(runs, frames):
    assert "Star catalogue of the simulated sky: " in runs[0].progress
    assert {row.observation.wcs_quality for row, _ in good(frames)} == {"solved"}
    assert {(row.zero_point_catalogue, row.zero_point_band, row.zero_point_system) for row, _ in good(frames)} == {
        ("simulated sky 3", "R", "Vega")
    }


def test_zero_points_are_those_of_the_simulation(frames):
    for row, known in good(frames):
        # 27.7 for an electron at full transparency; 1.5 electrons a count.
        true = PARAMETERS.zero_point_mag - 2.5 * math.log10(1.5 / known["transparency"])
        # The catalogue's errors of 0.02 mag average out; what is lost of a Moffat's wings is 0.02 mag.
        assert row.zero_point_mag == pytest.approx(true, abs=0.03)
        assert row.zero_point_error < 0.02


def test_magnitudes_of_what_was_injected_are_measured_within_their_errors(frames):
    pulls = []
    for source, detection, row in matched(frames):
        measured, error = magnitude(detection, row)
        assert error < 0.3
        pulls.append((measured - source["magnitude"]) / error)
    assert len(pulls) >= 12
    assert abs(np.median(pulls)) < 1.0
    assert np.sqrt(np.mean(np.square(pulls))) < 2.0


def test_limiting_magnitudes_foretell_the_significance_of_what_was_injected(frames):
    # At the limit a source has 5 sigma of the frame's own sky. The difference adds the noise of the reference and of
    # the source itself, so that it has somewhat less.
    shares = []
    for source, detection, row in matched(frames):
        foretold = 5.0 * 10 ** (0.4 * (row.limiting_magnitude - source["magnitude"]))
        shares.append(detection.candidate.snr / foretold)
    assert 0.5 < np.median(shares) < 1.05
    assert all(share < 1.4 for share in shares)


def test_some_of_what_waits_for_people_is_bogus_and_the_demo_says_what_it_is(runs, frames):
    named = re.findall(r"^ {4}(satellite flash|ghost|particle hit) +false +S/N", runs[0].output, flags=re.MULTILINE)
    assert "satellite flash" in named
    injected = {detection.pk for _, detection, _ in matched(frames)}
    waiting = Detection.objects.filter(status__in=OPEN)
    assert 0 < waiting.exclude(pk__in=injected).count() < len(injected) / 2


def test_the_catalogue_of_the_settings_is_not_used_for_a_simulated_sky(tmp_path, empty_data_root):
    other = tmp_path / "mine.csv"
    said = io.StringIO()
    with override_settings(ASTRID_STAR_CATALOG=str(other)):
        demo.Command(stderr=said)._use_star_catalog(SimulatedFolder(tmp_path))
        assert str(tmp_path / "star_catalog.csv") == settings.ASTRID_STAR_CATALOG
    assert "ASTRID_STAR_CATALOG is not used" in said.getvalue()


def test_nights_that_an_earlier_version_simulated_get_the_catalogue_they_lack(tmp_path, monkeypatch):
    monkeypatch.setattr(demonstration, "parameters_of", lambda **_: PARAMETERS)
    folder = SimulatedFolder(tmp_path)
    folder.truth.write_text("{}")
    said: list[str] = []
    demonstration.simulate_into(folder, 3, 320, said.append)
    assert said == ["simulated star_catalog.csv"]
    assert folder.truth.read_text() == "{}"
    assert folder.star_catalog.read_text().startswith("# name: simulated sky 3\n")


def test_the_printed_path_of_the_contact_sheet_is_a_picture_on_a_dark_page(runs):
    path = re.findall(r"^Contact sheet: (.+)$", runs[0].output, flags=re.MULTILINE)
    assert len(path) == 1
    pixels = imread(path[0])[:, :, :3]
    assert pixels.shape[0] > 300
    assert np.median(pixels) < 0.3
    assert tuple(np.rint(255 * pixels[0, 0]).astype(int)) == (12, 13, 16)  # contact_sheet.BACKGROUND


def test_the_small_picture_is_written_where_it_was_asked_for_and_is_small(runs):
    path = runs[2] / "small.png"
    assert 20_000 < path.stat().st_size < 400_000


def test_arguments_for_own_frames_without_frames_are_bad_usage():
    with pytest.raises(CommandError, match="give --data as well") as refusal:
        call_command("demo", "--ra", "10", "--dec", "20")
    assert refusal.value.returncode == 2


def test_data_that_does_not_exist_is_bad_usage(tmp_path):
    with pytest.raises(CommandError, match="there is no such file or folder") as refusal:
        call_command("demo", "--data", str(tmp_path / "nowhere"))
    assert refusal.value.returncode == 2


@pytest.mark.django_db
def test_a_folder_without_fits_files_says_so_and_ends_with_1(tmp_path, empty_data_root, capsys):
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "letter.txt").write_text("dear diary")
    with pytest.raises(SystemExit) as ended:
        call_command("demo", "--alone", "--data", str(folder))
    assert ended.value.code == 1
    printed = capsys.readouterr()
    assert "This folder holds no FITS files." in printed.out
    assert "Nothing could be ingested" in printed.err
    assert "Contact sheet" not in printed.out


def test_a_picture_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    with pytest.raises(CommandError, match="no such folder") as refusal:
        call_command("demo", "--picture", str(tmp_path / "nowhere" / "a.png"))
    assert refusal.value.returncode == 2


def test_the_page_has_no_more_cells_than_are_taken_in_at_a_glance():
    assert demonstration.MOST_CELLS <= 24
    assert demonstration.PICTURE_CELLS * 3 * 63 * contact_sheet.DOTS_PER_PIXEL < 10_000


def test_the_documented_keys_of_the_document_are_its_keys(runs):
    whole = document(Observation.objects.values_list("pk", flat=True), [])
    text = (Path(__file__).resolve().parents[3] / "docs" / "json.md").read_text()
    documented = {
        name: re.findall(r"^\| `(\w+)` \|", part, flags=re.MULTILINE)
        for name, part in re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    }
    documented["detections"] = documented["candidates"] + documented["detections"]
    assert documented == {name: list(rows[0]) for name, rows in whole.items()}
