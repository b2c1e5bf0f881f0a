"""What is read of LSST's packets: nanojansky, atomic time, and cutouts of any size about the source."""

from __future__ import annotations

import numpy as np
import pytest

from detection.numerics.packets.files import Found, packets_in
from detection.numerics.packets.lsst import read_lsst
from detection.numerics.packets.packet import PacketRefused
from tests.detection.alert_packets import fits_bytes, lsst, star


def test_what_a_packet_tells():
    packet = read_lsst(lsst())
    exposure, found = packet.exposure, packet.measured
    assert (packet.survey, packet.key, packet.object_name) == (
        "LSST", "170112073308569690", "LSST 170028528328769656",
    )  # fmt: skip
    assert (exposure.name, exposure.band) == ("2026030900240-078", "i")
    assert (exposure.start_mjd_utc, exposure.exposure_s) == (None, None) and "time" in exposure.notes
    # Atomic time is 37 s ahead.
    assert (61109.14520318322 - exposure.mjd_utc) * 86400.0 == pytest.approx(37.0, abs=1e-3)
    # 3630.78 nJy are 22.5 mag (3631 Jy are 0 mag).
    assert found.mag == pytest.approx(22.5, abs=1e-3)
    assert found.snr == pytest.approx(36.3078) and found.significance == 35.0
    assert found.position_error_px == pytest.approx(0.05 / np.sqrt(2.0))
    # 2.3548 * sqrt(0.2287) arcsec in pixels of 0.2 arcsec.
    assert exposure.fwhm_px == pytest.approx(5.631, abs=1e-3)
    assert found.ellipticity == 0.0 and found.masked_share is None
    assert [(one.name, one.value, one.version) for one in packet.scores] == [("reliability", 0.95, "")]


def test_the_source_is_in_the_middle_and_what_the_cutout_lacks_is_unknown():
    stamps = read_lsst(lsst()).stamps
    assert stamps.shape == (4, 63, 63)
    assert np.unravel_index(np.nanargmax(stamps[0]), (63, 63)) == (31, 31)
    assert np.isfinite(stamps[0]).sum() == 900 and (stamps[3] == 0.0).sum() == 900


def test_a_cutout_that_tells_no_corner_is_taken_about_its_middle():
    plain = [fits_bytes(star((41, 41), (20.0, 20.0)), is_gzipped=False)] * 3
    stamps = read_lsst(lsst(stamps=plain)).stamps
    assert np.unravel_index(np.nanargmax(stamps[0]), (63, 63)) == (31, 31)


def test_a_negative_source_keeps_its_sign_and_has_no_magnitude():
    packet = read_lsst(lsst(isNegative=True, psfFlux=-500.0))
    assert packet.measured.is_negative and not packet.is_turned
    assert (packet.measured.mag, packet.measured.significance, packet.measured.snr) == (None, -35.0, -5.0)


def test_a_body_of_the_solar_system_belongs_to_no_object():
    record = lsst(diaObjectId=0, ssObjectId=21163633152112203)
    assert (read_lsst(record).object_name, read_lsst(record).known_body) == (
        "",
        "solar system object 21163633152112203",
    )
    assert read_lsst({**record, "ssSource": {"designation": "2006 TK6"}}).known_body == "2006 TK6"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"diaSourceId": None}, "does not give `diaSourceId`"),
        ({"visit": None}, "its exposure"),
        ({"band": None}, "does not give `band`"),
        ({"midpointMjdTai": None}, "does not give `midpointMjdTai`"),
        ({"dec": float("nan")}, "does not give `dec`"),
        ({"x": None}, "does not give `x`"),
    ],
)
def test_a_packet_that_lacks_what_no_row_can_do_without_is_refused(change, reason):
    with pytest.raises(PacketRefused, match=reason):
        read_lsst(lsst(**change))


def test_real_bright_sources_lie_in_the_middle_of_their_cutouts(shared_data):
    paths = sorted((shared_data / "alerts_rubin_parquet").glob("*"))
    packets = [one.packet for path in paths for one in packets_in(path) if isinstance(one, Found)]
    assert len(packets) == 19
    for packet in packets:
        found = packet.measured
        if abs(found.significance) < 80.0:
            continue
        image = np.nan_to_num(packet.stamps[2] - np.nanmedian(packet.stamps[2]))[27:36, 27:36].clip(0.0)
        y, x = np.mgrid[-4:5, -4:5]
        off_x, off_y = ((image * axis).sum() / image.sum() for axis in (x, y))
        assert abs(off_x - (found.pixel_x - round(found.pixel_x))) < 0.5
        assert abs(off_y - (found.pixel_y - round(found.pixel_y))) < 0.5
