"""What is in the list of tonight and why, for whom, and what telescopes read."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math

import pytest
from django.test import Client

from catalog.models import SystemConfig
from curation.judgements.unmarked import unanswered_and_unmarked
from detection.models import Detection, DetectionStatus, DetectionType, Urgency
from differencing.models import Tracklet
from tests.browsers import onlooker
from tests.clients import account, client_of, refused
from tests.curation.looks import judge
from tests.factories import (
    CandidateFactory,
    DetectionFactory,
    FieldFactory,
    KnownObjectFactory,
    KnownObjectSearchFactory,
    MoverFactory,
    ObservationFactory,
    OrbitSetFactory,
    PreprocessRunFactory,
    SourceFactory,
    TelescopeFactory,
    TrackletFactory,
    UserFactory,
)
from tests.votables import faults

pytestmark = pytest.mark.django_db

API, PAGE = "/api/v1/tonight/", "/tonight/"
# The evening after: at RA 150, Dec +2 seen from Tenerife in March, which culminates near midnight there.
SEEN = dt.datetime(2024, 3, 1, 23, 0, tzinfo=dt.UTC)
AT = "2024-03-02T22:00:00Z"
AFTER = dt.datetime(2024, 3, 2, 22, 0, tzinfo=dt.UTC)


def mjd(time: dt.datetime) -> float:
    return (time - dt.datetime(1858, 11, 17, tzinfo=dt.UTC)) / dt.timedelta(days=1)


def frame(telescope, minutes: float = 0.0, **more):
    start = SEEN + dt.timedelta(minutes=minutes)
    given = {"wcs_quality": "solved", "night": SEEN.date(), "exposure_time": 60.0}
    return ObservationFactory(
        telescope=telescope, observation_time=start, mjd_utc=mjd(start) + 30.0 / 86400.0, **given | more
    )


def wanted(telescope, *, minutes: float = 0.0, urgency=Urgency.HIGH, source=None, observation=(), **more) -> Detection:
    """Return a detection of a source that wants another epoch."""
    observation = frame(telescope, minutes, **dict(observation))
    PreprocessRunFactory(observation=observation, fwhm_px=2.5, zero_point_mag=25.0, zero_point_error=0.02)
    candidate = CandidateFactory(difference_run__observation=observation, flux=1000.0, flux_error=20.0)
    source = source or SourceFactory(
        ra=150.01, dec=2.01, position_error_arcsec=0.3, last_detected_at=SEEN, detection_count=1, wcs_quality="solved"
    )
    return DetectionFactory(candidate=candidate, source=source, urgency=urgency, **more)


def moving(telescope, *, rate: float = 1.0, error_px: float = 0.1, **more) -> Tracklet:
    """Return a tracklet that moves due east at a rate (arcsec per minute), seen four times in one hour."""
    tracklet = TrackletFactory(
        field=FieldFactory(), night=SEEN.date(), rate_arcsec_per_min=rate, position_angle=90.0, **more
    )
    for minutes in (0, 20, 40, 60):
        observation = frame(telescope, minutes)
        ra = 150.0 + rate * minutes / 3600.0 / math.cos(math.radians(2.0))
        candidate = CandidateFactory(
            difference_run__observation=observation, ra=ra, dec=2.0, position_error_px=error_px
        )
        tracklet.members.add(candidate)
        DetectionFactory(candidate=candidate, source=None)
    return tracklet


@pytest.fixture
def telescope():
    return TelescopeFactory()


def rows(client: Client, **given: object) -> list[dict]:
    return told(client, **given)["results"]


def told(client: Client, **given: object) -> dict:
    answer = client.get(API, {"at": AT, **given})
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_an_urgent_source_is_in_the_list_with_how_it_stands(telescope):
    detection = wanted(telescope)
    (row,) = rows(client_of("viewer"))
    assert row["id"] == str(detection.source_id) and row["detection"] == str(detection.pk)
    assert row["why"] == "urgent, and awaiting review; seen on one night, last 23 h ago"
    assert (row["ra"], row["dec"], row["rate_ra_arcsec_per_min"]) == (150.01, 2.01, 0.0)
    assert row["mag"] == pytest.approx(25.0 - 2.5 * 3.0)
    # Tenerife, 28.3° north: it culminates at 90 - 28.3 + 2 degrees, where the airmass is 1.12.
    assert row["best_altitude_deg"] == pytest.approx(63.6, abs=0.1) and row["best_airmass"] == pytest.approx(
        1.116, abs=0.002
    )
    assert row["altitude_deg"] < row["best_altitude_deg"] and -4.0 < row["hour_angle_h"] < 0.0
    assert row["best_at"][:10] == "2024-03-03" and row["sets_at"] is not None and row["longest_exposure_s"] is None
    assert row["entity_url"].endswith(f"/api/v1/sources/{detection.source_id}/")


def test_sources_are_wanted_that_are_judged_real_or_urgent_and_of_few_nights(telescope):
    client = client_of("viewer")
    assert rows(client) == []
    quiet = wanted(telescope, urgency=Urgency.LOW)
    assert rows(client) == []
    judge(quiet, True, label="agn")
    assert [row["why"].split(";")[0] for row in rows(client)] == ["judged real: agn"]
    judge(quiet, False, person=quiet.validation_events.get().validator, label="cosmic_ray")
    assert rows(client) == []


@pytest.mark.parametrize(
    "change",
    [
        {"status": DetectionStatus.ARCHIVED},
        {"status": DetectionStatus.REJECTED},
        {"detection_type": DetectionType.ARTIFACT},
        {"is_injected": True},
        {"urgency": Urgency.MEDIUM},
        {"urgency": None},
    ],
)
def test_what_is_settled_slight_or_no_science_is_not_in_the_list(telescope, change):
    detection = wanted(telescope)
    Detection.with_injected.filter(pk=detection.pk).update(**change)
    assert rows(client_of("viewer")) == []


def test_what_was_seen_on_many_nights_or_long_ago_wants_no_other_epoch(telescope):
    detection, client = wanted(telescope), client_of("viewer")
    assert rows(client, at="2024-04-15T22:00:00Z") == [] and rows(client, at="2024-02-15T22:00:00Z") == []
    for days in range(1, 6):
        night = SEEN.date() - dt.timedelta(days=days)
        wanted(telescope, minutes=-1440.0 * days, source=detection.source, observation={"night": night})
    assert rows(client) == []


def test_a_position_that_no_stars_have_given_is_left_out_and_counted(telescope):
    detection = wanted(telescope)
    detection.source.wcs_quality = "nominal"
    detection.source.save()
    tracklet = moving(telescope)
    tracklet.members.first().observation.__class__.objects.filter(candidates__tracklets=tracklet).update(
        wcs_quality="nominal"
    )
    answer = told(client_of("viewer"))
    assert answer["results"] == []
    assert answer["left_out"] == {"position from pointing and optics only, not from stars": 2}


def test_a_moving_object_is_where_its_line_leads_and_its_ellipse_grows(telescope):
    tracklet, client = moving(telescope), client_of("viewer")
    wanted(telescope)
    first, second = rows(client)
    assert (first["kind"], second["kind"]) == ("moving", "source"), "what will be lost comes first"
    assert first["id"] == str(tracklet.pk)
    minutes = (AFTER - SEEN) / dt.timedelta(minutes=1) - 0.5
    ahead = (first["ra"] - 150.0) * 3600.0 * math.cos(math.radians(2.0))
    assert ahead == pytest.approx(minutes, abs=first["error_major_arcsec"]) and first["error_major_arcsec"] > 20.0
    assert (first["rate_ra_arcsec_per_min"], first["rate_dec_arcsec_per_min"]) == pytest.approx((1.0, 0.0), abs=0.01)
    # Stars of 2.5 pixels of 1.2″, at 1″ per minute: three minutes. The newest frame has no run of its own here.
    assert first["longest_exposure_s"] is None
    later = rows(client, at="2024-03-03T22:00:00Z", kind="moving")
    assert later[0]["error_major_arcsec"] > 1.5 * first["error_major_arcsec"]
    assert "cannot be said" in first["why"] and "by tomorrow" in first["why"]


def test_a_doubtful_rejected_or_lost_moving_object_is_not_in_the_list(telescope):
    client = client_of("viewer")
    tracklet = moving(telescope)
    for change in ({"is_doubtful": True}, {"night": dt.date(2024, 2, 1)}):
        kept = {name: getattr(tracklet, name) for name in change}
        Tracklet.objects.filter(pk=tracklet.pk).update(**change)
        assert rows(client) == []
        Tracklet.objects.filter(pk=tracklet.pk).update(**kept)
    Detection.objects.filter(candidate__tracklets=tracklet).update(status=DetectionStatus.REJECTED)
    assert rows(client) == []
    Detection.objects.filter(candidate__tracklets=tracklet).update(status=DetectionStatus.PENDING)
    assert len(rows(client)) == 1
    assert told(client, at="2024-03-14T22:00:00Z")["left_out"] == {
        "moving, and by now anywhere within more than a degree": 1
    }


def test_a_known_body_is_left_out_and_one_that_is_not_known_is_told_so(telescope):
    tracklet, client = moving(telescope), client_of("viewer")
    OrbitSetFactory(orbits_at=SEEN)
    last = Detection.objects.filter(candidate__tracklets=tracklet).latest("observation__mjd_utc")
    observation = last.observation
    KnownObjectSearchFactory(
        observation=observation, ra=150.0, dec=2.0, radius_deg=1.0, mjd_utc=observation.mjd_utc, orbits_at=SEEN
    )
    SystemConfig.objects.create(key="known_objects.max_orbit_age_days", value=3650.0)
    (row,) = rows(client)
    assert "moves, and no known body is there" in row["why"]
    KnownObjectFactory(observation=observation, ra=last.ra, dec=last.dec)
    answer = told(client)
    assert answer["results"] == [] and answer["left_out"] == {"known asteroids and comets": 1}


def test_tracklets_of_one_mover_are_one_object(telescope):
    mover = MoverFactory()
    moving(telescope, mover=mover)
    second = moving(telescope, mover=mover)
    (row,) = rows(client_of("viewer"))
    assert row["id"] == str(mover.pk) and row["name"].startswith("M") and second.mover == mover


def test_who_judges_blind_is_shown_what_lists_show_them(telescope):
    SystemConfig.objects.create(key="curation.blind", value=True)
    slight, urgent = wanted(telescope, urgency=Urgency.LOW), wanted(telescope)
    judge(slight, True, person=UserFactory(), label="variable_star")
    judge(urgent, False, person=UserFactory(), label="cosmic_ray")
    curator = client_of("curator")
    assert [(row["id"], row["why"].split(";")[0]) for row in rows(curator)] == [
        (str(urgent.source_id), "urgent, and awaiting review")
    ]
    assert [row["id"] for row in rows(client_of("viewer"))] == [str(slight.source_id)]


def test_a_source_that_is_there_because_somebody_called_it_real_is_no_secret_told(telescope):
    SystemConfig.objects.create(key="curation.blind", value=True)
    promoted = wanted(telescope, origin="promoted")
    judge(promoted, True, person=UserFactory(), label="variable_star")
    assert rows(client_of("curator")) == []
    assert len(rows(client_of("viewer"))) == 1


def test_while_something_unmarked_waits_what_awaits_an_answer_is_left_out_for_who_gives_it(telescope):
    SystemConfig.objects.create(key="curation.fake_share", value=0.2)
    detection, curator = wanted(telescope), account("curator")
    moving(telescope)
    answer = told(client_of(curator))
    assert answer["results"] == []
    assert answer["left_out"] == {"awaiting your own answer, before which no more is told of it": 2}
    assert len(rows(client_of("viewer"))) == 2
    judge(detection, True, person=curator)
    assert [row["id"] for row in rows(client_of(curator))] == [str(detection.source_id)]
    assert unanswered_and_unmarked([], curator) == set()


def test_what_is_too_low_is_counted_and_a_lower_limit_shows_it(telescope):
    client = client_of("viewer")
    low = SourceFactory(ra=150.0, dec=-45.0, last_detected_at=SEEN, detection_count=1, wcs_quality="solved")
    wanted(telescope, source=low)
    answer = told(client)
    assert (answer["results"], answer["too_low"]) == ([], 1)
    assert len(rows(client, altitude_min=10)) == 1
    assert told(client, telescope=str(TelescopeFactory(latitude_deg=-33.0).pk))["too_low"] == 0


def test_the_night_is_told_with_its_darkness_and_the_moon(telescope):
    answer = told(client_of("viewer"))
    assert (answer["dark_from"][:13], answer["dark_until"][:13]) == ("2024-03-02T20", "2024-03-03T06")
    assert answer["sun_below_deg"] == -18.0 and 0.5 < answer["moon_illuminated"] < 0.75
    telescope.latitude_deg = 69.0
    telescope.save()
    bright = told(client_of("viewer"), at="2024-06-21T22:00:00Z")
    assert bright["dark_from"] is None and bright["results"] == []


def test_a_telescope_whose_place_is_not_known_is_told_and_none_is_guessed(telescope):
    wanted(telescope)
    client, page = client_of("viewer"), onlooker("administrator")
    telescope.latitude_deg = None
    telescope.save()
    assert "give latitude and longitude" in refused(client.get(API), 409, "site_unknown")
    shown = page.get(PAGE).content.decode()
    assert "stands is not known" in shown and f"/admin/observations/telescope/{telescope.pk}/change/" in shown
    Detection.objects.all().delete()


def test_without_any_telescope_the_page_says_where_they_come_from():
    assert "There is no telescope yet" in onlooker("viewer").get(PAGE).content.decode()
    refused(client_of("viewer").get(API), 409, "site_unknown")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("telescope=x", "telescope"),
        ("altitude_min=90", "altitude_min"), ("altitude_min=nan", "altitude_min"), ("kind=comets", "kind"),
        ("at=1850-01-01", "at"), ("at=yesterday", "at"), ("height=3", "height"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(telescope, query, name):
    assert f"{name}: " in refused(client_of("viewer").get(f"{API}?{query}"), 400, "invalid")
    assert onlooker("viewer").get(f"{PAGE}?{query}").status_code == 200


def test_a_telescope_that_is_not_there_is_told(telescope):
    query = "telescope=00000000-0000-0000-0000-000000000000"
    assert "telescope: " in refused(client_of("viewer").get(f"{API}?{query}"), 404, "not_found")
    assert "There is no such telescope." in onlooker("viewer").get(f"{PAGE}?{query}").content.decode()


def test_moving_objects_need_their_scope(telescope):
    client = client_of("viewer", ["detections:read"])
    assert "kind=source" in refused(client.get(API), 403, "scope_lacks")
    assert rows(client, kind="source") == []


def test_telescopes_read_a_table_of_ascii_with_positions_and_rates(telescope):
    wanted(telescope, source=SourceFactory(
        name="=J1000", ra=150.25, dec=-0.5, last_detected_at=SEEN, detection_count=1, wcs_quality="solved"
    ))  # fmt: skip
    tracklet = moving(telescope, rate=2.0)
    last = Detection.objects.filter(candidate__tracklets=tracklet).latest("observation__mjd_utc")
    PreprocessRunFactory(observation=last.observation, fwhm_px=2.5)
    content = client_of("viewer").get(API, {"at": AT, "format": "csv"}).content
    source, mover = sorted(csv.DictReader(io.StringIO(content.decode("ascii"))), key=lambda row: row["dec_deg"])
    assert (source["name"], source["ra_hms"], source["dec_dms"]) == ("J1000", "10:01:00.00", "-00:30:00.0")
    assert (source["ra_deg"], source["dec_deg"], source["at_utc"]) == (
        "150.250000",
        "-0.500000",
        "2024-03-02T22:00:00Z",
    )
    assert (source["rate_ra_arcsec_per_min"], source["exposure_note"]) == ("0.0000", "")
    assert float(mover["rate_ra_arcsec_per_min"]) == pytest.approx(2.0, abs=0.02)
    (whole,) = rows(client_of("viewer"), kind="moving")
    for name in ("error_minor_arcsec", "error_angle_deg", "altitude_deg", "best_airmass", "moon_distance_deg"):
        assert float(mover[name]) == pytest.approx(whole[name], abs=0.5)
    assert float(mover["error_arcsec"]) >= float(mover["error_minor_arcsec"]) > 0.0 and float(mover["airmass"]) > 1.0
    # Stars of 2.5 pixels of 1.2″ at 2″ per minute.
    assert mover["exposure_note"] == "at most 90 s, then it trails by the width of a star"


def test_the_table_of_the_virtual_observatory_is_valid(telescope):
    wanted(telescope)
    moving(telescope)
    content = client_of("viewer").get(API, {"at": AT, "format": "votable"}).content
    assert faults(content) == "" and content.count(b"<TR>") == 2
    parquet = client_of("viewer").get(API, {"at": AT, "format": "parquet"}).content
    assert parquet[:4] == parquet[-4:] == b"PAR1"


def test_the_page_shows_objects_with_their_pages_and_the_table(telescope):
    detection = wanted(telescope)
    moving(telescope)
    page = onlooker("viewer").get(PAGE, {"at": AT}).content.decode()
    assert f"/sources/{detection.source_id}/" in page and "Dark, the Sun below −18°" in page
    assert "/api/v1/tonight/?at=2024-03-02T22%3A00%3A00Z&amp;format=csv" in page
    empty = onlooker("viewer").get(PAGE).content.decode()
    assert "Nothing wants another epoch" in " ".join(empty.split()) and "?at=2024-03-02T23:59" in empty
