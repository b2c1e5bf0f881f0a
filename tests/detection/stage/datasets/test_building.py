"""Data sets: what is gathered of each origin, that they never change, and what is refused."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.utils import DatabaseError

from catalog.files import storage
from catalog.models import AuditLog
from detection.models import DataSet, Detection
from detection.numerics.gathered import Gathered
from detection.numerics.parts import PARTS, TEST
from detection.stage.datasets import building, origins, stored
from detection.stage.datasets.building import Recipe, build
from detection.stage.datasets.origins import Origin
from differencing.models import Candidate
from tests.curation.cutouts import cutouts, detection_with_cutouts
from tests.detection.numerics.gathering import independent
from tests.factories import PreprocessRunFactory

pytestmark = pytest.mark.django_db


def quiet(_: str) -> None:
    """Drop a line of progress."""


def simulated(pairs: int, seed: int, say: object) -> Origin:
    """Stand in for the simulation, which takes minutes: ten examples a pair."""
    found = independent(10 * pairs, seed=seed)
    return Origin(found, {"origin": "simulated", "examples": len(found), "parameters": {"pairs": pairs, "seed": seed}})


@pytest.fixture(autouse=True)
def _without_simulation(monkeypatch):
    monkeypatch.setattr(origins, "simulated", simulated)


def made(version: str = "1", **changes: object) -> DataSet:
    return build(Recipe(**{"name": "mine", "version": version, "simulated_pairs": 24} | changes), quiet)


def test_a_data_set_is_two_files_and_a_row_that_tell_the_same(empty_data_root):
    row = made()
    manifest = json.loads((empty_data_root / row.path / "manifest.json").read_text())
    assert manifest == row.manifest
    assert manifest["sha256"] == row.sha256
    assert manifest["kinds"] == {"simulated": {"bogus": 120, "hostless": 120}}
    assert manifest["cutout"] == {"shape": [4, 63, 63], "type": "float16"}
    assert sum(manifest["parts"][name]["examples"] for name in PARTS) == row.example_count == 240
    assert len(row.code_version) == 16
    assert AuditLog.objects.filter(action="make_data_set", entity_id=str(row.pk)).exists()
    of = stored.read(row)
    assert {name: int((of.part == name).sum()) for name in PARTS} == {
        name: manifest["parts"][name]["examples"] for name in PARTS
    }


def test_the_same_recipe_gives_the_same_bytes_and_another_seed_others(empty_data_root):
    first, second, other = made("1"), made("2"), made("3", seed=9)
    assert first.sha256 == second.sha256
    assert other.sha256 != first.sha256


def test_a_version_is_made_once_and_neither_row_nor_file_is_written_again(empty_data_root):
    row = made()
    before = (empty_data_root / row.path / "examples.npz").read_bytes()
    with pytest.raises(stored.DataSetRefused, match="another version"):
        made(seed=5)
    assert (empty_data_root / row.path / "examples.npz").read_bytes() == before
    every: tuple[dict[str, object], ...] = ({"sha256": "0" * 64}, {"manifest": {}}, {"version": "2"})
    for changes in every:
        with pytest.raises(DatabaseError), transaction.atomic():
            DataSet.objects.filter(pk=row.pk).update(**changes)


def test_an_altered_or_missing_file_is_refused_with_the_reason(empty_data_root):
    row = made()
    path = empty_data_root / row.path / "examples.npz"
    content = bytearray(path.read_bytes())
    content[-200] ^= 1
    path.write_bytes(content)
    with pytest.raises(stored.DataSetRefused, match="sha256"):
        stored.read(row)
    path.unlink()
    with pytest.raises(stored.DataSetRefused, match="missing"):
        stored.read(row)


def test_what_ends_amid_writing_leaves_no_row_and_the_version_free(empty_data_root, monkeypatch):
    write = storage.write_atomically

    def full(path: str, content: bytes) -> str:
        if path.endswith("manifest.json"):
            raise storage.StorageFull("No room.")
        return write(path, content)

    monkeypatch.setattr(stored.storage, "write_atomically", full)
    with pytest.raises(storage.StorageFull):
        made()
    assert not DataSet.objects.exists()
    monkeypatch.undo()
    monkeypatch.setattr(origins, "simulated", simulated)
    assert stored.read(made()).examples.is_real.sum() == 120


def test_frames_of_known_truth_are_labelled_as_they_went_through_the_pipeline(night):
    origin = origins.by_truth(night.folder)
    of = origin.examples
    assert of is not None
    assert set(of.examples.kind[of.examples.is_real].tolist()) & {"transient", "on host"}
    assert of.examples.is_real.sum() >= 6
    assert (~of.examples.is_real).any()
    assert set(of.examples.group.tolist()) <= {str(row.pk) for row in (*night.good, *night.earlier, night.clouded)}
    assert len(set(of.night.tolist())) <= 2
    # A transient is one source in all frames of its night.
    names = of.source[of.examples.is_real]
    assert len(set(names.tolist())) < len(names)
    assert origin.told["examples"] == len(of)


def test_a_folder_without_truth_is_refused(tmp_path):
    with pytest.raises(stored.DataSetRefused, match=r"truth\.json"):
        origins.by_truth(tmp_path)


def test_injected_sources_are_real_and_of_their_frame(empty_data_root):
    row = detection_with_cutouts(source=None)
    Candidate.with_injected.filter(pk=row.candidate_id).update(is_injected=True)
    Detection.with_injected.filter(pk=row.pk).update(is_injected=True)
    PreprocessRunFactory(observation=row.observation, fwhm_px=3.0)
    detection_with_cutouts(seed=2)  # found, and nobody knows what it is
    of = origins.injected().examples
    assert of is not None
    assert (len(of), of.examples.is_real.all(), of.key.tolist()) == (1, True, [str(row.pk)])
    assert of.night.tolist() == [row.observation.night.isoformat()]


def exported(path: Path, rows: list[Detection], **changes: object) -> Path:
    lines = [
        {"detection": str(row.pk), "is_valid": k % 2 == 0, "label": "", "inclusion_probability": 1.0, "look": "blind",
         "model_version": "real-bogus 0", "model_sha256": "ab" * 32} | changes
        for k, row in enumerate(rows)
    ]  # fmt: skip
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def test_answers_become_examples_and_what_cannot_be_used_is_counted_by_reason(empty_data_root, tmp_path):
    rows = [detection_with_cutouts(seed=k) for k in range(4)]
    for row in rows[:3]:
        PreprocessRunFactory(observation=row.observation, fwhm_px=3.0)
    storage.remove(rows[1].cutouts_path)
    unknown = Detection(pk="01900000-0000-7000-8000-000000000000")
    path = exported(tmp_path / "labels.jsonl", [*rows, unknown], inclusion_probability=0.25)
    origin = origins.answers(path)
    of = origin.examples
    assert of is not None
    # The last one's seeing is measured in its own stamp.
    assert of.key.tolist() == [str(row.pk) for row in (rows[0], rows[2], rows[3])]
    assert of.weight.tolist() == [4.0] * 3
    assert origin.told["not_used"] == {"not in this database": 1, "stamps are gone": 1}
    assert origin.told["models"] == {"real-bogus 0 " + "ab" * 6: 5}


@pytest.mark.parametrize("content", ["", "no json", '{"detection": "x"}', '{"detection": 1}'])
def test_a_file_that_is_no_export_is_refused(empty_data_root, tmp_path, content):
    path = tmp_path / "labels.jsonl"
    path.write_text(content)
    with pytest.raises(stored.DataSetRefused):
        made(simulated_pairs=0, labels=(path,))


def imported_file(path: Path, count: int = 60, **more: np.ndarray) -> Path:
    stamps = np.stack([cutouts(k)[:3] for k in range(count)])
    is_real = np.arange(count) % 2 == 0
    np.savez(path, allow_pickle=False, triplets=stamps, is_real=is_real, **more)
    return path


def test_stamps_of_other_surveys_come_with_their_labels(empty_data_root, tmp_path):
    path = imported_file(tmp_path / "ztf.npz", exposure=np.array([f"e{k // 3}" for k in range(60)]))
    row = made(simulated_pairs=0, imported=(path,))
    of = stored.read(row)
    assert set(of.camera.tolist()) == {"ztf"}
    assert len(set(of.examples.group.tolist())) == 20
    assert of.examples.fwhm_px.min() > 0


def test_stamps_of_another_form_are_refused(empty_data_root, tmp_path):
    np.savez(tmp_path / "a.npz", allow_pickle=False, triplets=np.zeros((3, 63, 63)), is_real=np.zeros(3, bool))
    with pytest.raises(stored.DataSetRefused, match="63"):
        made(simulated_pairs=0, imported=(tmp_path / "a.npz",))


def test_of_one_detection_what_was_gathered_last_counts(empty_data_root):
    def keyed(seed: int) -> Gathered:
        of = independent(240, seed=seed)
        return replace(of, key=np.array([f"detection {k}" if k < 20 else "" for k in range(240)]))

    whole = building._once(building.together([keyed(1), keyed(2)]))
    assert len(whole) == 460
    assert set(whole.examples.group[whole.key != ""].tolist()) == {"simulated 2 0", "simulated 2 1"}


def test_a_golden_set_is_measured_by_as_a_whole_and_there_is_one(empty_data_root):
    first, second = made("1", is_golden=True), made("2", is_golden=True, seed=4)
    assert set(stored.read(second).part.tolist()) == {TEST}
    first.refresh_from_db()
    assert [row.version for row in DataSet.objects.golden()] == ["2"]
    assert AuditLog.objects.filter(action="unmark_golden", entity_id=str(first.pk)).exists()


def test_another_data_set_s_examples_are_taken_over_with_their_origin(empty_data_root):
    made("1")
    row = build(Recipe("both", "1", simulated_pairs=12, seed=7, include=("mine:1",)), quiet)
    assert row.example_count == 360
    with pytest.raises(stored.DataSetRefused, match="mine:1"):
        build(Recipe("more", "1", include=("mine:8",)), quiet)


def test_flipped_answers_are_told_in_the_manifest(empty_data_root, monkeypatch):
    answered = independent(240, seed=8, origin="answers")
    answered = replace(answered, key=np.array([f"detection {k}" for k in range(240)]))
    flipped = [10, 33, 120, 201]
    answered.examples.is_real[flipped] = ~answered.examples.is_real[flipped]
    monkeypatch.setattr(origins, "answers", lambda path: Origin(answered, {"origin": "answers"}))
    monkeypatch.setattr(building, "weights_path", lambda model: "")
    monkeypatch.setattr(building, "ensure_default_model", lambda: None)
    middle = lambda of, _: of.stamps[:, 2, 30:33, 30:33].astype(float).mean(axis=(1, 2))[:, None]  # noqa: E731
    monkeypatch.setattr(building, "features", middle)
    row = made(labels=(Path("any"),))
    assert {suspect["detection"] for suspect in row.manifest["suspects"]} == {f"detection {k}" for k in flipped}


def test_the_command_prints_the_manifest_and_refuses_in_words(empty_data_root, capsys):
    out = io.StringIO()
    call_command("build_dataset", "mine", "--data-version", "1", "--simulated-pairs", "24", "--json", stdout=out)
    assert json.loads(out.getvalue())["examples"] == 240
    out = io.StringIO()
    call_command("build_dataset", "mine", "--data-version", "2", "--simulated-pairs", "24", stdout=out)
    assert "mine:2: datasets/mine-2, sha256" in out.getvalue()
    with pytest.raises(CommandError, match="no examples"):
        call_command("build_dataset", "mine", "--data-version", "3")
    with pytest.raises(CommandError, match="another version"):
        call_command("build_dataset", "mine", "--data-version", "2", "--simulated-pairs", "24")
