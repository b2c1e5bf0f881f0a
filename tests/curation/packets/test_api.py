"""Packets over the REST interface: each form, who may, the archive of a night, and the command that writes it."""

from __future__ import annotations

import base64
import gzip
import io

import pytest
import voeventparse as vp
from astropy.io import fits
from django.core.management import call_command

from catalog.configuration.values import set_value
from catalog.people.audit import MACHINE
from curation.alerts.publishing import publish_pending
from curation.models import AlertPacket
from curation.packets.keeping import packet_of, write_pending
from tests.clients import account, client_of, refused
from tests.curation.packets.scene import alerted, all_in, avro_of, plainly_read, published
from tests.factories import AlertFactory, AlertPacketFactory

pytestmark = pytest.mark.django_db
NIGHTS = "/api/v1/packets/nights/"


def address_of(alert) -> str:
    return f"/api/v1/alerts/{alert.pk}/packet/"


def whole(answer) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_packet_is_given_in_each_form_and_all_say_the_same(empty_data_root):
    row = alerted()
    publication = published(row)
    client, address = client_of("viewer", ["alerts:read"]), address_of(publication.alert)
    given = {form: client.get(address, {"form": form}) for form in ("avro", "json", "voevent", "gcn")}
    number = publication.alert.number
    kinds = {form: (answer["Content-Type"], answer["Content-Disposition"]) for form, answer in given.items()}
    assert kinds == {
        "avro": ("application/avro", f'attachment; filename="{number}.avro"'),
        "json": ("application/json", f'attachment; filename="{number}.json"'),
        "voevent": ("application/voevent+xml", f'attachment; filename="{number}.xml"'),
        "gcn": ("application/json", f'attachment; filename="{number}.gcn.json"'),
    }
    assert client.get(address).content == given["avro"].content == avro_of(publication)
    record = plainly_read(given["avro"].content)
    told = given["json"].json()
    for name in ("cutoutScience", "cutoutTemplate", "cutoutDifference"):
        told[name]["stampData"] = base64.b64decode(told[name]["stampData"])
    assert told == record
    event = vp.loads(given["voevent"].content)
    assert vp.valid_as_v2_0(event) and event.get("ivorn") == record["ivorn"]
    assert given["gcn"].json()["id"] == [str(number), str(publication.alert_id)]
    publication.alert.refresh_from_db()
    assert publication.alert.status == "sent", "a client has it now"


def test_cutouts_are_left_out_or_linked_and_each_is_given_as_fits(empty_data_root):
    publication = published(alerted())
    client, address = client_of("viewer"), address_of(publication.alert)
    none = client.get(address, {"form": "json", "cutouts": "none"}).json()
    assert (none["cutoutScience"], none["cutoutTemplate"], none["cutoutDifference"]) == (None, None, None)
    links = client.get(address, {"form": "json", "cutouts": "links"}).json()
    record = plainly_read(avro_of(publication))
    for part, name in (("science", "Science"), ("reference", "Template"), ("difference", "Difference")):
        url = links[f"cutout{name}"]["url"]
        assert url == f"http://testserver{address}?form=fits&part={part}"
        answer = client.get(url)
        assert (answer["Content-Type"], answer.content) == ("application/gzip", record[f"cutout{name}"]["stampData"])
    with fits.open(io.BytesIO(gzip.decompress(answer.content))) as units:
        assert units[0].header["EXTNAME"] == "DIFFERENCE"
    bare = AlertFactory()
    publish_pending()
    refused(client.get(address_of(bare), {"form": "fits", "part": "science"}), 404, "not_found")


def test_what_a_client_has_is_not_sent_again_and_what_it_misspells_is_refused(empty_data_root):
    alert = AlertFactory()
    client, address = client_of("viewer"), address_of(alert)
    refused(client.get(address), 409, "not_possible")
    publish_pending()
    tags = {}
    for query in ("", "form=json", "form=json&cutouts=none", "form=voevent"):
        tags[query] = client.get(f"{address}?{query}")["ETag"]
        again = client.get(f"{address}?{query}", headers={"If-None-Match": tags[query]})
        assert (again.status_code, again.content) == (304, b"")
    assert len(set(tags.values())) == 4
    for query, name in (
        ("form=xml", "form"), ("form=fits", "part"), ("form=fits&part=mask", "part"), ("part=science", "part"),
        ("cutouts=none", "cutouts"), ("form=json&cutouts=all", "cutouts"), ("format=json", "format"),
    ):  # fmt: skip
        assert name in refused(client.get(f"{address}?{query}"), 400, "invalid")


def test_blind_accounts_are_refused_and_others_without_the_scope(empty_data_root):
    alert = AlertFactory()
    publish_pending()
    set_value("curation.blind", True, MACHINE)
    curator, viewer = client_of("curator"), client_of("viewer")
    for address in (address_of(alert), NIGHTS, f"{NIGHTS}2024-03-01/"):
        refused(curator.get(address), 403, "judges_blind")
        refused(client_of("viewer", ["detections:read"]).get(address), 403, "scope_lacks")
    assert viewer.get(address_of(alert)).status_code == 200


def test_a_packet_that_is_lost_is_told_and_never_made_anew(empty_data_root):
    alert = AlertFactory()
    publish_pending()
    packet = packet_of(alert.publication)
    (empty_data_root / packet.file_path).unlink()
    sentence = refused(client_of("viewer").get(address_of(alert)), 410, "packet_lost")
    assert packet.file_path in sentence


def three_packets():
    """Publish three alerts of one night, with their packets."""
    for _ in range(3):
        AlertFactory(detection__candidate__difference_run__observation__night="2024-03-01")
    publish_pending()
    assert write_pending() == 3


def test_the_archive_of_a_night_is_one_container_that_can_be_gone_on_with(empty_data_root):
    three_packets()
    client = client_of("viewer")
    [night] = client.get(NIGHTS).json()["results"]
    assert (night["night"], night["schema_version"], night["packets"]) == ("2024-03-01", "1.0", 3)
    answer = client.get(night["url"])
    content = whole(answer)
    assert (answer["Content-Type"], answer["Content-Length"]) == ("application/avro", str(night["size_bytes"]))
    assert len(content) == night["size_bytes"] and answer["Accept-Ranges"] == "bytes"
    assert [record["sequence"] for record in all_in(content)] == [1, 2, 3]
    size = len(content)
    header = AlertPacket.objects.first().header_bytes
    for first, last in ((0, 9), (header - 3, header + 3), (size // 2, size - 1), (size - 1, size - 1)):
        part = client.get(night["url"], headers={"Range": f"bytes={first}-{last}"})
        assert (part.status_code, part["Content-Range"]) == (206, f"bytes {first}-{last}/{size}")
        assert whole(part) == content[first : last + 1]
    assert whole(client.get(night["url"], headers={"Range": f"bytes={size - 100}-"})) == content[-100:]
    assert whole(client.get(night["url"], headers={"Range": "bytes=-100"})) == content[-100:]
    beyond = client.get(night["url"], headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{size}")
    other = client.get(night["url"], headers={"Range": "bytes=5-", "If-Range": '"another"'})
    assert other.status_code == 200 and whole(other) == content
    assert client.get(night["url"], headers={"If-None-Match": answer["ETag"]}).status_code == 304
    AlertFactory(detection__candidate__difference_run__observation__night="2024-03-01")
    publish_pending()
    write_pending()
    later = client.get(night["url"])
    assert later["ETag"] != answer["ETag"]
    assert whole(later).startswith(content), "what was read stays the beginning"


def test_nights_that_are_none_are_not_found_and_versions_are_chosen(empty_data_root):
    three_packets()
    client = client_of("viewer")
    for night in ("2024-03-02", "2024-3-1", "20240301", "2024-02-30", "yesterday"):
        refused(client.get(f"{NIGHTS}{night}/"), 404, "not_found")
    assert client.get(NIGHTS, {"before": "2024-03-01"}).json() == {"results": []}
    refused(client.get(NIGHTS, {"before": "March"}), 400, "invalid")
    AlertPacketFactory(night="2024-03-01", schema_version="0.9")
    assert "0.9, 1.0" in refused(client.get(f"{NIGHTS}2024-03-01/"), 400, "invalid")
    assert len(all_in(whole(client.get(f"{NIGHTS}2024-03-01/?schema_version=1.0")))) == 3
    refused(client.get(f"{NIGHTS}2024-03-01/?schema_version=2.0"), 404, "not_found")


def test_the_command_writes_the_nights_that_are_asked_for(empty_data_root, tmp_path, capsys):
    for night in ("2024-03-01", "2024-03-02", "2024-03-02", "2024-03-03"):
        AlertFactory(detection__candidate__difference_run__observation__night=night)
    publish_pending()
    folder = tmp_path / "out" / "packets"
    call_command("export_packets", folder, "--since", "2024-03-02")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["astrid_2024-03-02_v1.0.avro", "astrid_2024-03-03_v1.0.avro"]
    assert "2 packets" in capsys.readouterr().out
    with (folder / names[0]).open("rb") as file:
        assert [record["sequence"] for record in all_in(file.read())] == [2, 3]
    call_command("export_packets", folder, "--night", "2024-03-01")
    assert len(list(folder.iterdir())) == 3
    call_command("export_packets", folder, "--night", "2023-01-01")
    assert "There are no packets" in capsys.readouterr().out


def test_the_page_of_an_alert_offers_its_packet(empty_data_root, client):
    alert = AlertFactory()
    client.force_login(account("viewer"))
    assert address_of(alert) not in client.get(f"/alerts/{alert.pk}/").content.decode()
    publish_pending()
    page = client.get(f"/alerts/{alert.pk}/").content.decode()
    assert f'href="{address_of(alert)}"' in page and f'href="{address_of(alert)}?form=voevent"' in page
    assert str(alert.number) in page
