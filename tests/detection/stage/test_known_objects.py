"""Known bodies of a frame: which are kept, with which errors, and what is stored where nothing can be computed."""

from __future__ import annotations

import datetime as dt
import io

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from catalog.models import ProcessingJob
from detection.known.comparing import Verdict, known_near
from detection.known.frames import wanting
from detection.models import KnownObject, KnownObjectSearch, OrbitSet, SearchOutcome
from detection.numerics.ephemerides import nbody
from detection.numerics.ephemerides.nbody import Moment
from detection.numerics.ephemerides.observer import on_earth
from detection.stage import known_objects
from observations.places import place_of
from tests.factories import DetectionFactory, ObservationFactory, OrbitFactory, OrbitSetFactory, TelescopeFactory
from tests.orbits import EPOCH_MJD, drawn, looks_of_two_bodies, mpcorb_line

pytestmark = pytest.mark.django_db
MJD = EPOCH_MJD + 30.0
needs_extra = pytest.mark.skipif(
    not nbody.are_installed(), reason="the ephemerides are not installed (make ephemerides)"
)


@pytest.fixture
def two_bodies(monkeypatch):
    """Integrate by the Sun alone: what is tested is not how orbits are integrated."""
    monkeypatch.setattr(nbody, "are_installed", lambda: True)
    monkeypatch.setattr(nbody, "apparent", looks_of_two_bodies)


def stored(orbits, index=0, **values):
    elements = {name: float(column[index]) for name, column in vars(orbits).items()}
    return OrbitFactory(**elements, **({"last_observed_mjd": EPOCH_MJD} | values))


def frame_at(orbits, index=0, telescope=None, look=looks_of_two_bodies, **values):
    """Return a frame whose centre is where a body is."""
    telescope = telescope or TelescopeFactory()
    place = place_of(telescope)
    (seen,) = look(orbits, [Moment(MJD, None if place is None else on_earth(place))])
    return ObservationFactory(
        ra=float(seen.ra[index]), dec=float(seen.dec[index]), mjd_utc=MJD, telescope=telescope, **values
    )


def test_the_body_in_a_frame_is_kept_with_its_errors_and_the_others_are_not(two_bodies):
    orbits = drawn(30, seed=1)
    for index in range(30):
        stored(orbits, index, orbit_set=OrbitSet.objects.first() or OrbitSetFactory(), designation=f"body {index}",
               uncertainty_parameter=3, rms_arcsec=0.4)  # fmt: skip
    observation = frame_at(orbits, 7)
    here = DetectionFactory(observation=observation, ra=observation.ra, dec=observation.dec, status="pending")
    known_objects.run(str(observation.pk))
    here.refresh_from_db()
    assert here.novelty == 0.0, "a known body is not new to the sky"
    row = KnownObject.objects.get()
    assert row.designation == "body 7"
    assert (row.ra, row.dec) == pytest.approx((observation.ra, observation.dec), abs=1e-9)
    assert row.across_error_arcsec == pytest.approx(0.4)
    expected = 648000.0 ** (3 / 9) * 30.0 / 3652.5 * row.sun_distance_au / row.distance_au
    assert row.along_error_arcsec == pytest.approx(np.hypot(expected, 0.4))
    # H 15 at these distances, at a phase between 0 and 30 degrees.
    assert 0.0 < row.predicted_mag - 15.0 - 5.0 * np.log10(row.sun_distance_au * row.distance_au) < 1.5
    search = KnownObjectSearch.objects.get()
    assert (search.outcome, search.orbit_count, search.vague_count) == (SearchOutcome.DONE, 30, 0)


def test_a_repeat_replaces_what_was_computed_before(two_bodies):
    orbits = drawn(1, seed=2)
    stored(orbits)
    observation = frame_at(orbits)
    known_objects.run(str(observation.pk))
    first = KnownObject.objects.get()
    known_objects.run(str(observation.pk))
    assert KnownObject.objects.get().pk != first.pk
    assert KnownObjectSearch.objects.count() == 1


def test_a_site_that_is_not_known_adds_its_parallax_to_the_errors(two_bodies):
    orbits = drawn(1, seed=3)
    stored(orbits)
    observation = frame_at(orbits, telescope=TelescopeFactory(latitude_deg=None, longitude_deg=None))
    known_objects.run(str(observation.pk))
    assert KnownObjectSearch.objects.get().is_geocentric
    row = KnownObject.objects.get()
    assert row.across_error_arcsec == pytest.approx(np.hypot(0.5, 8.794 / row.distance_au))


def test_without_the_extra_each_frame_is_told_so_and_nothing_fails(monkeypatch):
    monkeypatch.setattr(nbody, "are_installed", lambda: False)
    orbits = drawn(1, seed=4)
    stored(orbits)
    detection = DetectionFactory(observation=frame_at(orbits))
    known_objects.run(str(detection.observation_id))
    assert KnownObjectSearch.objects.get().outcome == SearchOutcome.NO_EPHEMERIDES
    known = known_near(detection)
    assert known.verdict == Verdict.CANNOT_SAY and "make ephemerides" in known.sentence


def test_a_frame_years_from_every_epoch_is_told_so(two_bodies):
    orbits = drawn(1, seed=5)
    stored(orbits)
    observation = frame_at(orbits)
    observation.mjd_utc -= 3000.0
    observation.save()
    known_objects.run(str(observation.pk))
    assert KnownObjectSearch.objects.get().outcome == SearchOutcome.NONE_USABLE


def test_orbits_that_are_all_vague_say_nothing(two_bodies):
    orbits = drawn(1, seed=5)
    stored(orbits, uncertainty_parameter=9)
    known_objects.run(str(frame_at(orbits).pk))
    assert KnownObjectSearch.objects.get().outcome == SearchOutcome.NONE_USABLE


def test_a_frame_of_unknown_size_is_told_so(two_bodies):
    orbits = drawn(1, seed=5)
    stored(orbits)
    observation = frame_at(orbits, pixel_scale=None)
    known_objects.run(str(observation.pk))
    assert KnownObjectSearch.objects.get().outcome == SearchOutcome.NO_SIZE


def test_vague_orbits_are_counted_apart_and_lead_nowhere(two_bodies):
    orbits = drawn(2, seed=6)
    stored(orbits, 0, uncertainty_parameter=None)
    stored(orbits, 1, orbit_set=OrbitSet.objects.get())
    known_objects.run(str(frame_at(orbits, 0).pk))
    assert not KnownObject.objects.exists()
    search = KnownObjectSearch.objects.get()
    assert (search.orbit_count, search.vague_count) == (1, 1)


def test_a_body_of_two_sets_is_kept_once(two_bodies):
    orbits = drawn(1, seed=8)
    stored(orbits, designation="2024 AB1")
    stored(orbits, designation="2024 AB1", orbit_set=OrbitSetFactory(name="mine"))
    known_objects.run(str(frame_at(orbits).pk))
    assert KnownObject.objects.count() == 1


def test_without_orbits_nothing_is_stored():
    known_objects.run(str(ObservationFactory().pk))
    assert not KnownObjectSearch.objects.exists()


# --- Which frames want it ---
def test_frames_want_it_until_they_have_it_and_again_by_newer_orbits_or_another_time_or_place(two_bodies):
    orbits = drawn(1, seed=9)
    orbit_set = stored(orbits).orbit_set
    observation = frame_at(orbits)
    assert list(wanting()) == [observation]
    known_objects.run(str(observation.pk))
    assert list(wanting()) == [] and list(wanting(again=True)) == [observation]
    for change in ({"mjd_utc": MJD + 0.001}, {"ra": (observation.ra + 0.5) % 360.0}):
        before = {name: getattr(observation, name) for name in change}
        for values, expected in ((change, [observation]), (before, [])):
            for name, value in values.items():
                setattr(observation, name, value)
            observation.save()
            assert list(wanting()) == expected, values
    orbit_set.save()
    assert list(wanting()) == [observation]
    assert list(wanting(night=observation.night + dt.timedelta(days=1))) == []


# --- The command ---
def told(*arguments):
    out = io.StringIO()
    call_command("known_objects", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_the_command_loads_a_file_lists_it_and_computes_frames(two_bodies, tmp_path):
    path = tmp_path / "MPCORB.DAT"
    path.write_text("\n".join(mpcorb_line(number, 10.0 * number) for number in range(1, 4)))
    assert told("load", str(path)) == "asteroids: 3 orbits of 2023-06-20 from MPCORB.DAT\n"
    assert told("list") == told("load", str(path))
    ObservationFactory(mjd_utc=MJD)
    assert told("update") == "0 known objects in 1 frames.\n"
    assert told("update") == "0 known objects in 0 frames.\n"
    assert told("update", "--all") == "0 known objects in 1 frames.\n"
    assert told("update", "--night", "1999-01-01", "--all") == "0 known objects in 0 frames.\n"


def test_the_command_says_what_is_wrong(tmp_path):
    with pytest.raises(CommandError, match="No orbits are loaded"):
        told("update")
    (tmp_path / "x").write_text("nothing")
    with pytest.raises(CommandError, match="holds no orbits"):
        told("load", str(tmp_path / "x"))
    with pytest.raises(CommandError, match="No such file"):
        told("load", str(tmp_path / "y"))
    with pytest.raises(CommandError, match="not on the public internet"):
        told("load", "http://127.0.0.1/MPCORB.DAT")


# --- The table of the stages ---
@pytest.mark.parametrize("is_loaded", [True, False])
def test_a_detected_frame_is_looked_at_only_where_orbits_are_loaded(is_loaded):
    from astrid_site.night.stages import STAGES

    if is_loaded:
        OrbitFactory()
    observation = ObservationFactory()
    detect = next(stage for stage in STAGES if stage.name == "detect")
    job = ProcessingJob(job_type="detect", entity_type="observation", entity_id=str(observation.pk))
    assert (("known_objects", "observation", observation.pk) in list(detect.follows(job))) == is_loaded


def test_nothing_waits_for_it():
    from astrid_site.night.stages import STAGES

    assert all("known_objects" not in stage.waits_for for stage in STAGES)


@needs_extra
def test_with_the_extra_a_body_is_where_its_frame_is_and_is_known():
    orbits = drawn(3, seed=10)
    for index in range(3):
        stored(orbits, index, orbit_set=OrbitSet.objects.first() or OrbitSetFactory(), designation=f"body {index}")
    observation = frame_at(orbits, 1, look=nbody.apparent)
    known_objects.run(str(observation.pk))
    detection = DetectionFactory(observation=observation, ra=observation.ra, dec=observation.dec)
    known = known_near(detection)
    assert known.verdict == Verdict.KNOWN and known.sentence.startswith("known: body 1, 0.0″ away")
