from pathlib import Path

import numpy as np
import pytest

from detection.numerics.infer import WeightsRefused
from detection.numerics.segmentation import infer
from detection.numerics.segmentation.infer import ARTEFACT, TRAIL, load_network, segment
from detection.numerics.segmentation.measure import Count
from observations.numerics.statistics import FWHM_PER_SIGMA
from tests.detection.numerics.segmentation.conftest import blank, untrained

SHIPPED = Path(infer.__file__).parents[2] / "weights" / "trails-2.safetensors"


@pytest.mark.parametrize(("shape", "fwhm", "step"), [((97, 131), 3.0, 2), ((128, 70), 6.5, 4), ((64, 64), 1.5, 2)])
def test_the_mask_has_the_image_s_shape_whatever_its_sampling(weights, shape, fwhm, step):
    found = segment(*blank(shape), weights, fwhm_px=fwhm)
    assert found.bits.shape == shape
    assert found.bits.dtype == found.confidence.dtype == np.uint8
    assert found.step == step
    assert found.confidence.shape == tuple(-(-n // step) for n in shape)


def test_what_is_masked_or_unknown_changes_nothing_by_its_value(weights):
    image, mask = blank((128, 128))
    mask[40:60, 30:50] = True
    changed = image.copy()
    changed[40:60, 30:50] = 1e6
    unknown = image.copy()
    unknown[40:60, 30:50] = np.nan
    first, second, third = (segment(each, mask, weights, fwhm_px=3.0) for each in (image, changed, unknown))
    fourth = segment(unknown, np.zeros_like(mask), weights, fwhm_px=3.0)
    for other in (second, third, fourth):
        np.testing.assert_array_equal(first.confidence, other.confidence)


def test_of_what_is_masked_nothing_is_said():
    image, mask = blank((256, 256))
    mask[:, 100:] = True
    found = segment(image, mask, SHIPPED, fwhm_px=3.0)
    assert not found.bits.any()
    assert not found.confidence[:, 51:].any()
    assert found.confidence.any()


def test_the_given_image_and_mask_are_left_as_they_are(weights):
    image, mask = blank((96, 96))
    before = image.copy()
    segment(image, mask, weights, fwhm_px=6.0)
    np.testing.assert_array_equal(image, before)
    assert not mask.any()


def test_tiles_equal_the_whole(weights, monkeypatch):
    image, mask = blank((200, 520))
    whole = segment(image, mask, weights, fwhm_px=3.0)
    monkeypatch.setattr(infer, "TILE_PX", 320)
    monkeypatch.setattr(infer, "MARGIN_PX", 96)
    tiled = segment(image, mask, weights, fwhm_px=3.0)
    # What the network sees beyond the margin weighs little: by a level or two of 255.
    assert np.abs(whole.confidence.astype(int) - tiled.confidence).max() <= 5


def test_every_pixel_of_a_large_frame_is_of_one_tile():
    for size in (10, 1024, 1025, 1500, 2048, 7822):
        seen = np.zeros(size, dtype=int)
        for span in infer._spans(size):
            seen[span.kept] += 1
            assert span.seen.start <= span.kept.start <= span.kept.stop <= span.seen.stop <= size
            assert span.seen.stop - span.seen.start <= 1024
            assert span.seen.start % 2 == span.kept.start % 2 == 0
        assert (seen == 1).all()


def test_weights_of_something_else_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_network(tmp_path / "none.safetensors")
    page = tmp_path / "page.safetensors"
    page.write_bytes(b"<html>")
    with pytest.raises(WeightsRefused, match="not a safetensors"):
        load_network(page)
    with pytest.raises(WeightsRefused, match="is of realbogus"):
        load_network(untrained(tmp_path / "other.safetensors", architecture="realbogus"))


def test_a_mask_of_another_shape_and_a_frame_all_bad_are_refused(weights):
    image, mask = blank((64, 96))
    with pytest.raises(ValueError, match="does not go with a mask"):
        segment(image, mask[:, :64], weights, fwhm_px=3.0)
    with pytest.raises(ValueError, match="nothing in this image is good"):
        segment(image, ~mask, weights, fwhm_px=3.0)


def with_trail(peak, angle=0.4, shape=(512, 512), fwhm=3.0):
    """Return noise of sigma 7 with a trail through its middle, and each pixel's distance from its axis."""
    image, mask = blank(shape, 5)
    y, x = np.mgrid[: shape[0], : shape[1]]
    distance = np.abs((x - shape[1] / 2) * np.sin(angle) - (y - shape[0] / 2) * np.cos(angle)).astype(np.float32)
    light = peak * 7.0 * np.exp(-0.5 * (distance * FWHM_PER_SIGMA / fwhm) ** 2)
    return (image + light).astype(np.float32), mask, distance


@pytest.mark.parametrize("peak", [1.5, 4.0, 30.0])
def test_the_shipped_network_draws_a_trail_and_little_else(peak):
    image, mask, distance = with_trail(peak)
    count = Count()
    count.add(segment(image, mask, SHIPPED, fwhm_px=3.0).bits, distance, mask, 3.0)
    assert count.recall > 0.9
    assert count.precision > 0.9


def test_the_shipped_network_draws_it_through_what_is_masked_and_unknown():
    image, mask, distance = with_trail(4.0)
    mask[250:262, :] = True
    image[100:140, 100:400] = np.nan
    count = Count()
    count.add(segment(image, mask, SHIPPED, fwhm_px=3.0).bits, distance, mask | np.isnan(image), 3.0)
    assert count.recall > 0.85


def test_the_shipped_network_calls_no_star_asteroid_or_noise_a_trail():
    image, mask = blank((512, 512), 9)
    assert not segment(image, mask, SHIPPED, fwhm_px=3.0).bits.any()
    y, x = np.mgrid[:512, :512]
    for k, length in enumerate((0.0, 0.0, 6.0, 12.0, 18.0)):
        along = np.maximum(np.abs(x - 80 - 80 * k) - length / 2, 0)
        image += (7.0 * 15 * np.exp(-0.5 * (along**2 + (y - 250) ** 2) * (FWHM_PER_SIGMA / 3.0) ** 2)).astype(
            np.float32
        )
    assert not (segment(image, mask, SHIPPED, fwhm_px=3.0).bits & TRAIL).any()
    assert ARTEFACT == 2
