"""What is in a packet: what was told, what was known then, and nothing that came later."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pytest
from astropy.io import fits
from astropy.time import Time
from django.db import DatabaseError, transaction

from curation.alerts.publishing import publish_pending
from curation.models import AlertPacket, AlertPublication
from curation.packets import history
from curation.packets.keeping import PacketLost, content_of, packet_of, take_turn, write_pending
from detection.models import ForcedPhotometry
from observations.numerics.simulate.names import TELESCOPE
from tests.curation import cutouts
from tests.curation.looks import AB, consider, judge, measured, moving, seen
from tests.curation.packets.scene import CALIBRATED, alerted, avro_of, plainly_read, published
from tests.factories import AlertFactory, DetectionFactory, PreprocessRunFactory

pytestmark = pytest.mark.django_db
# 0 mag (AB), nJy.
AB_0_NJY = 3631e9


def test_a_packet_tells_what_was_published_and_the_history_before(empty_data_root):
    row = alerted()
    publication = published(row)
    packet = plainly_read(avro_of(publication))
    alert = publication.alert
    assert (packet["alertId"], packet["alertUuid"]) == (alert.number, str(alert.pk))
    assert (packet["sequence"], packet["version"], packet["kind"], packet["role"]) == (1, 1, "new", "observation")
    assert (packet["title"], packet["links"], packet["cites"]) == (alert.title, None, [])
    assert packet["ivorn"] == f"ivo://astrid.invalid/astrid#{alert.number}"
    source = packet["source"]
    assert (source["designation"], source["positionErrArcsec"]) == ("AT 2024abc", 0.3)
    assert (source["ra"], source["dec"]) == (row.source.ra, row.source.dec)
    taken_for = packet["classification"]
    assert (taken_for["label"], taken_for["basis"]) == ("supernova_candidate", "human")
    assert [entry["isReal"] for entry in taken_for["judgedBy"]] == [True]
    told = packet["detection"]
    assert told["midpointMjdUtc"] == 60000.0
    assert told["midpointMjdTai"] == pytest.approx(Time(60000.0, format="mjd", scale="utc").tai.mjd, abs=1e-9)
    assert told["midpointMjdTai"] - 60000.0 == pytest.approx(37.0 / 86400.0, abs=1e-9)
    assert told["jd"] == pytest.approx(Time(row.observation.observation_time).jd, abs=1e-8)
    assert (told["flux"], told["fluxErr"], told["fluxUnit"]) == (1250.0, 50.0, "adu")
    assert told["psfFlux"] == pytest.approx(1250.0 * AB_0_NJY * 10 ** (-0.4 * 25.0))
    assert (told["magSystem"], told["isPositive"], told["flags"]) == ("AB", True, [])
    assert told["mag"] == pytest.approx(25.0 - 2.5 * np.log10(1250.0))
    assert (told["score"], f"{told['modelName']} {told['modelVersion']}") == (0.999, row.model_version)
    assert (told["x"], told["y"], told["psfFwhmPx"], told["telescope"]) == (row.pixel_x, row.pixel_y, 3.1, "T1")
    [before] = packet["prvDetections"]
    assert (before["midpointMjdUtc"], before["mag"]) == (59997.0, told["mag"])
    limit, measure = packet["prvForced"]
    assert (limit["midpointMjdUtc"], limit["mag"]) == (59998.0, None)
    assert limit["limitingMag"] == pytest.approx(25.0 - 2.5 * np.log10(250.0))
    assert (measure["flux"], measure["magSystem"], measure["limitingFlux"]) == (900.0, "AB", None)
    assert packet["history"]["isCutOff"] is False


def test_cutouts_are_fits_that_astropy_opens_with_the_pixels_that_are_stored(empty_data_root, monkeypatch):
    wcs = {"CRVAL1": 150.01, "CRVAL2": 2.01, "CRPIX1": 32.0, "CRPIX2": 32.25, "CD1_1": -3e-4, "CD2_2": 3e-4}
    monkeypatch.setattr("curation.packets.cutouts.local_wcs", lambda row: wcs)
    packet = plainly_read(avro_of(published(alerted())))
    for name, image in zip(("Science", "Template", "Difference"), cutouts.cutouts(), strict=False):
        stamp = packet[f"cutout{name}"]
        assert stamp["fileName"].endswith(".fits.gz")
        with fits.open(io.BytesIO(gzip.decompress(stamp["stampData"]))) as units:
            np.testing.assert_array_equal(units[0].data, image)
            header = units[0].header
        assert (header["CTYPE1"], header["CRVAL1"], header["CRPIX2"], header["RADESYS"]) == (
            "RA---TAN", 150.01, 32.25, "ICRS",
        )  # fmt: skip


def test_what_came_after_the_publication_is_in_no_packet_however_late_it_is_written(empty_data_root):
    row = alerted()
    publication = published(row)
    late = seen(row.source, days=-1.5)
    again = measured(row.source, -0.5, **AB)
    anew = ForcedPhotometry.objects.filter(source=row.source).exclude(pk=again.pk).latest("mjd_utc")
    anew.flux, anew.flux_error = 5000.0, 10.0
    anew.save()
    PreprocessRunFactory(
        observation=row.observation, **CALIBRATED | {"zero_point_mag": 30.0, "completed_at": late.created_at}
    )
    packet = plainly_read(avro_of(publication))
    assert str(late.pk) not in [entry["detectionUuid"] for entry in packet["prvDetections"]]
    assert [entry["flux"] for entry in packet["prvForced"]] == [20.0], "one was measured anew, one came later"
    assert packet["detection"]["zeroPointMag"] == 25.0


def test_a_packet_that_was_written_never_changes(empty_data_root):
    row = alerted()
    publication = published(row)
    content = avro_of(publication)
    seen(row.source, days=1.0)
    judge(row, False, label="satellite")
    assert write_pending() == 0
    assert avro_of(publication) == content
    packet = AlertPacket.objects.get()
    for change in (packet.delete, lambda: AlertPacket.objects.update(sha256="")):
        with pytest.raises(DatabaseError, match=r"append-only|only ever added|refuse"), transaction.atomic():
            change()
    path = empty_data_root / packet.file_path
    path.write_bytes(content[:-1] + b"x")
    with pytest.raises(PacketLost, match="was changed"):
        content_of(packet)
    path.unlink()
    with pytest.raises(PacketLost, match="is gone"):
        packet_of(publication) and content_of(packet)
    assert not path.exists(), "another one is never made in its place"


def test_of_two_writers_the_first_ones_packet_counts(empty_data_root, monkeypatch):
    from curation.packets import keeping

    publication = published(alerted())
    make = keeping.facts_of

    def slow(row: AlertPublication):
        facts = make(row)
        monkeypatch.setattr(keeping, "facts_of", make)
        keeping._write(AlertPublication.objects.get(pk=row.pk))
        return facts

    monkeypatch.setattr(keeping, "facts_of", slow)
    packet = packet_of(publication)
    assert [path.name for path in (empty_data_root / "packets").rglob("*.avro")] == [packet.file_path.split("/")[-1]]
    assert plainly_read(content_of(packet))["sequence"] == 1


def test_too_long_a_history_is_cut_to_the_latest_and_says_so(empty_data_root, monkeypatch):
    monkeypatch.setattr(history, "MOST_DETECTIONS", 1)
    monkeypatch.setattr(history, "MOST_FORCED", 1)
    first = alerted()
    measured(first.source, -400.0, **AB)
    seen(first.source, days=-366.0)
    row = seen(first.source, days=0.25, snr=80.0)
    consider(first.source)
    publish_pending()
    packet = plainly_read(avro_of(published(row)))
    assert [entry["midpointMjdUtc"] for entry in packet["prvDetections"]] == [60000.0]
    assert [entry["midpointMjdUtc"] for entry in packet["prvForced"]] == [59999.0]
    told = packet["history"]
    assert (told["detectionsLeftOut"], told["forcedLeftOut"], told["isCutOff"]) == (2, 2, True)
    assert (told["days"], told["mostDetections"]) == (365.0, 1)


def test_updates_and_retractions_cite_what_they_are_about_by_the_name_it_went_out_with(empty_data_root, settings):
    settings.ASTRID_ADDRESS = "https://astrid.example.org:8443/sky"
    row = alerted()
    original = packet_of(published(row))
    settings.ASTRID_ADDRESS = "https://moved.example.org"
    judge(row, True, "expert", label="asteroid")
    consider(row.source)
    publish_pending()
    update = published(row)
    judge(row, False, "expert", label="satellite")
    judge(row, False, "expert", label="satellite")
    judge(row, False, "expert", label="satellite")
    consider(row.source)
    publish_pending()
    retraction = plainly_read(avro_of(published(row)))
    assert original.ivorn == f"ivo://astrid.example.org/astrid#{original.publication.alert.number}"
    assert retraction["kind"] == "retraction" and retraction["reasons"]
    told = [(cite["ivorn"], cite["cite"]) for cite in retraction["cites"]]
    assert told == [(original.ivorn, "retraction"), (packet_of(update).ivorn, "retraction")]
    updated = plainly_read(avro_of(update))
    assert [(cite["ivorn"], cite["cite"]) for cite in updated["cites"]] == [(original.ivorn, "supersedes")]
    assert updated["links"]["page"] == f"https://moved.example.org/alerts/{update.alert_id}/"
    assert updated["ivorn"].startswith("ivo://moved.example.org/astrid#")


def test_what_moves_is_told_with_its_positions_and_simulated_frames_are_a_test(empty_data_root):
    rows = [seen(days=minutes / 1440.0) for minutes in (0.0, 5.0, 10.0)]
    track = moving(*rows)
    judge(rows[0], True, label="asteroid")
    consider(rows[0].source)
    publish_pending()
    packet = plainly_read(avro_of(published(rows[0])))
    motion = packet["motion"]
    assert (motion["trackletUuid"], motion["rateArcsecPerMin"]) == (str(track.pk), 0.36)
    assert (motion["positionAngleDeg"], motion["positionCount"]) == (81.0, 3)
    assert [round((place["midpointMjdUtc"] - 60000.0) * 1440.0) for place in motion["positions"]] == [0, 5, 10]
    assert plainly_read(avro_of(published(alerted(telescope=TELESCOPE))))["role"] == "test"


def test_an_alert_of_a_former_version_and_one_without_numbers_have_packets_too(empty_data_root):
    bare = AlertFactory(detection=DetectionFactory(source=None), alert_metadata={"mag": "bright"})
    publish_pending()
    assert AlertPacket.objects.count() == 0, "publishing waits for no packet"
    assert take_turn() == 1
    assert take_turn() == 0
    packet = plainly_read(content_of(AlertPacket.objects.get()))
    assert packet["alertId"] == bare.number
    assert (packet["source"]["ra"], packet["detection"]["mag"]) == (bare.detection.ra, None)
    assert (packet["cutoutScience"], packet["prvDetections"], packet["prvForced"]) == (None, [], [])


def test_of_an_alert_that_does_not_say_which_detections_stood_later_ones_are_left_out_too(empty_data_root):
    before = DetectionFactory()
    alert = AlertFactory(detection=DetectionFactory(source=before.source), alert_metadata={})
    publish_pending()
    DetectionFactory(source=before.source)
    packet = plainly_read(avro_of(alert.publication))
    assert [entry["detectionUuid"] for entry in packet["prvDetections"]] == [str(before.pk)]


def test_numbers_are_made_of_keys_and_one_that_is_taken_is_given_to_nobody_else(monkeypatch):
    from uuid import UUID

    from curation import ids
    from curation.models import alerts

    key = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    assert ids.number_of(key) == 4835450214572532878
    assert 0 <= ids.number_of(key) < 2**63 and ids.number_of(key, 1) != ids.number_of(key)
    monkeypatch.setattr(alerts, "number_of", lambda key, attempt=0: 41 + attempt)
    first, second = AlertFactory(), AlertFactory()
    assert (first.number, second.number) == (41, 42)
    first.title = "changed"
    first.save()
    first.refresh_from_db()
    assert first.number == 41, "a number that was given stays"


def test_the_migration_gives_old_alerts_the_same_numbers_a_few_at_a_time(monkeypatch):
    from importlib import import_module

    from django.apps import apps
    from django.db import connection

    from curation.models import Alert

    migration = import_module("curation.migrations.0020_packets")
    monkeypatch.setattr(migration, "AT_ONCE", 2)
    rows = [AlertFactory() for _ in range(5)]
    given = [row.number for row in rows]
    for place, row in enumerate(rows):
        Alert.objects.filter(pk=row.pk).update(number=place)
    with connection.schema_editor() as editor:
        migration.give_numbers(apps, editor)
    assert list(Alert.objects.order_by("pk").values_list("number", flat=True)) == given
    monkeypatch.setattr(migration, "number_of", lambda key, attempt=0: 7 + attempt)
    with connection.schema_editor() as editor:
        migration.give_numbers(apps, editor)
    assert sorted(Alert.objects.values_list("number", flat=True)) == [7, 8, 9, 10, 11]
