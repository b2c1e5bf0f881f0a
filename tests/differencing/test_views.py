"""The page of one subtraction: its pictures, its candidates, and the list of a frame's subtractions."""

from __future__ import annotations

import gzip
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from catalog.files import storage
from differencing.models import DifferenceRun
from differencing.pictures import tiles
from tests.browsers import staff_of
from tests.differencing import images
from tests.differencing.images import HEIGHT, WIDTH, run_with_images, write_images
from tests.factories import (
    CandidateFactory,
    DetectionFactory,
    DifferenceRunFactory,
    ObservationFactory,
    ReferenceFactory,
)

pytestmark = pytest.mark.django_db
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>\x1b[31m\u202e'
KINDS = ("science", "reference", "difference", "score")


@pytest.fixture
def client() -> Client:
    return staff_of("viewer")


def html(client: Client, run: DifferenceRun) -> str:
    answer = client.get(f"/differences/{run.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def picture(client: Client, run: DifferenceRun, kind: str, **headers: str) -> Any:
    return client.get(f"/differences/{run.pk}/{kind}.png", headers=headers)


def drawn(client: Client, run: DifferenceRun, kind: str) -> Image.Image:
    return Image.open(io.BytesIO(picture(client, run, kind).content))


# --- Pictures ---


def test_each_image_is_a_picture_with_the_first_row_of_the_file_at_the_bottom(client: Client, empty_data_root: Path):
    run = run_with_images()
    for kind in KINDS:
        answer = picture(client, run, kind)
        assert answer["Content-Type"] == "image/png"
        assert answer["Cache-Control"].startswith("private")
        colours = np.asarray(drawn(client, run, kind).convert("RGB"))
        assert colours.shape == (HEIGHT, WIDTH, 3)
        # No data in the first row, a bad column, greys in between.
        assert (colours[-1] == (46, 16, 101)).all()
        assert (colours[0, 5, 0] > colours[0, 5, 1]).all()
        assert (colours[:-1, 6:] == colours[:-1, 6:, :1]).all()
    source = np.asarray(drawn(client, run, "science").convert("L"))[HEIGHT - 22, 31]
    assert source > 200 > np.asarray(drawn(client, run, "reference").convert("L"))[HEIGHT - 22, 31]


def test_pictures_are_kept_and_made_anew_when_the_product_is(client: Client, empty_data_root: Path):
    run = run_with_images()
    for kind in KINDS:
        picture(client, run, kind)
    folder = empty_data_root / "previews" / "differences" / str(run.pk)
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(name.split("-")[0] for name in kept) == sorted(KINDS)

    known = picture(client, run, "difference")["ETag"]
    again = picture(client, run, "difference", **{"if-none-match": known})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", known)
    write_images(run, seed=8)
    new = picture(client, run, "difference", **{"if-none-match": known})
    assert new.status_code == 200
    assert new.content not in kept.values()
    assert len([path for path in folder.iterdir() if path.name.startswith("difference-")]) == 1


def test_a_kept_picture_is_sent_as_it_is(client: Client, empty_data_root: Path):
    run = run_with_images()
    picture(client, run, "score")
    [kept] = (empty_data_root / "previews").rglob("score-*.png")
    kept.write_bytes(b"kept")
    assert picture(client, run, "score").content == b"kept"


def test_without_room_a_picture_is_sent_all_the_same(
    client: Client, empty_data_root: Path, monkeypatch: pytest.MonkeyPatch
):
    run = run_with_images()

    def full(*_: object) -> str:
        raise storage.StorageFull("No room.")

    monkeypatch.setattr(storage, "write_atomically", full)
    assert picture(client, run, "science").status_code == 200
    assert not (empty_data_root / "previews").exists()


def test_missing_damaged_and_unknown_images_are_not_found(client: Client, empty_data_root: Path):
    run = run_with_images()
    assert picture(client, run, "everything").status_code == 404
    storage.write_atomically(run.significance_map_path, b"no image")
    assert picture(client, run, "score").status_code == 404
    storage.remove(run.difference_image_path)
    assert picture(client, run, "science").status_code == 404
    outside = DifferenceRunFactory(difference_image_path="../secret", reference_aligned_path="../secret")
    assert picture(client, outside, "difference").status_code == 404
    assert "There are no images of this difference." in html(client, outside)
    assert picture(client, DifferenceRunFactory(), "difference").status_code == 404


def test_large_images_are_averaged(client: Client, empty_data_root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("differencing.pictures.images.MOST_PX", 40)
    run = run_with_images()
    assert drawn(client, run, "science").size == (32, 22)
    assert "Each displayed pixel averages 3 × 3 pixels." in html(client, run)
    assert 'data-width="96" data-height="66"' in html(client, run)


# --- The page ---


def test_candidates_lie_where_they_were_measured_and_the_most_significant_is_first(
    client: Client, empty_data_root: Path
):
    run = run_with_images()
    CandidateFactory(difference_run=run, pixel_x=10.25, pixel_y=20.5, significance=8.0, status="rejected")
    dip = CandidateFactory(
        difference_run=run, pixel_x=30.0, pixel_y=0.0, significance=-12.0, is_negative=True, is_edge=True
    )
    text = html(client, run)
    rings = re.findall(r'class="ring (\w+)" href="#candidate-([\w-]+)" data-x="([\d.]+)" data-y="([\d.]+)"', text)
    assert rings[0] == ("pending", str(dip.pk), "30.50", f"{HEIGHT - 0.5:.2f}")
    assert rings[1][0] == "rejected"
    assert rings[1][2:] == ("10.75", f"{HEIGHT - 21:.2f}")
    assert f'id="candidate-{dip.pk}"' in text
    assert "fainter than in the reference; near the frame&#x27;s edge" in text


def test_a_detected_candidate_leads_to_its_detection(client: Client, empty_data_root: Path):
    run = run_with_images()
    row = DetectionFactory(candidate=CandidateFactory(difference_run=run, status="detected"))
    address = f"/candidates/{row.candidate_id}/"
    assert f'href="{address}"' in html(client, run)
    assert client.get(address)["Location"] == f"/detections/{row.pk}/"


def test_a_candidate_without_a_detection_says_so_in_words(client: Client):
    answer = client.get(f"/candidates/{CandidateFactory().pk}/")
    assert answer.status_code == 404
    assert "This candidate has no detection" in answer.content.decode()


def test_only_the_most_significant_of_many_are_shown_and_that_is_told(
    client: Client, empty_data_root: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("differencing.views._MOST_CANDIDATES", 2)
    run = run_with_images(candidates_found=3)
    for significance in (6.0, -30.0, 9.0):
        CandidateFactory(difference_run=run, significance=significance)
    text = html(client, run)
    assert "The 2 most significant of 3" in text
    assert "−30.0" in text
    assert "+6.0" not in text


def test_the_candidate_that_the_address_names_is_shown_however_faint_it_is(
    client: Client, empty_data_root: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("differencing.views._MOST_CANDIDATES", 1)
    run = run_with_images(candidates_found=2)
    strong = CandidateFactory(difference_run=run, significance=30.0)
    faint = CandidateFactory(difference_run=run, significance=6.0)
    other = CandidateFactory(significance=6.0)
    for wanted, count in ((faint, 2), (strong, 1), (other, 1)):
        text = client.get(f"/differences/{run.pk}/?candidate={wanted.pk}").content.decode()
        assert text.count('<a class="ring ') == count, wanted
    assert client.get(f"/differences/{run.pk}/?candidate=x").status_code == 200


def test_candidates_that_a_later_difference_took_over_are_told(client: Client):
    assert "A later difference of this frame" in html(client, DifferenceRunFactory(candidates_found=4))
    empty = DifferenceRunFactory(candidates_found=0, detection_threshold=5.0)
    assert "Nothing is more significant than 5.0 sigma" in html(client, empty)


def test_facts_are_shown_and_missing_ones_are_dashes(client: Client):
    frame, best = ObservationFactory(original_name="late.fits"), ObservationFactory(original_name="early.fits")
    reference = ReferenceFactory(best_member=best, version=7, frame_count=2)
    reference.members.set([best, ObservationFactory(original_name="other.fits")])
    run = DifferenceRunFactory(
        observation=frame, reference_observation=best, reference=reference, noise_level=12.34, matched_stars=57,
        registration_rms_px=0.1234, noise_rescale=1.01, detection_threshold=5.0,
        parameters={"zogy": {"tile_px": 256}, "diagnostics": {"flux_scale_median": 0.9411}},
    )  # fmt: skip
    text = html(client, run)
    for fact in ("version 7", "2 frames", "early.fits", "other.fits", "12.34 ADU", "0.123 px rms", "from 57 stars",
                 "0.9411", "1.010", "zogy.tile_px", "5.0 sigma"):  # fmt: skip
        assert fact in text, fact
    bare = html(client, DifferenceRunFactory())
    assert "None" not in re.sub(r"<[^>]*>", "", bare)
    assert "ADU per pixel" not in bare


def test_a_failure_is_told_in_words(client: Client):
    failed = DifferenceRunFactory(
        status="failed", candidates_found=None, failure_code="low_overlap", error_message="They share only 3.0%."
    )
    text = html(client, failed)
    assert "They share only 3.0%." in text
    assert "It failed before any were made" in text
    waiting = DifferenceRunFactory(status="pending", reference_observation=None, candidates_found=None)
    assert "It has not finished yet" in html(client, waiting)


def test_a_sky_position_is_offered_only_where_it_is_measured(client: Client, empty_data_root: Path):
    measured = run_with_images()
    given = json.loads(re.search(r'<script id="wcs"[^>]*>(.*?)</script>', html(client, measured))[1])
    assert given["CRVAL1"] == images.wcs().wcs.crval[0]
    assert given["CRPIX2"] == images.wcs().wcs.crpix[1]
    nominal = run_with_images(observation=ObservationFactory(wcs_quality="nominal"))
    text = html(client, nominal)
    assert 'id="wcs"' not in text
    assert "No sky position is shown under the pointer" in text


def test_names_from_headers_are_text(client: Client):
    text = html(client, DifferenceRunFactory(observation=ObservationFactory(original_name=HOSTILE)))
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "\u202e" not in text


def test_the_page_asks_as_much_for_one_candidate_as_for_twenty(
    client: Client, empty_data_root: Path, django_assert_num_queries: Any
):
    run = run_with_images(reference=ReferenceFactory())
    CandidateFactory(difference_run=run)
    with django_assert_num_queries(5):
        html(client, run)
    for _ in range(19):
        CandidateFactory(difference_run=run)
    with django_assert_num_queries(5):
        html(client, run)


# --- The list of a frame's subtractions ---


def test_the_subtractions_of_a_frame_are_listed_the_newest_first_and_no_others(client: Client):
    frame = ObservationFactory()
    old = DifferenceRunFactory(observation=frame, candidates_found=3)
    new = DifferenceRunFactory(observation=frame, reference=ReferenceFactory(version=9), candidates_found=1)
    other = DifferenceRunFactory()
    text = client.get(f"/observations/{frame.pk}/differences/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in text
    assert text.index(str(new.pk)) < text.index(str(old.pk))
    assert str(other.pk) not in text
    assert "reference 9 in R" in text
    assert "3 candidates" in text
    here = client.get(f"/observations/{frame.pk}/differences/?here={new.pk}").content.decode()
    assert "this run" in here
    link = f'href="/differences/{new.pk}/"'
    assert link in text and link not in here, "it does not lead to itself"


def test_a_frame_without_a_subtraction_says_so_and_no_frame_is_not_found(client: Client):
    text = client.get(f"/observations/{ObservationFactory().pk}/differences/").content.decode()
    assert "has not been compared" in text
    assert client.get(f"/observations/{DifferenceRunFactory().pk}/differences/").status_code == 404


def test_the_list_of_subtractions_asks_as_much_for_one_as_for_ten(client: Client, django_assert_num_queries: Any):
    frame = ObservationFactory()
    for count in (1, 9):
        for _ in range(count):
            DifferenceRunFactory(observation=frame, reference=ReferenceFactory())
        with django_assert_num_queries(4):
            client.get(f"/observations/{frame.pk}/differences/")


# --- Tiles ---


def tiled(client: Client, run: DifferenceRun, place: str, **query: str) -> Any:
    return client.get(f"/differences/{run.pk}/tiles/{place}", query, headers={"Accept-Encoding": "identity"})


def values_of(body: bytes) -> np.ndarray:
    line, _, rest = body.partition(b"\n")
    head = json.loads(line)
    planes = np.frombuffer(rest[: 4 * 256 * 256], np.uint8).reshape(4, -1).astype(np.uint32)
    codes = sum(plane << np.uint32(8 * number) for number, plane in enumerate(planes))
    values = np.where(codes == 0, np.nan, head["zero"] + (codes.astype(np.float64) - 0x80808080) * head["step"])
    return values.reshape(256, 256)


def test_a_tile_holds_the_values_of_the_image_that_was_asked_for(client: Client, empty_data_root: Path):
    run, made = run_with_images(), images.images()
    for kind in KINDS:
        values = values_of(tiled(client, run, f"{kind}/0/0/0").content)
        noise = np.nanstd(made["reference"]) if kind != "score" else 1.0
        assert np.nanmax(np.abs(values[:HEIGHT, :WIDTH] - made[kind])) < 0.01 * noise
        assert np.isnan(values[0]).all()
        assert np.isnan(values[HEIGHT:]).all()
    body = tiled(client, run, "science/0/0/0").content
    causes = np.frombuffer(body[-256 * 256 :], np.uint8).reshape(256, 256)
    assert (causes[:HEIGHT, :WIDTH] > 0).tolist() == made["mask"].tolist()


def test_tiles_that_are_not_there_are_not_found(client: Client, empty_data_root: Path):
    run = run_with_images()
    for place in (
        "science/0/1/0",
        "science/0/0/1",
        "science/1/0/0",
        "science/9/0/0",
        "science/99999/0/0",
        "noise/0/0/0",
    ):
        assert tiled(client, run, place).status_code == 404
    assert client.get(f"/differences/{run.pk}/sample/7").status_code == 404
    assert tiled(client, DifferenceRunFactory(), "science/0/0/0").status_code == 404


def test_a_tile_is_kept_for_ever_only_under_the_version_that_is_stored(client: Client, empty_data_root: Path):
    run = run_with_images()
    known = tiles.pyramid_of(run)
    assert known is not None
    first = tiled(client, run, "science/0/0/0", version=known.version)
    assert "immutable" in first["Cache-Control"]
    assert "no-cache" in tiled(client, run, "science/0/0/0")["Cache-Control"]
    address = f"/differences/{run.pk}/tiles/science/0/0/0"
    again = client.get(address, headers={"If-None-Match": first["ETag"], "Accept-Encoding": "identity"})
    assert again.status_code == 304
    zipped = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(zipped.content) == first.content
    write_images(run, seed=8)
    later = tiled(client, run, "science/0/0/0", version=known.version)
    assert "no-cache" in later["Cache-Control"]
    assert later.content != first.content


def test_greys_are_made_from_good_pixels_of_three_images(client: Client, empty_data_root: Path):
    run, made = run_with_images(), images.images()
    line, _, rest = client.get(f"/differences/{run.pk}/sample/0").content.partition(b"\n")
    counts, values = json.loads(line)["counts"], np.frombuffer(rest, "<f4")
    assert len(counts) == 3
    assert sum(counts) == values.size > 500
    parts = np.split(values, np.cumsum(counts)[:2])
    for kind, part in zip(KINDS, parts, strict=False):
        assert np.isin(part, made[kind][~made["mask"]]).all()


def test_coarse_tiles_are_cut_from_a_copy_that_is_made_once_and_made_anew_with_the_images(
    client: Client, empty_data_root: Path, monkeypatch: pytest.MonkeyPatch
):
    run = run_with_images()
    random = np.random.default_rng(4)

    def write() -> np.ndarray:
        noise = random.normal(0.0, 1.0, (40, 2100)).astype(np.float32)
        images.write_all(run, {**dict.fromkeys(KINDS, noise), "mask": np.zeros(noise.shape, dtype=bool)})
        return noise

    for _ in range(2):
        noise = write()
        tiles.prepare(run)
        kept = sorted(storage.resolve(f"previews/differences/{run.pk}").glob("coarse-*"))
        assert len(kept) == len(KINDS)
        whole = noise[:, :2096].reshape(5, 8, 262, 8).mean(axis=(1, 3))
        found = values_of(tiled(client, run, "difference/3/0/0").content)
        assert found[:5] == pytest.approx(whole[:, :256], abs=0.01)
        top = values_of(tiled(client, run, "difference/4/0/0").content)
        assert top[0, 0] == pytest.approx(whole[:2, :2].mean(), abs=0.01)
    # Where there is no room to keep one, tiles are cut all the same.
    for path in kept:
        path.unlink()
    monkeypatch.setattr(storage, "write_atomically", refuse)
    assert tiled(client, run, "science/3/1/0").status_code == 200


def refuse(*_: object) -> str:
    raise storage.StorageFull("No room.")
