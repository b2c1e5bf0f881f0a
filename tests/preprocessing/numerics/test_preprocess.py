import tracemalloc
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from observations.numerics.fits.facts import FrameFacts, Overrides
from observations.numerics.fits.headers import Reading
from observations.numerics.fits.images import read_images
from observations.numerics.frame import MaskBit
from preprocessing.numerics import preprocess as outline
from preprocessing.numerics.astrometry.solution import match_stars, wcs_from_match
from preprocessing.numerics.calibrate import Master, Masters, calibrate, master_bias, master_dark
from preprocessing.numerics.preprocess import exposure_of
from preprocessing.numerics.psf_shape import core_of
from preprocessing.numerics.quality import gate, relative_transparency
from preprocessing.numerics.sky_flat import sky_flat
from tests.parameters import LIMITS, PREPROCESSING
from tests.preprocessing.numerics.scenes import line_field, satellite_trail, star_field

preprocess = partial(outline.preprocess, masters=None, parameters=PREPROCESSING)


@dataclass(frozen=True)
class Raw:
    data: np.ndarray
    facts: FrameFacts


def _facts(**facts):
    return FrameFacts(kind="light", width=400, height=400, exposure_s=60.0, gain_e_per_adu=1.0, **facts)


def test_a_frame_comes_out_with_background_mask_variance_and_psf():
    field = star_field(61, count=80)
    before = field.image.copy()
    done = preprocess(Raw(field.image, _facts(filter_band="r", mjd_utc=59000.5)))
    assert done.failure is None
    frame = done.frame
    assert frame is not None
    assert frame.variance is not None
    assert frame.psf is not None
    assert frame.data.dtype == np.float32
    assert np.median(frame.data) == pytest.approx(400, abs=3)
    assert (frame.band, frame.mjd_utc, frame.exposure_s) == ("r", 59000.5, 60.0)
    assert frame.psf(200, 200).sum() == pytest.approx(1.0)
    sky = frame.variance[frame.variance < np.percentile(frame.variance, 50)]
    assert sky.mean() == pytest.approx(400, rel=0.06)
    # Photon noise of sources: at a gain of 1 the variance is the counts themselves.
    peak = np.unravel_index(np.argmax(np.where(frame.mask, 0, frame.data)), frame.data.shape)
    assert frame.variance[peak] == pytest.approx(frame.data[peak], rel=0.05)
    np.testing.assert_array_equal(field.image, before)


def test_fluxes_are_total_ones():
    field = star_field(62, count=40)
    done = preprocess(Raw(field.image, _facts()))
    brightest = int(np.argmax(field.flux))
    nearest = np.argmin(np.hypot(done.frame.stars.x - field.x[brightest], done.frame.stars.y - field.y[brightest]))
    assert done.frame.stars.flux[nearest] == pytest.approx(field.flux[brightest], rel=0.03)


def test_without_a_gain_the_variance_is_that_of_the_measured_sky():
    field = star_field(63)
    done = preprocess(Raw(field.image, replace(_facts(), gain_e_per_adu=None)))
    assert done.frame.gain is None
    brightest = np.unravel_index(np.argmax(field.image), field.image.shape)
    # No photon noise of a source is claimed: its variance is the sky's.
    assert done.frame.variance[brightest] == pytest.approx(np.median(done.frame.variance), rel=0.1)
    assert [sentence.split(":")[0] for sentence in done.missing] == ["no bias", "no dark", "no flat"]


def test_saturation_in_raw_units_is_carried_to_the_calibrated_data():
    field = star_field(64)
    raw = (field.image + 1000).astype(np.float32)
    bias = Master(np.full(raw.shape, 1000, "f4"), "bias", 3)
    facts = _facts(saturation=60_000.0, saturation_unit="raw_adu", bscale=0.5, bzero=100.0)
    done = preprocess(Raw(raw, facts), masters=Masters(bias=bias))
    assert done.frame.saturation == pytest.approx(0.97 * 30_100 - 1000)


def test_an_all_nan_frame_ends_with_its_own_code():
    done = preprocess(Raw(np.full((64, 64), np.nan, "f4"), _facts()))
    assert done.frame is None
    assert done.failure.code == "all_nan"


def test_a_starless_frame_ends_with_its_own_code():
    image = np.random.default_rng(65).normal(400, 20, (300, 300)).astype(np.float32)
    assert preprocess(Raw(image, _facts())).failure.code in ("empty_frame", "too_few_stars")


def test_a_frame_of_lines_is_measured_with_a_line_as_psf_and_says_so():
    field = line_field(66, 14.0, 0.4)
    done = preprocess(Raw(field.image, _facts()))
    assert done.failure is None
    # A line of 14 px and 3 px of seeing: 1 - 1.27 / hypot(1.27, 14 / sqrt(12)) = 0.70; a Moffat's is a bit wider.
    assert done.quality.ellipticity == pytest.approx(0.68, abs=0.06)
    assert [doubt.code for doubt in done.doubts if doubt.fact == "flux" and "lines" in doubt.code] == [
        "stars_are_lines"
    ]
    # Nothing of a line is sharper than the seeing, which a line's mean width is not.
    assert not (done.frame.mask_bits & int(MaskBit.COSMIC_RAY)).any()


def test_lines_longer_than_any_psf_leave_a_frame_with_stars_and_without_a_psf():
    field = line_field(68, 70.0, 0.4, size=700)
    done = preprocess(Raw(field.image, _facts()))
    assert done.failure is None
    assert done.frame.psf is None
    near = np.hypot(done.frame.stars.x - field.x[:, None], done.frame.stars.y - field.y[:, None]).min(axis=0)
    assert np.median(near) < 2.0


def test_cosmic_rays_and_a_column_get_their_bits_and_stars_none():
    field = star_field(67)
    image = field.image.copy()
    image[300, 60:66] += 4000
    image[:, 200] += 300
    frame = preprocess(Raw(image, _facts())).frame
    assert frame is not None
    assert frame.mask_bits is not None
    assert (frame.mask_bits[300, 60:66] & MaskBit.COSMIC_RAY).astype(bool).mean() > 0.8
    assert (frame.mask_bits[20:380, 200] & MaskBit.BAD).astype(bool).mean() > 0.95
    assert frame.mask.mean() < 0.02


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("angle_deg", [1, 5])
def test_a_trail_near_the_columns_or_rows_gets_its_bit_and_a_bad_column_keeps_its_own(angle_deg, transposed):
    field = star_field(68, size=600, count=150)
    trail = satellite_trail((600, 600), angle_deg, crest=240, fwhm=3.0)  # 12 sigma
    image = field.image + trail
    image[:, 450] += 80
    bits = preprocess(Raw(image.T.copy() if transposed else image, _facts())).frame.mask_bits
    bits = bits.T if transposed else bits
    is_trail = (bits & MaskBit.TRAIL) > 0
    assert is_trail[trail > 20].all()
    assert is_trail.mean() < 20 / 600  # px of width: one sigma is reached 3 px from the middle, a tenth at 4
    assert ((bits[20:-20, 450] & MaskBit.BAD) > 0).mean() > 0.98


def test_the_error_of_a_sky_flat_is_in_the_variance_by_the_light_of_the_sky():
    raw = Raw(star_field(61, count=80).image, _facts())
    error = np.zeros(raw.data.shape, dtype=np.float32)
    error[100:120, 100:120] = 0.02
    flats = [Master(np.ones_like(error), "sky_flat", 3, error=e) for e in (None, error)]
    plain, unsure = (preprocess(raw, masters=Masters(flat=flat)).frame for flat in flats)
    more = unsure.variance - plain.variance
    assert (more[error == 0] == 0).all()
    assert np.median(more[error > 0]) == pytest.approx((0.02 * np.median(raw.data)) ** 2, rel=0.05)


@pytest.fixture(scope="module")
def night(shared_data: Path):
    """Return the preprocessed lights of the 2713 night by number, masters and sky flat applied."""
    folder = shared_data / "raw_asteroid2713_20181017"

    def read(pattern):
        return [read_images(path)[0] for path in sorted(folder.glob(pattern))]

    darks, lights = read("dark/*.fit"), read("light/*.fit")
    bias = master_bias([image.data for image in read("bias/*.fit")])
    dark = master_dark([image.data for image in darks], [exposure_of(image.facts) for image in darks], bias)
    plain = [calibrate(i.data, masters=Masters(bias, dark), exposure=exposure_of(i.facts)).data for i in lights]
    flat = sky_flat(plain, [np.zeros(p.shape, dtype=bool) for p in plain])
    numbers = [path.stem[-2:] for path in sorted(folder.glob("light/*.fit"))]
    masters = Masters(bias, dark, flat)
    return {n: preprocess(light, masters=masters) for n, light in zip(numbers, lights, strict=True)}


def test_the_flashlight_frame_is_too_shallow_for_its_night_and_the_hazy_one_is_kept(night):
    assert all(done.failure is None for done in night.values()), "its light is followed: its depth decides"
    base = night["30"].frame.stars
    judged = {}
    for number, done in night.items():
        match = match_stars(done.frame.stars.xy, done.frame.stars.flux, base.xy, base.flux)
        ratio = relative_transparency(done.frame.stars.flux[match.source_index], base.flux[match.target_index])
        assert ratio is not None
        judged[number] = replace(done.quality, transparency=ratio[0])
        assert match.rms_px < 0.25
    assert judged["12"].transparency == pytest.approx(0.45, abs=0.1)
    for number, quality in judged.items():
        failure = gate(quality, [judged[n] for n in judged if n != number], LIMITS)
        assert (failure is None) == (number != "20"), failure


def test_the_2713_lights_are_masked_by_less_than_two_per_cent(night):
    for number in ("12", "24", "30", "35"):
        assert night[number].quality.masked_share < 0.02
        assert night[number].applied == ("bias", "dark", "sky_flat")


def test_the_asteroid_is_not_masked(night, shared_data):
    rows = (shared_data / "raw_asteroid2713_20181017" / "truth_asteroid.csv").read_text().split()[1:]
    for row in rows:
        name, _, x, y, *_ = row.split(",")
        number = name[-6:-4]
        if number != "20":
            at = np.s_[round(float(y)) - 1 : round(float(y)) + 2, round(float(x)) - 1 : round(float(x)) + 2]
            assert not night[number].frame.mask[at].any()


def test_the_drifting_sequence_gets_one_sky(shared_data):
    paths = sorted((shared_data / "seq_hatp32_microobs").glob("*.FITS"))
    first, last = (preprocess(read_images(path)[0]) for path in (paths[0], paths[-1]))
    assert first.failure is None
    assert last.failure is None
    match = match_stars(last.frame.stars.xy, last.frame.stars.flux, first.frame.stars.xy, first.frame.stars.flux)
    assert match.count > 200
    assert abs(match.transform.offset_px[0]) == pytest.approx(238, abs=3)
    assert match.transform.rotation_deg == pytest.approx(0.46, abs=0.02)
    solved = wcs_from_match(first.frame.wcs, match.transform, last.frame.shape)
    ours = solved.wcs.pixel_to_world(*last.frame.stars.xy[match.source_index].T)
    theirs = first.frame.wcs.pixel_to_world(*first.frame.stars.xy[match.target_index].T)
    assert np.median(ours.separation(theirs).arcsec) < 0.1 * 5.2  # a tenth of a pixel


def test_vignetted_corners_are_unilluminated_and_the_pair_matches(shared_data):
    one, two = (preprocess(read_images(p)[0]) for p in sorted((shared_data / "pair_lt_rise_ucwd").glob("*.fits")))
    for done in (one, two):
        assert done.failure is None
        assert done.frame is not None
        assert done.frame.mask_bits is not None
        dark = np.asarray((done.frame.mask_bits & MaskBit.UNILLUMINATED) > 0)
        assert dark[:40, :40].all()
        assert dark[-40:, :40].all()
        assert not dark[300:700, 300:700].any()
        assert done.quality.masked_share < 0.1
    match = match_stars(two.frame.stars.xy, two.frame.stars.flux, one.frame.stars.xy, one.frame.stars.flux)
    assert np.abs(match.transform.offset_px) == pytest.approx([95, 26], abs=1)


def test_the_galaxy_pair_is_clean(shared_data):
    given = Overrides(ra_deg=60.0, dec_deg=-60.0)
    for path in sorted((shared_data / "pair_eso085-030").glob("*.fit")):
        done = preprocess(read_images(path, reading=Reading(given))[0])
        assert done.failure is None
        assert core_of(done.frame.psf.middle)[0] == pytest.approx(2.7, abs=0.2)
        assert done.quality.masked_share < 0.03
        assert not done.frame.mask[330:350, 500:520].any()  # the galaxy's core


def test_a_frame_takes_no_more_than_eight_times_its_pixels():
    raw = Raw(star_field(63, size=1024, count=40).image, _facts())
    preprocess(Raw(star_field(63).image, _facts()))  # what is loaded and compiled once
    tracemalloc.start()
    try:
        done = preprocess(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert done.failure is None
    # As float32. Most is held where cosmic rays are looked for: data, sky, noise, what is left, its copy, and masks.
    assert peak < 8.0 * raw.data.size * 4
