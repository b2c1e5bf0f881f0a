"""Files in: containers, bounds, hashes and pixels."""

from __future__ import annotations

import gzip
import hashlib
import io
import resource
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from observations.numerics.fits import blocks
from observations.numerics.fits.images import FitsRefused, RawImage, ReadLimits, find_image, read_images, scan_images
from observations.numerics.fits.pixels import read_pixels
from tests.waiting import PATIENCE_SECONDS

NX, NY = 40, 32
CARDS = {
    "DATE-OBS": "2024-03-01T21:00:00.000",
    "EXPTIME": 60.0,
    "FILTER": "V",
    "OBJCTRA": "10 00 00.0",
    "OBJCTDEC": "+02 00 00",
    "PIXSCALE": 1.1,
}


def light(data: np.ndarray | None = None, **cards: object) -> fits.PrimaryHDU:
    if data is None:
        data = np.random.default_rng(7).integers(900, 1100, (NY, NX)).astype(np.uint16)
    hdu = fits.PrimaryHDU(data)
    for keyword, value in (CARDS | {k.replace("_", "-"): v for k, v in cards.items()}).items():
        hdu.header[keyword] = value
    return hdu


def as_bytes(*hdus: fits.hdu.base._BaseHDU) -> bytes:
    buffer = io.BytesIO()
    fits.HDUList(list(hdus)).writeto(buffer)
    return buffer.getvalue()


def with_card(content: bytes, keyword: str, text: str) -> bytes:
    """Return the file with the value of one card replaced by text, whatever astropy thinks of it."""
    start = content.index(f"{keyword:8}=".encode())
    return content[:start] + f"{keyword:8}= {text:>20}".ljust(80).encode() + content[start + 80 :]


def only(path: Path, **kwargs: object) -> RawImage:
    images = read_images(path, **kwargs)
    assert len(images) == 1
    return images[0]


def refusal(path: Path, **kwargs: object) -> FitsRefused:
    with pytest.raises(FitsRefused) as caught:
        read_images(path, **kwargs)
    # A sentence for a person: it begins with a capital letter and ends.
    assert str(caught.value)[0].isupper()
    assert str(caught.value).endswith(".")
    return caught.value


def test_an_unsigned_integer_image_keeps_its_values(tmp_path):
    data = np.array([[0, 1, 32767, 32768, 65535]] * 30, dtype=np.uint16).repeat(6, axis=1)
    (tmp_path / "a.fits").write_bytes(as_bytes(light(data)))
    image = only(tmp_path / "a.fits")
    assert image.data.dtype == np.float32
    np.testing.assert_array_equal(image.data, data)


def test_blank_pixels_become_nan_and_others_are_scaled(tmp_path):
    stored = np.full((NY, NX), 10, dtype=np.int16)
    stored[3, 4] = -32768
    hdu = light(stored, BLANK=-32768)
    hdu.header["BSCALE"], hdu.header["BZERO"] = 0.5, 100.0
    (tmp_path / "a.fits").write_bytes(as_bytes(hdu))
    # astropy writes the scaled array back: store the integers by hand.
    content = as_bytes(light(stored, BLANK=-32768))
    content = content.replace(b"BLANK   =", b"BLANK   =")
    header = fits.Header.fromstring(content[:2880].decode())
    header["BSCALE"], header["BZERO"] = 0.5, 100.0
    (tmp_path / "a.fits").write_bytes(header.tostring().encode() + content[len(header.tostring()) :])
    data = only(tmp_path / "a.fits").data
    assert np.isnan(data[3, 4])
    assert np.count_nonzero(np.isnan(data)) == 1
    assert data[0, 0] == 105.0


def test_wide_integers_do_not_lose_digits_before_scaling(tmp_path):
    data = np.full((NY, NX), 2**31 - 1, dtype=np.int32)
    hdu = light(data)
    content = as_bytes(hdu)
    header = fits.Header.fromstring(content[:2880].decode())
    header["BZERO"] = -(2.0**31 - 8)
    (tmp_path / "a.fits").write_bytes(header.tostring().encode() + content[len(header.tostring()) :])
    # 2147483647 - 2147483640: float32 alone would give 8 or 0.
    assert only(tmp_path / "a.fits").data[0, 0] == 7.0


def test_the_same_bytes_have_one_hash_gzipped_or_not(tmp_path):
    content = as_bytes(light())
    (tmp_path / "a.fits").write_bytes(content)
    (tmp_path / "a.fits.gz").write_bytes(gzip.compress(content))
    plain, packed = only(tmp_path / "a.fits"), only(tmp_path / "a.fits.gz")
    assert plain.sha256 == packed.sha256 == hashlib.sha256(content).hexdigest()
    np.testing.assert_array_equal(plain.data, packed.data)


def test_another_header_or_another_pixel_is_another_hash(tmp_path):
    rng = np.random.default_rng(1)
    data = rng.integers(0, 1000, (NY, NX)).astype(np.int16)
    other = data.copy()
    other[0, 0] += 1
    hashes = set()
    for name, hdu in (("a", light(data)), ("b", light(other)), ("c", light(data, EXPTIME=61.0))):
        (tmp_path / name).write_bytes(as_bytes(hdu))
        hashes.add(only(tmp_path / name).sha256)
    assert len(hashes) == 3


@pytest.mark.parametrize("kind", ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1"])
def test_a_tile_compressed_image_has_the_pixels_and_facts_of_its_original(tmp_path, kind):
    original = light(np.random.default_rng(2).integers(0, 60000, (NY, NX)).astype(np.uint16))
    packed = fits.CompImageHDU(original.data, original.header, compression_type=kind)
    (tmp_path / "a.fits").write_bytes(as_bytes(original))
    (tmp_path / "a.fits.fz").write_bytes(as_bytes(fits.PrimaryHDU(), packed))
    plain, image = only(tmp_path / "a.fits"), only(tmp_path / "a.fits.fz")
    assert image.hdu_index == 1
    np.testing.assert_array_equal(image.data, plain.data)
    assert image.facts.mjd_utc == plain.facts.mjd_utc
    assert image.facts.filter_band == plain.facts.filter_band


def test_a_header_compressed_as_fpack_does_restores_the_hash_of_its_original(tmp_path):
    """fpack keeps every card and renames the structural ones; what astropy changes is put back as fpack leaves it."""
    original = light(np.random.default_rng(3).integers(0, 60000, (NY, NX)).astype(np.uint16))
    content = as_bytes(original)
    packed = fits.CompImageHDU(original.data, original.header, compression_type="RICE_1")
    plain_cards = [content[i : i + 80].decode() for i in range(0, 2880, 80)]
    plain_cards = plain_cards[: next(i for i, card in enumerate(plain_cards) if card.startswith("END"))]
    with fits.open(io.BytesIO(as_bytes(fits.PrimaryHDU(), packed)), disable_image_compression=True) as hdus:
        table = hdus[1]
        kept = [card.image for card in table.header.cards]
        raw = as_bytes(fits.PrimaryHDU(), table)
    structural = ("SIMPLE", "BITPIX", "NAXIS", "EXTEND")
    renamed = [
        f"Z{card[:8].strip()}".ljust(8) + card[8:] if card.startswith(structural) else card for card in plain_cards
    ]
    own = [
        c
        for c in kept
        if c.startswith(("XTENSION", "BITPIX", "NAXIS", "PCOUNT", "GCOUNT", "TFIELDS", "TTYPE", "TFORM"))
    ]
    own += [c for c in kept if c.startswith(("ZIMAGE", "ZCMPTYPE", "ZTILE", "ZNAME", "ZVAL"))]
    head = "".join(own + renamed) + "END".ljust(80)
    head += " " * (-len(head) % 2880)
    body = raw[2880:]
    body = body[fits.Header.fromstring(body.decode("latin-1").partition("END" + " " * 77)[0]).tostring().__len__() :]
    (tmp_path / "a.fits.fz").write_bytes(raw[:2880] + head.encode() + body)
    assert only(tmp_path / "a.fits.fz").sha256 == hashlib.sha256(content).hexdigest()


def test_each_image_of_a_mosaic_is_one_and_companions_are_none(tmp_path):
    data = np.random.default_rng(4).normal(100, 5, (2, NY, NX)).astype(np.float32)
    primary = fits.PrimaryHDU()
    for keyword, value in CARDS.items():
        primary.header[keyword] = value
    hdus = [primary]
    for i in range(2):
        hdus += [fits.ImageHDU(data[i], name="SCI", ver=i + 1), fits.ImageHDU(data[i], name="ERR", ver=i + 1)]
    hdus.append(fits.BinTableHDU(np.zeros(3, dtype=[("x", "f8")])))
    (tmp_path / "m.fits").write_bytes(as_bytes(*hdus))
    images = read_images(tmp_path / "m.fits")
    assert [image.hdu_index for image in images] == [1, 3]
    assert images[0].sha256 != images[1].sha256
    np.testing.assert_array_equal(images[1].data, data[1])
    # The primary header speaks for all of them.
    assert {image.facts.exposure_s for image in images} == {60.0}


def test_one_bad_image_of_a_mosaic_does_not_take_the_others_with_it(tmp_path):
    data = np.ones((NY, NX), dtype=np.float32)
    good = fits.ImageHDU(data)
    for keyword, value in CARDS.items():
        good.header[keyword] = value
    (tmp_path / "m.fits").write_bytes(as_bytes(fits.PrimaryHDU(), fits.ImageHDU(data), good))
    found = scan_images(tmp_path / "m.fits")
    assert [index for index, _ in found] == [1, 2]
    assert isinstance(found[0][1], FitsRefused)
    assert isinstance(found[1][1], RawImage)


def test_a_web_page_is_not_fits(tmp_path):
    (tmp_path / "a.fits").write_text("<!DOCTYPE html><html><body>404 Not Found</body></html>" * 100)
    refused = refusal(tmp_path / "a.fits")
    assert refused.code == "not_fits"
    assert "web page" in str(refused)


@pytest.mark.parametrize("content", [b"", b"hello", b"BZh91AY&SY" + b"\0" * 100, b"\0" * 6000])
def test_what_does_not_begin_as_fits_is_not_fits(tmp_path, content):
    (tmp_path / "a.fits").write_bytes(content)
    assert refusal(tmp_path / "a.fits").code == "not_fits"


@pytest.mark.parametrize("kept", [100, 2880, 2880 + 100, -2000])
def test_a_file_cut_short_is_truncated(tmp_path, kept):
    content = as_bytes(light())
    (tmp_path / "a.fits").write_bytes(content[:kept])
    assert refusal(tmp_path / "a.fits").code == "truncated"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_gzip_cut_short_is_truncated(tmp_path, share):
    packed = gzip.compress(as_bytes(light()))
    (tmp_path / "a.fits.gz").write_bytes(packed[: int(share * len(packed))])
    assert refusal(tmp_path / "a.fits.gz").code == "truncated"


def test_a_damaged_gzip_is_truncated(tmp_path):
    packed = bytearray(gzip.compress(as_bytes(light())))
    packed[200:260] = b"\xff" * 60
    (tmp_path / "a.fits.gz").write_bytes(bytes(packed))
    assert refusal(tmp_path / "a.fits.gz").code == "truncated"


def test_missing_padding_after_complete_pixels_is_forgiven(tmp_path):
    content = as_bytes(light())
    size = 2880 + 2 * NX * NY
    (tmp_path / "a.fits").write_bytes(content[:size])
    assert only(tmp_path / "a.fits").sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("bitpix", ["17", "0", "-16", "T", "'abc'"])
def test_a_bitpix_outside_the_standard_is_refused(tmp_path, bitpix):
    (tmp_path / "a.fits").write_bytes(with_card(as_bytes(light()), "BITPIX", bitpix))
    assert refusal(tmp_path / "a.fits").code == "bad_bitpix"


@pytest.mark.parametrize(
    ("keyword", "value", "code"),
    [
        ("NAXIS1", "-40", "bad_value"),
        ("NAXIS1", "1.5", "bad_value"),
        ("NAXIS", "-1", "bad_value"),
        ("NAXIS", "1000000", "bad_value"),
        ("NAXIS1", "9999999999", "too_large"),
        ("NAXIS1", "1000000", "truncated"),
    ],
)
def test_impossible_axes_are_refused_before_anything_is_read(tmp_path, keyword, value, code):
    (tmp_path / "a.fits").write_bytes(with_card(as_bytes(light()), keyword, value))
    assert refusal(tmp_path / "a.fits").code == code


def test_a_cube_and_a_thumbnail_are_no_images_and_the_sentence_says_which(tmp_path):
    cube = fits.ImageHDU(np.zeros((3, NY, NX), dtype=np.int16))
    small = fits.ImageHDU(np.zeros((8, 8), dtype=np.int16))
    (tmp_path / "a.fits").write_bytes(as_bytes(fits.PrimaryHDU(), cube, small))
    refused = refusal(tmp_path / "a.fits")
    assert refused.code == "no_image"
    assert "cube" in str(refused)
    assert "8 x 8" in str(refused)


def test_axes_of_length_one_are_dropped(tmp_path):
    (tmp_path / "a.fits").write_bytes(as_bytes(light(np.ones((1, 1, NY, NX), dtype=np.float32))))
    assert only(tmp_path / "a.fits").data.shape == (NY, NX)


def test_a_false_checksum_is_a_warning_and_a_right_one_is_none(tmp_path):
    hdu = light()
    hdu.add_checksum()
    content = as_bytes(hdu)
    (tmp_path / "good.fits").write_bytes(content)
    changed = bytearray(content)
    changed[-2880] ^= 1
    (tmp_path / "bad.fits").write_bytes(bytes(changed))
    assert not [d for d in only(tmp_path / "good.fits").facts.doubts if d.fact == "pixels"]
    assert [d for d in only(tmp_path / "bad.fits").facts.doubts if d.code == "checksum_differs"]


def test_a_product_of_the_pipeline_is_not_a_frame_as_delivered(tmp_path):
    (tmp_path / "a.fits").write_bytes(as_bytes(light(ASTRPROD="frame")))
    assert refusal(tmp_path / "a.fits").code == "unsupported_header"


def _bomb(declared_rows: int, stream_mb: int) -> bytes:
    """Return a gzip whose header declares rows of 4096 int16 and that unpacks to `stream_mb` MB of zeros."""
    header = light(np.zeros((NY, 4096), dtype=np.int16)).header.copy()
    header["NAXIS2"] = declared_rows
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(header.tostring().encode())]
    parts += [packer.compress(b"\0" * 2**20) for _ in range(stream_mb)]
    return b"".join([*parts, packer.flush()])


@pytest.fixture(scope="module")
def endless() -> bytes:
    return _bomb(NY, 300)


@pytest.fixture
def unpacked(monkeypatch) -> list[int]:
    """Return how many bytes each gzipped stream has been unpacked to when it is closed."""
    counts: list[int] = []

    class Counted(gzip.GzipFile):
        def close(self) -> None:
            if not self.closed:
                counts.append(self.tell())
            super().close()

    monkeypatch.setattr(blocks.gzip, "GzipFile", Counted)
    return counts


def test_a_bomb_that_declares_its_size_is_refused_without_unpacking(tmp_path, unpacked):
    # 4 GB declared; what follows need not exist.
    (tmp_path / "bomb.fits.gz").write_bytes(_bomb(2**19, 1))
    assert refusal(tmp_path / "bomb.fits.gz").code == "too_large"
    assert sum(unpacked) < 1e6


def test_a_bomb_below_the_size_limit_is_refused_by_its_ratio(tmp_path):
    # 800 MB in less than 1 MB.
    (tmp_path / "bomb.fits.gz").write_bytes(_bomb(100_000, 4))
    assert refusal(tmp_path / "bomb.fits.gz").code == "too_large"


def test_a_stream_that_goes_on_after_its_last_pixel_is_refused_without_unpacking_it(tmp_path, endless, unpacked):
    (tmp_path / "long.fits.gz").write_bytes(endless)
    assert refusal(tmp_path / "long.fits.gz").code == "too_large"
    # Of 300 MB.
    assert 0 < sum(unpacked) < 20e6


def test_a_mosaic_bomb_of_many_small_images_is_stopped_by_the_sum(tmp_path):
    extension = fits.ImageHDU(np.zeros((2048, 2048), dtype=np.int16))
    block = as_bytes(fits.PrimaryHDU(), extension)[2880:]
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(as_bytes(fits.PrimaryHDU()))] + [packer.compress(block) for _ in range(20)]
    (tmp_path / "bomb.fits.gz").write_bytes(b"".join([*parts, packer.flush()]))
    assert refusal(tmp_path / "bomb.fits.gz").code == "too_large"


def test_a_tile_compressed_bomb_is_refused_by_its_header(tmp_path):
    packed = as_bytes(
        fits.PrimaryHDU(), fits.CompImageHDU(np.zeros((NY, NX), dtype=np.int16), compression_type="GZIP_1")
    )
    huge = with_card(with_card(packed, "ZNAXIS1", "100000"), "ZNAXIS2", "100000")
    (tmp_path / "bomb.fits.fz").write_bytes(huge)
    assert refusal(tmp_path / "bomb.fits.fz").code == "too_large"


def test_a_tile_that_unpacks_to_more_than_a_tile_is_refused(tmp_path):
    hdu = fits.CompImageHDU(light().data, light().header, compression_type="GZIP_1")
    with fits.open(io.BytesIO(as_bytes(fits.PrimaryHDU(), hdu)), disable_image_compression=True) as hdus:
        table = hdus[1]
        packed = gzip.compress(b"\0" * 10_000_000)
        cells = np.empty(len(table.data), dtype=object)
        for i in range(len(cells)):
            cells[i] = np.frombuffer(packed, dtype=np.uint8)
        column = fits.Column(name="COMPRESSED_DATA", format=f"1PB({len(packed)})", array=cells)
        bomb = fits.BinTableHDU.from_columns([column])
        for card in table.header.cards:
            if card.keyword.startswith("Z") or card.keyword in CARDS:
                bomb.header[card.keyword] = card.value
        (tmp_path / "bomb.fits.fz").write_bytes(as_bytes(fits.PrimaryHDU(), bomb))
    assert refusal(tmp_path / "bomb.fits.fz").code == "too_large"


def test_a_damaged_compressed_image_is_refused(tmp_path):
    packed = bytearray(as_bytes(fits.PrimaryHDU(), fits.CompImageHDU(light().data, light().header)))
    # Row descriptors (length, offset) begin the data: point one beyond the heap.
    start = len(packed) - 2880
    packed[start + 4 : start + 8] = b"\x7f\xff\xff\xff"
    (tmp_path / "a.fits.fz").write_bytes(bytes(packed))
    assert refusal(tmp_path / "a.fits.fz").code == "bad_value"


def test_a_header_without_end_is_refused_at_its_limit(tmp_path):
    head = as_bytes(light())[:2880].replace(b"END" + b" " * 77, b"COMMENT".ljust(80))
    (tmp_path / "a.fits.gz").write_bytes(gzip.compress(head + b" " * 2880 * 4000))
    assert refusal(tmp_path / "a.fits.gz").code == "too_large"


def test_too_many_hdus_are_refused(tmp_path):
    empty = fits.ImageHDU()
    (tmp_path / "a.fits").write_bytes(as_bytes(light(), *[empty] * 6))
    assert refusal(tmp_path / "a.fits", limits=ReadLimits(max_hdus=5)).code == "too_large"
    assert only(tmp_path / "a.fits", limits=ReadLimits(max_hdus=7))


def test_refusing_a_bomb_costs_less_than_300_megabytes(tmp_path):
    (tmp_path / "bomb.fits.gz").write_bytes(_bomb(2**19, 4))
    program = (
        "import resource, sys\n"
        "from observations.numerics.fits.images import FitsRefused, read_images\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    read_images(sys.argv[1])\nexcept FitsRefused as refused:\n"
        "    print(refused.code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "bomb.fits.gz")],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    code, extra = run.stdout.split()
    # ru_maxrss counts kilobytes on Linux, bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    assert code == "too_large"
    assert int(extra) * unit < 300e6
    assert resource.getpagesize() > 0


def test_every_awkward_file_is_read_or_refused_with_a_known_reason(shared_data):
    outcome = {}
    for path in sorted((shared_data / "awkward_fits").glob("*.fit*")):
        try:
            found = scan_images(path)
        except FitsRefused as refused:
            outcome[path.name] = refused.code
            continue
        for _, item in found:
            outcome[path.name] = item.code if isinstance(item, FitsRefused) else "read"
    assert outcome == {
        "astropy_blank.fits": "no_image",
        "astropy_checksum_false.fits": "no_time",
        "astropy_comp.fits": "no_time",
        "astropy_compressed_float_bzero.fits": "no_image",
        "astropy_double_ext.fits": "no_image",
        "astropy_scale.fits": "no_image",
        "astropywcs_dist.fits": "no_image",
        "astropywcs_header_newlines.fits": "no_image",
        "astropywcs_sip.fits": "no_image",
        "qhy600_3122_mpc.fits": "no_band",
        "science-mef.fits": "no_image",
        "sep_eso_emmi_256.fits": "no_wcs",
        "sip-wcs.fit": "read",
    }


@pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyWarning")
def test_the_pixels_of_every_real_frame_are_those_that_astropy_reads(shared_data):
    names = ["raw_asteroid2713_20181017/light/light240_12.fit", "pair_lt_rise_ucwd/q_e_20200830_1_1_1_1.fits"]
    names += ["seq_hatp32_microobs/HATP-32171220014512.FITS", "awkward_fits/sep_eso_emmi_256.fits"]
    for name in names:
        with fits.open(shared_data / name) as hdus:
            np.testing.assert_array_equal(_pixels(shared_data / name, 0), np.asarray(hdus[0].data, dtype=np.float32))
    with fits.open(shared_data / "awkward_fits/astropy_comp.fits") as hdus:
        np.testing.assert_array_equal(_pixels(shared_data / "awkward_fits/astropy_comp.fits", 1), hdus[1].data)


def _pixels(path, hdu_index):
    """Return the pixels of an HDU, whatever its header lacks."""
    return read_pixels(path, find_image(path, hdu_index)[-1])
