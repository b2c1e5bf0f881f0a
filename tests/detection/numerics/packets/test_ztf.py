"""What is read of ZTF's packets: values, signs, and where the source lies in the cutouts."""

from __future__ import annotations

import numpy as np
import pytest

from detection.numerics.packets.files import Found, packets_in
from detection.numerics.packets.packet import PacketRefused
from detection.numerics.packets.ztf import read_ztf
from tests.detection.alert_packets import fits_bytes, star, ztf


def test_what_a_packet_tells():
    packet = read_ztf(ztf())
    assert (packet.survey, packet.key, packet.object_name) == ("ZTF", "978463981215010000", "ZTF18abwhsum")
    exposure, found = packet.exposure, packet.measured
    assert (exposure.name, exposure.band, exposure.exposure_s) == ("978463981215", "r", 30.0)
    # 2458732.9639815 - 2400000.5 = 58732.4639815 is the start; the middle comes 15 s later.
    assert exposure.start_mjd_utc == pytest.approx(58732.4639815, abs=1e-8)
    assert (exposure.mjd_utc - exposure.start_mjd_utc) * 86400.0 == pytest.approx(15.0, abs=1e-3)
    # 26.0 - 18.0 mag above the zero point: 10^(0.4 * 8) counts; 0.05 mag are 4.6 % of them.
    assert found.flux == pytest.approx(10**3.2)
    assert found.flux_error == pytest.approx(10**3.2 * 0.05 * np.log(10.0) / 2.5)
    assert found.snr == pytest.approx(found.flux / found.flux_error)
    assert (found.significance, found.is_negative, packet.is_turned) == (22.0, False, False)
    # Positions count from 1 in the packet.
    assert (found.pixel_x, found.pixel_y) == (pytest.approx(1590.915), pytest.approx(1429.917))
    assert (found.ellipticity, found.masked_share) == (pytest.approx(0.2), 0.2)
    assert [(one.name, one.value, one.version) for one in packet.scores] == [
        ("drb", 0.9, "d6_m7"), ("rb", 0.8, "t17_f5_c3"),
    ]  # fmt: skip
    assert (packet.earlier_detections, packet.earlier_undetected, packet.known_body) == (1, 1, "")


@pytest.mark.parametrize("given", ["f", "0"])
def test_the_difference_of_what_faded_is_turned(given):
    """The packet holds reference minus science, positive in the middle; ours is science minus reference."""
    old, new = star(), star(peak=0.0)
    packet = read_ztf(ztf(isdiffpos=given, stamps=[fits_bytes(one) for one in (new, old, old - new)]))
    np.testing.assert_allclose(packet.stamps[2], packet.stamps[0] - packet.stamps[1], atol=1e-3)
    assert packet.stamps[2, 31, 31] < -400.0
    assert packet.measured.is_negative and packet.is_turned
    assert packet.measured.flux < 0 and packet.measured.snr < 0 and packet.measured.significance < 0
    assert packet.measured.mag == 18.0


def test_what_older_packets_lack_is_none_and_no_plausible_number():
    """Some fill in 0 for what their schema did not have yet."""
    lacking = {"exptime": 0.0, "magzpsci": 0.0, "magzpsciunc": 0.0, "scorr": 0.0, "drb": 0.0, "drbversion": ""}
    packet = read_ztf(ztf(**lacking, fwhm=-1.0, seeratio=-999.0, elong=None, nbad=None, diffmaglim=None))
    found, exposure = packet.measured, packet.exposure
    assert (found.flux, found.flux_error, found.significance, found.fwhm_px) == (None, None, None, None)
    assert (found.ellipticity, found.masked_share) == (None, None)
    assert found.snr == pytest.approx(2.5 / np.log(10.0) / 0.05)
    assert (exposure.exposure_s, exposure.zero_point_mag, exposure.fwhm_px, exposure.limiting_mag) == (None,) * 4
    assert exposure.mjd_utc == exposure.start_mjd_utc and "exposure" in exposure.notes
    assert [one.name for one in packet.scores] == ["rb"]


def test_a_known_body_is_told_where_it_is_near():
    assert read_ztf(ztf(ssnamenr="50566", ssdistnr=0.4)).known_body == "50566"
    assert read_ztf(ztf(ssnamenr="50566", ssdistnr=25.0)).known_body == ""


def test_the_source_lies_in_the_middle_also_where_the_frames_edge_cut_the_cutout():
    """Of real packets: `ypos` 12.01 comes with 43 rows and the source in row 11, counted from 0."""
    low = [fits_bytes(star((43, 63), (31.0, 11.0)))] * 3
    stamps = read_ztf(ztf(ypos=12.01, stamps=low)).stamps
    assert np.unravel_index(np.nanargmax(stamps[0]), (63, 63)) == (31, 31)
    assert np.isnan(stamps[0, :20]).all() and not np.isnan(stamps[0, 20:]).any()
    assert (stamps[3, :20] == 1.0).all() and (stamps[3, 20:] == 0.0).all()
    high = [fits_bytes(star((40, 63), (31.0, 31.0)))] * 3
    stamps = read_ztf(ztf(ypos=3071.7, stamps=high)).stamps
    assert np.unravel_index(np.nanargmax(stamps[0]), (63, 63)) == (31, 31)
    assert np.isnan(stamps[0, 40:]).all()


def test_larger_cutouts_are_cut_about_their_middle():
    large = [fits_bytes(star((101, 101), (50.0, 50.0)))] * 3
    stamps = read_ztf(ztf(stamps=large)).stamps
    assert np.unravel_index(np.nanargmax(stamps[0]), (63, 63)) == (31, 31)


PICTURE = b"\xff\xd8\xff\xe0 jpeg"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"candid": None}, "does not give `candid`"),
        ({"objectId": None}, "does not give `objectId`"),
        ({"pid": None}, "does not give `pid`"),
        ({"jd": None}, "does not give `jd`"),
        ({"ra": float("nan")}, "does not give `ra`"),
        ({"dec": 95.0}, "no place in the sky"),
        ({"ra": 360.0}, "no place in the sky"),
        ({"xpos": None}, "does not give `xpos`"),
        ({"fid": 9}, "none of ZTF's filters"),
        ({"isdiffpos": "maybe"}, "neither t nor f"),
        ({"stamps": [fits_bytes(star()), None, fits_bytes(star())]}, "no `cutoutTemplate`"),
        ({"stamps": [PICTURE] * 3}, "`cutoutScience` cannot be read: it is a JPEG picture"),
        ({"stamps": [fits_bytes(star()), fits_bytes(star((50, 63))), fits_bytes(star())]}, "differ in size"),
    ],
)
def test_a_packet_that_lacks_what_no_row_can_do_without_is_refused(change, reason):
    with pytest.raises(PacketRefused, match=reason):
        read_ztf(ztf(**change))


def test_real_packets_of_an_exposure_agree_and_their_differences_have_the_sign_of_the_change(shared_data):
    """What the reading rests on: zero point and star width are the exposure's, and the turned difference is ours."""
    by_exposure: dict[str, set[tuple[object, ...]]] = {}
    signs = set()
    paths = [*(shared_data / "alerts_ztf_avro").glob("*.avro"), *(shared_data / "alerts_fink_parquet").glob("*")]
    packets = [one.packet for path in sorted(paths) for one in packets_in(path) if isinstance(one, Found)]
    for packet in packets:
        exposure, middle = packet.exposure, packet.stamps[2, 29:34, 29:34]
        told = (exposure.zero_point_mag and round(exposure.zero_point_mag, 5), round(exposure.fwhm_px, 4))
        by_exposure.setdefault(exposure.name, set()).add(told)
        signs.add((packet.measured.is_negative, bool(np.nansum(middle - np.nanmedian(packet.stamps[2])) > 0.0)))
    assert len(packets) > 250 and signs == {(False, True), (True, False)}
    assert {len(told) for told in by_exposure.values()} == {1}
