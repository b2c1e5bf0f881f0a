"""Bad input: each its own reason, in 5 s of processor time and 300 MB."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from catalog.failures import FailureCode
from catalog.models import ProcessingJob
from catalog.work.stages import stages
from differencing.models import DifferenceRun
from observations.models import Field
from observations.numerics.fits.synthetic import night_files
from observations.numerics.simulate.nights import simulate_nights
from tests import nights
from tests.lights import write
from tests.waiting import PATIENCE_SECONDS

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def _html(folder: Path) -> Path:
    path = folder / "page.fits"
    path.write_text("<!DOCTYPE html><html><head><title>404</title></head><body>Not found</body></html>" * 50)
    return path


def _truncated(folder: Path) -> Path:
    path = write(folder / "short.fits")
    path.write_bytes(path.read_bytes()[:40_000])
    return path


def _bitpix(folder: Path) -> Path:
    path = write(folder / "bitpix.fits")
    content = path.read_bytes().replace(b"BITPIX  =                  -32", b"BITPIX  =                   24")
    path.write_bytes(content)
    return path


def _bomb(folder: Path) -> Path:
    """Write 2 MB that unpack to 2 GB: a header that claims so many pixels, and zeros."""
    header = fits.Header()
    header["SIMPLE"], header["BITPIX"], header["NAXIS"] = True, 16, 2
    header["NAXIS1"], header["NAXIS2"] = 32_000, 32_000
    return _packed(folder / "bomb.fits.gz", header.tostring().encode())


def _hidden_bomb(folder: Path) -> Path:
    """Write a header of a small image that is followed by 2 GB of zeros in place of a card END."""
    header = fits.Header()
    header["SIMPLE"], header["BITPIX"], header["NAXIS"] = True, 16, 2
    cards = "".join(str(card) for card in header.cards)
    return _packed(folder / "hidden.fits.gz", cards.encode())


def _packed(path: Path, start: bytes) -> Path:
    """Write a gzip file of `start` and 2 GB of zeros; the checksum at its end is wrong, and nobody should get there."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    first = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush the packer remembers nothing, so that the same zeros are packed to the same bytes again.
    zeros = packer.compress(b"\0" * 2**24) + packer.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(first + zeros * 128 + packer.flush())
    return path


def _nan(folder: Path) -> Path:
    return write(folder / "nan.fits", np.full((200, 200), np.nan, np.float32))


def _nowhere(folder: Path) -> Path:
    return write(folder / "nowhere.fits", OBJCTRA=None, OBJCTDEC=None)


BAD = {
    "html": (_html, FailureCode.NOT_FITS, "HTML|web page|FITS"),
    "truncated": (_truncated, FailureCode.TRUNCATED, "ends|again"),
    "wrong BITPIX": (_bitpix, FailureCode.BAD_BITPIX, "24"),
    "bomb": (_bomb, FailureCode.TOO_LARGE, "limit"),
    "hidden bomb": (_hidden_bomb, FailureCode.TOO_LARGE, "limit|unpack|END"),
    "all NaN": (_nan, FailureCode.ALL_NAN, "NaN"),
    "no WCS and no pointing": (_nowhere, FailureCode.NO_POINTING, "--ra"),
}


@contextlib.contextmanager
def within_limits():
    """Hold what runs inside to 5 s of processor time and 300 MB on top of what was held before.

    Processor time and counted allocations, unlike a clock and the size of the process, do not depend on what else the
    machine does, or not much. The libraries of the stages are loaded before: counting allocations makes that several
    times slower, as it makes everything that runs inside 2.5 times slower, which is allowed for.
    """
    for stage in stages().values():
        stage.runner()
    tracemalloc.start()
    before, start = tracemalloc.get_traced_memory()[0], time.process_time()
    try:
        yield
        seconds, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert seconds < 2.5 * 5.0
    assert peak < 300e6


@pytest.mark.usefixtures("db", "empty_data_root")
@pytest.mark.parametrize(("make", "code", "words"), BAD.values(), ids=BAD)
def test_a_bad_file_has_its_own_reason_quickly_and_in_little_memory(process, inbox, make, code, words):
    path = make(inbox)
    with within_limits():
        ended = process(path, "--json")
    (row,) = ended.document["observations"]
    assert (row["file"], row["status"], row["failure_code"]) == (path.name, "failed", code)
    assert any(word in row["error_message"] for word in words.split("|")), row["error_message"]
    assert len(row["error_message"]) > 20
    assert ended.document["candidates"] == ended.document["detections"] == []
    assert ProcessingJob.objects.filter(failure_code=code).exists()


def test_each_of_the_bad_inputs_has_a_code_of_its_own():
    codes = [code for name, (_, code, _) in BAD.items() if name != "hidden bomb"]
    assert len({*codes, FailureCode.NO_OVERLAP}) == len(codes) + 1


@pytest.mark.usefixtures("db", "empty_data_root")
def test_the_frame_that_had_no_pointing_is_taken_when_it_is_given(process, inbox):
    path = _nowhere(inbox)
    assert process(path, "--json").status == 1
    ended = process(path, "--ra", 150.1, "--dec", 22.2, "--json")
    assert ended.status == 0
    (row,) = ended.document["observations"]
    assert row["wcs_quality"] == "nominal"
    assert row["failure_code"] != FailureCode.NO_POINTING


def one_light(folder: Path, name: str, seed: int, days: float) -> None:
    """Write one light of a sky of its own, so many days after the first, and its calibration frames."""
    parameters = replace(nights.PARAMETERS, seed=seed, nights=1, frames=1)
    parameters = replace(parameters, first_mjd_utc=parameters.first_mjd_utc + days)
    (simulated,) = simulate_nights(parameters)
    for file, content in night_files(simulated, parameters):
        # Both skies are written under the same names.
        (folder / f"{name}_{file}").write_bytes(content)


@pytest.mark.usefixtures("db", "empty_data_root")
def test_of_two_frames_that_claim_one_pointing_and_show_two_skies_the_later_has_no_overlap(process, inbox):
    one_light(inbox, "here", 3, 0.0)
    one_light(inbox, "elsewhere", 9, 1.0)
    ended = process(inbox, "--json")
    assert ended.status == 0
    assert Field.objects.count() == 1, "they claim one pointing"
    runs = {row["file"].split("_")[0]: row for row in ended.document["difference_runs"]}
    rows = {row["file"].split("_")[0]: row for row in ended.document["observations"]}
    assert runs["here"]["failure_code"] == FailureCode.WAITING_FOR_REFERENCE
    row, run = rows["elsewhere"], runs["elsewhere"]
    assert (row["status"], row["failure_code"]) == ("failed", FailureCode.NO_OVERLAP)
    assert (run["status"], run["failure_code"], run["candidates_found"]) == ("failed", FailureCode.NO_OVERLAP, None)
    assert run["error_message"] == row["error_message"] and "reference" in row["error_message"]
    assert ended.document["candidates"] == ended.document["detections"] == []
    assert not DifferenceRun.objects.filter(status="running").exists()
    # Said again, it is said in no more time and memory than any other bad input.
    with within_limits():
        again = process(*inbox.glob("elsewhere*"), "--json")
    assert again.document["observations"] == [row]


# The most memory that the process itself has held, read before and after: what a library allocates in C counts too.
MEASURE = """
import resource, sys
from pathlib import Path
from observations.numerics.fits.images import FitsRefused, read_images

def peak_bytes():
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * int(status.read_text().split("VmHWM:")[1].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

before = peak_bytes()
try:
    read_images(sys.argv[1])
except FitsRefused as refused:
    print(refused.code, peak_bytes() - before)
"""


@pytest.mark.parametrize("make", [_bomb, _hidden_bomb], ids=["bomb", "hidden bomb"])
def test_a_file_that_unpacks_to_gigabytes_never_fills_the_memory_of_the_process(inbox, make):
    path = make(inbox)
    # The zeros of 2 GB pack to a thousandth.
    assert path.stat().st_size < 3e6
    command = [sys.executable, "-c", MEASURE, str(path)]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert ended.returncode == 0, ended.stderr
    code, grown = ended.stdout.split()
    assert code == FailureCode.TOO_LARGE
    assert int(grown) < 300e6
