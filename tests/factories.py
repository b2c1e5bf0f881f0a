"""Rows for tests: every factory makes a row that satisfies all constraints."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.utils import timezone
from factory import declarations
from factory.django import DjangoModelFactory

from catalog.failures import FailureCode
from catalog.models import AccountLink, LinkKind, LoginSession, ProcessingJob, RemovedFile, RunStatus, User
from curation.models import (
    Alert,
    AlertPacket,
    AlertPublication,
    Conflict,
    Contradiction,
    Deferral,
    Delivery,
    GoldAnswer,
    GoldItem,
    LabelDefinition,
    LabelExample,
    Lease,
    Mention,
    Note,
    Report,
    ReportAttempt,
    ReportRow,
    SavedFilter,
    Subscription,
    TriageSettings,
    ValidationEvent,
)
from detection.models import (
    Calibration,
    CandidateScore,
    ContextArea,
    ContextKind,
    ContextSource,
    DataSet,
    Detection,
    DetectionType,
    ForcedPhotometry,
    KnownObject,
    KnownObjectSearch,
    Model,
    ModelRun,
    ModelType,
    Orbit,
    OrbitSet,
    Source,
)
from differencing.models import Candidate, DifferenceRun, Mover, Reference, Tracklet
from observations.claims.reading import READING_VERSION
from observations.models import (
    Archive,
    ArchiveHost,
    ArchiveKind,
    ArchiveProduct,
    ArchiveRun,
    CalibrationFrame,
    CalibrationKind,
    Doubt,
    DoubtOrigin,
    Field,
    InstrumentProfile,
    Observation,
    ProductState,
    SaturationUnit,
    Survey,
    Telescope,
    WcsQuality,
)
from preprocessing.models import CalibrationMaster, MasterKind, PreprocessRun, StarCatalogField

# Calling a factory gives a row of its model, and a declaration becomes a value: their own types say neither.
RowFactory: Any = DjangoModelFactory
LazyAttribute: Any = declarations.LazyAttribute
LazyFunction: Any = declarations.LazyFunction
SelfAttribute: Any = declarations.SelfAttribute
Sequence: Any = declarations.Sequence
SubFactory: Any = declarations.SubFactory

FIRST_EXPOSURE = dt.datetime(2024, 3, 1, 21, 0, tzinfo=dt.UTC)
# Middle of a 60 s exposure that starts then.
FIRST_MJD_UTC = 60370.875 + 30.0 / 86400.0


# What an exposure shows, as it stands in reports.
_SEEN = {
    "obs_time": FIRST_EXPOSURE.isoformat(), "mag": None, "mag_error": None, "limiting_mag": 20.0, "units": 1,
    "filter_id": 22, "instrument_id": 321, "exposure_s": 60.0, "observer": "Robot", "comment": "",
}  # fmt: skip


def digest(text: object) -> str:
    """Return the sha256 of a text, as a stand-in for that of a file."""
    return hashlib.sha256(str(text).encode()).hexdigest()


class UserFactory(RowFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = Sequence(lambda n: f"curator{n}")


class InvitationFactory(RowFactory):
    class Meta:
        model = AccountLink

    kind = LinkKind.INVITATION
    email = Sequence(lambda n: f"guest{n}@example.org")
    role = LazyFunction(lambda: Group.objects.get(name="viewer"))
    expires_at = LazyFunction(lambda: timezone.now() + dt.timedelta(days=7))


class LoginSessionFactory(RowFactory):
    class Meta:
        model = LoginSession

    session_key = Sequence(lambda n: f"key{n}")
    user = SubFactory(UserFactory)
    user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    ip_address = "192.0.2.44"
    expire_date = LazyFunction(lambda: timezone.now() + dt.timedelta(days=14))


class SurveyFactory(RowFactory):
    class Meta:
        model = Survey
        django_get_or_create = ("name",)

    name = "local"


class ArchiveFactory(RowFactory):
    class Meta:
        model = Archive

    survey = SubFactory(SurveyFactory, name=Sequence(lambda n: f"archive {n}"), api_endpoint="https://vo.example.org/q")
    kind = ArchiveKind.SIA2
    every_minutes = 60
    begins_at = FIRST_EXPOSURE


class ArchiveRunFactory(RowFactory):
    class Meta:
        model = ArchiveRun

    archive = SubFactory(ArchiveFactory)
    status = RunStatus.COMPLETED
    completed_at = FIRST_EXPOSURE


class ArchiveProductFactory(RowFactory):
    class Meta:
        model = ArchiveProduct

    archive = SubFactory(ArchiveFactory)
    name = Sequence(lambda n: f"ivo://example.org/images?{n}")
    name_sha256 = LazyAttribute(lambda row: digest(row.name))
    title = Sequence(lambda n: f"image {n}")
    access_url = Sequence(lambda n: f"https://archive.example.org/{n}.fits")
    host = "archive.example.org"
    state = ProductState.REFUSED
    failure_code = FailureCode.NOT_FITS
    reason = "This is no FITS file."


class ArchiveHostFactory(RowFactory):
    class Meta:
        model = ArchiveHost

    name = Sequence(lambda n: f"{n}.example.org")
    free_at = FIRST_EXPOSURE


class TelescopeFactory(RowFactory):
    class Meta:
        model = Telescope

    name = Sequence(lambda n: f"telescope {n}")
    latitude_deg = 28.3
    longitude_deg = -16.5
    height_m = 2390.0
    time_zone = "Atlantic/Canary"


class FieldFactory(RowFactory):
    class Meta:
        model = Field

    name = Sequence(lambda n: f"field {n}")
    ra = 150.0
    dec = 2.0
    radius_deg = 0.2


class ObservationFactory(RowFactory):
    class Meta:
        model = Observation

    survey = SubFactory(SurveyFactory)
    observation_id = Sequence(lambda n: f"light_{n:04d}")
    sha256 = Sequence(lambda n: digest(f"light {n}"))
    ra = 150.0
    dec = 2.0
    observation_time = Sequence(lambda n: FIRST_EXPOSURE + dt.timedelta(minutes=n))
    mjd_utc = Sequence(lambda n: FIRST_MJD_UTC + n / 1440.0)
    night = FIRST_EXPOSURE.date()
    filter_band = "R"
    exposure_time = 60.0
    pixel_scale = 1.2
    image_width = 1024
    image_height = 1024
    airmass = 1.1
    gain_e_per_adu = 1.5
    read_noise_e = 8.0
    saturation_level = 65535.0
    saturation_unit = SaturationUnit.DATA
    wcs_quality = WcsQuality.HEADER
    camera = "camera"
    binning = "1x1"
    read_by_version = READING_VERSION


class DoubtFactory(RowFactory):
    class Meta:
        model = Doubt

    observation = SubFactory(ObservationFactory)
    origin = DoubtOrigin.HEADER
    code = "time_contradicted"
    fact = "time"
    keyword = Sequence(lambda n: f"DATE{n}")
    message = "Two keywords disagree."


class ProfileFactory(RowFactory):
    class Meta:
        model = InstrumentProfile

    name = Sequence(lambda n: f"camera {n}")
    matches = LazyAttribute(lambda _: {"INSTRUME": "ZWO*"})
    rules = LazyAttribute(lambda _: {"gain_e_per_adu": 0.8})


class CalibrationFrameFactory(RowFactory):
    class Meta:
        model = CalibrationFrame

    kind = CalibrationKind.BIAS
    sha256 = Sequence(lambda n: digest(f"calibration {n}"))
    night = FIRST_EXPOSURE.date()
    observation_time = FIRST_EXPOSURE
    exposure_time = 0.0
    camera = "camera"
    binning = "1x1"
    image_width = 1024
    image_height = 1024


class CalibrationMasterFactory(RowFactory):
    class Meta:
        model = CalibrationMaster

    kind = MasterKind.BIAS
    camera = "camera"
    binning = "1x1"
    file_path = Sequence(lambda n: f"masters/{n}.fits")
    night = FIRST_EXPOSURE.date()
    frame_count = 5
    inputs_hash = Sequence(lambda n: digest(f"master {n}"))


class StarCatalogFieldFactory(RowFactory):
    class Meta:
        model = StarCatalogField

    ra = 83.0
    dec = 21.0
    radius_deg = 2.0
    service = Sequence(lambda n: f"https://stars{n}.example/tap")
    name = "Gaia DR3"
    faintest_mag = 18.0
    epoch_year = 2016.0
    star_count = 0
    stars = b""
    sha256 = Sequence(lambda n: digest(f"stars {n}"))
    fetched_at = FIRST_EXPOSURE


class PreprocessRunFactory(RowFactory):
    class Meta:
        model = PreprocessRun

    observation = SubFactory(ObservationFactory)
    status = RunStatus.COMPLETED
    inputs_hash = Sequence(lambda n: digest(f"preprocess {n}"))


class ReferenceFactory(RowFactory):
    class Meta:
        model = Reference

    field = SubFactory(FieldFactory)
    filter_band = "R"
    version = Sequence(lambda n: n + 1)
    best_member = SubFactory(ObservationFactory)
    file_path = Sequence(lambda n: f"references/{n}.fits")
    inputs_hash = Sequence(lambda n: digest(f"reference {n}"))


class DifferenceRunFactory(RowFactory):
    class Meta:
        model = DifferenceRun

    observation = SubFactory(ObservationFactory)
    reference_observation = SubFactory(ObservationFactory)
    status = RunStatus.COMPLETED
    parameters_hash = digest("parameters")
    candidates_found = 1


class CandidateFactory(RowFactory):
    class Meta:
        model = Candidate

    difference_run = SubFactory(DifferenceRunFactory)
    observation = SelfAttribute("difference_run.observation")
    ra = 150.01
    dec = 2.01
    pixel_x = 100.5
    pixel_y = 200.25
    flux = 1000.0
    flux_error = 50.0
    significance = 20.0
    snr = 20.0
    fwhm = 3.0
    ellipticity = 0.1


class MoverFactory(RowFactory):
    class Meta:
        model = Mover

    rms_arcsec = 0.1
    chance_rate = 0.001


class TrackletFactory(RowFactory):
    class Meta:
        model = Tracklet

    field = SubFactory(FieldFactory)
    night = FIRST_EXPOSURE.date()
    rate_arcsec_per_min = 0.5
    rms_arcsec = 0.2


class DataSetFactory(RowFactory):
    class Meta:
        model = DataSet

    name = "simulated"
    version = Sequence(lambda n: f"{n}")
    path = Sequence(lambda n: f"datasets/simulated-{n}")
    sha256 = Sequence(lambda n: digest(f"examples {n}"))
    example_count = 100
    real_count = 40
    code_version = "0123456789abcdef"
    manifest = LazyFunction(dict)
    made_at = LazyFunction(lambda: dt.datetime.now(dt.UTC))


class ModelFactory(RowFactory):
    class Meta:
        model = Model

    name = "real-bogus"
    version = Sequence(lambda n: f"{n}")
    model_type = ModelType.CLASSIFIER
    model_path = Sequence(lambda n: f"models/{n}.safetensors")
    weights_sha256 = Sequence(lambda n: digest(f"weights {n}"))


class ModelRunFactory(RowFactory):
    class Meta:
        model = ModelRun

    model = SubFactory(ModelFactory)
    observation = SubFactory(ObservationFactory)
    status = RunStatus.COMPLETED


class CalibrationFactory(RowFactory):
    """A calibration by which few automatic alerts are false."""

    class Meta:
        model = Calibration

    model = SubFactory(ModelFactory)
    version = Sequence(lambda n: n + 1)
    weights_sha256 = SelfAttribute("model.weights_sha256")
    real_count = 300
    bogus_count = 300
    drawn_count = 200
    stands_for = 5000.0
    night_count = 8
    answers_sha256 = Sequence(lambda n: digest(f"answers {n}"))
    map_name = "none"
    automatic_score = 0.99
    automatic_snr = 10.0
    automatic_objects = 200
    automatic_false = 2
    automatic_nights = 8
    automatic_false_high = 0.031


class CandidateScoreFactory(RowFactory):
    class Meta:
        model = CandidateScore

    candidate = SubFactory(CandidateFactory)
    model = SelfAttribute("model_run.model")
    model_run = SubFactory(ModelRunFactory, observation=SelfAttribute("..candidate.observation"))
    score = 0.9
    weights_sha256 = SelfAttribute("model.weights_sha256")


class SourceFactory(RowFactory):
    class Meta:
        model = Source

    ra = 150.01
    dec = 2.01
    position_error_arcsec = 0.3


class ForcedPhotometryFactory(RowFactory):
    class Meta:
        model = ForcedPhotometry

    source = SubFactory(SourceFactory)
    difference_run = SubFactory(DifferenceRunFactory, reference=SubFactory(ReferenceFactory))
    observation = SelfAttribute("difference_run.observation")
    reference = SelfAttribute("difference_run.reference")
    ra = 150.01
    dec = 2.01
    position_error_arcsec = 0.1
    flux = 20.0
    flux_error = 50.0
    limiting_flux = 250.0
    mjd_utc = SelfAttribute("observation.mjd_utc")
    bjd_tdb = LazyAttribute(lambda row: row.mjd_utc + 2400000.5)
    is_geocentric = True


class OrbitSetFactory(RowFactory):
    class Meta:
        model = OrbitSet

    name = "asteroids"
    file_name = "MPCORB.DAT"
    sha256 = Sequence(lambda n: digest(f"orbits {n}"))
    orbits_at = FIRST_EXPOSURE
    entries_read = 1
    orbit_count = 1
    is_complete = True


class OrbitFactory(RowFactory):
    class Meta:
        model = Orbit

    orbit_set = SubFactory(OrbitSetFactory)
    designation = Sequence(lambda n: f"2024 A{n}")
    perihelion_au = 2.2
    eccentricity = 0.1
    inclination_deg = 5.0
    node_deg = 80.0
    argument_deg = 70.0
    perihelion_mjd = FIRST_MJD_UTC - 100.0
    epoch_mjd = FIRST_MJD_UTC - 50.0
    absolute_mag = 15.0
    slope = 0.15
    uncertainty_parameter = 0
    rms_arcsec = 0.5
    last_observed_mjd = FIRST_MJD_UTC - 1.0


class KnownObjectSearchFactory(RowFactory):
    class Meta:
        model = KnownObjectSearch

    observation = SubFactory(ObservationFactory)
    ra = SelfAttribute("observation.ra")
    dec = SelfAttribute("observation.dec")
    radius_deg = 0.4
    mjd_utc = SelfAttribute("observation.mjd_utc")
    is_geocentric = False
    orbits_at = LazyFunction(lambda: timezone.now() - dt.timedelta(days=3))
    orbit_count = 1_300_000
    vague_count = 0
    searched_at = LazyFunction(timezone.now)


class KnownObjectFactory(RowFactory):
    class Meta:
        model = KnownObject

    observation = SubFactory(ObservationFactory)
    designation = Sequence(lambda n: f"2024 A{n}")
    ra = SelfAttribute("observation.ra")
    dec = SelfAttribute("observation.dec")
    rate_arcsec_per_min = 0.5
    position_angle_deg = 290.0
    predicted_mag = 16.8
    along_error_arcsec = 0.6
    across_error_arcsec = 0.5
    error_angle_deg = 290.0
    distance_au = 1.5
    sun_distance_au = 2.4
    epoch_mjd = SelfAttribute("observation.mjd_utc")
    uncertainty_parameter = 0


class ContextAreaFactory(RowFactory):
    class Meta:
        model = ContextArea

    kind = ContextKind.STAR
    catalogue = Sequence(lambda n: f"catalogue {n}")
    origin = "catalogue.csv"
    ra = 0.0
    dec = 0.0
    radius_deg = 180.0
    epoch_year = 2000.0
    is_complete = True
    source_count = 0
    sha256 = Sequence(lambda n: digest(f"catalogue {n}"))
    loaded_at = LazyFunction(lambda: timezone.now() - dt.timedelta(days=3))


class ContextSourceFactory(RowFactory):
    class Meta:
        model = ContextSource

    area = SubFactory(ContextAreaFactory)
    ra = 10.0
    dec = 20.0
    mag = 16.2
    band = "G"


class DetectionFactory(RowFactory):
    class Meta:
        model = Detection

    candidate = SubFactory(CandidateFactory)
    observation = SelfAttribute("candidate.observation")
    model_run = SubFactory(ModelRunFactory, observation=SelfAttribute("..observation"))
    source = SubFactory(SourceFactory)
    ra = SelfAttribute("candidate.ra")
    dec = SelfAttribute("candidate.dec")
    pixel_x = SelfAttribute("candidate.pixel_x")
    pixel_y = SelfAttribute("candidate.pixel_y")
    confidence_score = 0.9
    model_version = "real-bogus 0"


class LabelDefinitionFactory(RowFactory):
    class Meta:
        model = LabelDefinition

    label = Sequence(lambda n: f"label_{n}")
    title = "Label"
    detection_type = DetectionType.UNKNOWN
    is_valid = True


class ReportFactory(RowFactory):
    class Meta:
        model = Report

    service = "tns"
    person = SubFactory(UserFactory)


class ReportRowFactory(RowFactory):
    class Meta:
        model = ReportRow

    report = SubFactory(ReportFactory)
    number = 0
    internal_name = Sequence(lambda n: f"AstrID24row{n}")
    source = SubFactory(SourceFactory)
    ra = SelfAttribute("source.ra")
    dec = SelfAttribute("source.dec")
    first_mjd_utc = FIRST_MJD_UTC
    last_mjd_utc = FIRST_MJD_UTC
    body = LazyAttribute(
        lambda row: {
            "internal_name": row.internal_name, "ra": row.ra, "dec": row.dec, "position_error_arcsec": 0.3,
            "group_id": 135, "source_id": 135, "reporter": "A. Observer", "at_type": 0, "remarks": "",
            "discovery": {**_SEEN, "mag": 17.5, "mag_error": 0.1}, "non_detection": _SEEN,
        }
    )  # fmt: skip


class ReportAttemptFactory(RowFactory):
    class Meta:
        model = ReportAttempt

    report = SubFactory(ReportFactory)
    kind = "send"
    host = "www.wis-tns.org"


class LeaseFactory(RowFactory):
    class Meta:
        model = Lease

    detection = SubFactory(DetectionFactory, status="validating")
    item = SelfAttribute("detection.source_id")
    holder = SubFactory(UserFactory)
    window = LazyFunction(uuid4)
    expires_at = LazyFunction(lambda: timezone.now() + dt.timedelta(minutes=15))


class ValidationEventFactory(RowFactory):
    class Meta:
        model = ValidationEvent

    detection = SubFactory(DetectionFactory)
    validator = SubFactory(UserFactory)
    is_valid = True


class DeferralFactory(RowFactory):
    class Meta:
        model = Deferral

    detection = SubFactory(DetectionFactory)
    person = SubFactory(UserFactory)
    kind = "snooze"
    group = LazyFunction(uuid4)


class NoteFactory(RowFactory):
    class Meta:
        model = Note

    detection = SubFactory(DetectionFactory)
    author = SubFactory(UserFactory)
    text = "Near a galaxy."


class MentionFactory(RowFactory):
    class Meta:
        model = Mention

    note = SubFactory(NoteFactory)
    person = SubFactory(UserFactory)


class ContradictionFactory(RowFactory):
    class Meta:
        model = Contradiction

    person = SubFactory(UserFactory)
    event = SubFactory(ValidationEventFactory)


class SavedFilterFactory(RowFactory):
    class Meta:
        model = SavedFilter

    person = SubFactory(UserFactory)
    name = "Bright ones"
    query = "score_min=0.9"


class TriageSettingsFactory(RowFactory):
    class Meta:
        model = TriageSettings

    person = SubFactory(UserFactory)


class ConflictFactory(RowFactory):
    class Meta:
        model = Conflict

    detection = SubFactory(DetectionFactory)


class GoldItemFactory(RowFactory):
    class Meta:
        model = GoldItem

    detection = SubFactory(DetectionFactory, status="validated")
    is_valid = True
    marked_by = SubFactory(UserFactory)


class InjectedFactory(GoldItemFactory):
    """A source that was injected into a frame, and that nobody has answered about."""

    detection = SubFactory(
        DetectionFactory,
        candidate=SubFactory(CandidateFactory, is_injected=True, snr=9.2),
        source=None,
        is_injected=True,
        confidence_score=0.87,
    )
    marked_by = None
    kind = "sky"
    injected_snr = 9.0
    injected_flux = 900.0


class GoldAnswerFactory(RowFactory):
    class Meta:
        model = GoldAnswer

    item = SubFactory(GoldItemFactory)
    person = SubFactory(UserFactory)
    window = LazyFunction(uuid4)


class LabelExampleFactory(RowFactory):
    class Meta:
        model = LabelExample

    label = SubFactory(LabelDefinitionFactory)
    detection = SubFactory(DetectionFactory)
    chosen_by = SubFactory(UserFactory)


class AlertFactory(RowFactory):
    class Meta:
        model = Alert

    detection = SubFactory(DetectionFactory)
    title = "New source"


class SubscriptionFactory(RowFactory):
    class Meta:
        model = Subscription

    owner = SubFactory(UserFactory)
    name = Sequence("Subscription {}".format)
    destination = "webhook"
    # Inside, and refused at once: no test asks a name server.
    address = "http://127.0.0.1:9/alerts"


class AlertPublicationFactory(RowFactory):
    class Meta:
        model = AlertPublication

    alert = SubFactory(AlertFactory, is_published=True)
    sequence = Sequence(lambda number: 1_000_000 + number)
    version = 1
    kind = "new"
    published_at = LazyFunction(timezone.now)
    payload = LazyFunction(dict)


class AlertPacketFactory(RowFactory):
    class Meta:
        model = AlertPacket

    publication = SubFactory(AlertPublicationFactory)
    night = FIRST_EXPOSURE.date()
    schema_version = "1.0"
    file_path = Sequence(lambda n: f"packets/2024-03-01/{n}.avro")
    size_bytes = 20_000
    header_bytes = 17_000
    sha256 = Sequence(lambda n: digest(f"packet {n}"))
    ivorn = Sequence(lambda n: f"ivo://astrid.invalid/astrid#{n}")


class DeliveryFactory(RowFactory):
    class Meta:
        model = Delivery

    subscription = SubFactory(SubscriptionFactory)
    publication = SubFactory(AlertPublicationFactory)
    expires_at = LazyFunction(lambda: timezone.now() + dt.timedelta(days=3))


class RemovedFileFactory(RowFactory):
    class Meta:
        model = RemovedFile

    entity_type = "observation"
    entity_id = LazyFunction(lambda: ObservationFactory().pk)
    kept_days = 90
    size_bytes = 8_000_000
    removed_at = FIRST_EXPOSURE


class ProcessingJobFactory(RowFactory):
    class Meta:
        model = ProcessingJob

    job_type = "example"
    entity_type = "observation"
    entity_id = Sequence(str)
