"""Who may open what: the words in which each app's `tests/<app>/routes.py` lists its addresses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from allauth.mfa.totp.internal.auth import TOTP

from catalog.models import User
from catalog.people import audit, factors
from catalog.people.tokens import issue
from curation.alerts.publishing import publish_pending
from curation.models import AlertPublication
from curation.packets.keeping import packet_of
from observations.delivery.incoming import submit_url
from observations.numerics.fits.facts import Overrides
from tests.curation.cutouts import detection_with_cutouts
from tests.differencing.images import run_with_images
from tests.factories import (
    AlertFactory,
    ArchiveFactory,
    ArchiveHostFactory,
    ArchiveProductFactory,
    ArchiveRunFactory,
    CalibrationFactory,
    CalibrationFrameFactory,
    CalibrationMasterFactory,
    CandidateFactory,
    CandidateScoreFactory,
    DataSetFactory,
    DeliveryFactory,
    DetectionFactory,
    DifferenceRunFactory,
    DoubtFactory,
    FieldFactory,
    ForcedPhotometryFactory,
    InvitationFactory,
    KnownObjectFactory,
    KnownObjectSearchFactory,
    LabelDefinitionFactory,
    LoginSessionFactory,
    ModelFactory,
    ModelRunFactory,
    MoverFactory,
    NoteFactory,
    ObservationFactory,
    OrbitSetFactory,
    PreprocessRunFactory,
    ProcessingJobFactory,
    ProfileFactory,
    ReferenceFactory,
    RemovedFileFactory,
    ReportAttemptFactory,
    ReportFactory,
    ReportRowFactory,
    SavedFilterFactory,
    SourceFactory,
    SubscriptionFactory,
    SurveyFactory,
    TelescopeFactory,
    TrackletFactory,
    UserFactory,
    ValidationEventFactory,
)
from tests.observations.stored import stored_frame

FRAME_URL = "https://archive.example.org/frame.fits"
ROLES = ("viewer", "curator", "expert", "operator", "administrator")
EVERYBODY = frozenset({"stranger", *ROLES})
ACCOUNTS = frozenset(ROLES)
CURATORS = frozenset({"curator", "expert", "administrator"})
EXPERTS = frozenset({"expert", "administrator"})
OPERATORS = frozenset({"operator", "administrator"})
SUBSCRIBERS = CURATORS | OPERATORS
ADMINISTRATORS = frozenset({"administrator"})


@dataclass(frozen=True)
class Route:
    """One address and one method: who may, and how a test comes to a row that it shows.

    `keys` makes the row and returns the arguments of the address. What is sent may be incomplete: who may is told 400
    or the like, who may not is told 403 before anything is looked at. Strangers are sent to the log-in, at addresses
    for clients they are told 401.
    """

    may: frozenset[str]
    keys: Callable[[], list[Any]] = list
    method: str = "get"
    data: dict[str, Any] = field(default_factory=dict)
    is_for_clients: bool = False


def key_of(factory: Any) -> Callable[[], list[Any]]:
    """Return a maker of one row's key."""
    return lambda: [factory().pk]


def doubt_of_frame() -> list[Any]:
    """Make a doubt, told by its frame and its own key."""
    row = DoubtFactory()
    return [row.observation_id, row.pk]


def product_of_archive() -> list[Any]:
    """Make a file that an archive offers, told by its archive and its own key."""
    row = ArchiveProductFactory()
    return [row.archive_id, row.pk]


def with_images(what: str) -> list[object]:
    """Make a detection whose subtraction's images are there; `what` is asked of it."""
    return [DetectionFactory(candidate=CandidateFactory(difference_run=run_with_images())).pk, what]


def whoever_asks() -> User:
    """Return the one who asks, who was made last."""
    return User.objects.order_by("-id").first() or UserFactory()


def own_token() -> list[Any]:
    """Make a token of the one who asks."""
    return [issue(whoever_asks(), "client", ["alerts:read"], audit.MACHINE)[0].pk]


def own_session() -> list[Any]:
    """Make a session of the one who asks, in another browser."""
    return [LoginSessionFactory(user=whoever_asks()).pk]


def own_factor() -> list[Any]:
    """Make a second factor of the one who asks."""
    return [TOTP.activate(whoever_asks(), factors.new_secret()).instance.pk]


def own_subscription() -> list[Any]:
    """Make a subscription of the one who asks."""
    return [SubscriptionFactory(owner=whoever_asks()).pk]


def own_delivery() -> list[Any]:
    """Make a delivery to the one who asks."""
    return [DeliveryFactory(subscription__owner=whoever_asks(), publication=published()).pk]


def published() -> AlertPublication:
    """Return the first publication."""
    AlertFactory()
    publish_pending()
    return AlertPublication.objects.get()


def with_packet() -> AlertPublication:
    """Return the first publication, whose packet is written."""
    row = published()
    packet_of(row)
    return row


def _read(name: str, factory: Any, may: frozenset[str] = ACCOUNTS) -> dict[str, list[Route]]:
    return {
        f"api:{name}-list": [Route(may, is_for_clients=True)],
        f"api:{name}-detail": [Route(may, key_of(factory), is_for_clients=True)],
        f"api:{name}-export": [Route(may, is_for_clients=True)],
    }


def _with_file(factory: Any, name: str) -> list[Any]:
    return [factory().pk, name]


def _order(may: frozenset[str], keys: Callable[[], list[Any]] = list) -> Route:
    return Route(may, keys, method="post", is_for_clients=True)


# By name of the address: each app's routes, and the site's own.
SITE = {
    "home": [Route(ACCOUNTS)],
    "login": [Route(EVERYBODY)],
    # Whoever is at no second step is sent to the log-in.
    "second_step": [Route(ACCOUNTS), Route(ACCOUNTS, method="post")],
    "logout": [Route(EVERYBODY, method="post")],
    "theme": [Route(EVERYBODY, method="post")],
    "healthz": [Route(EVERYBODY)],
    "readyz": [Route(EVERYBODY)],
    # By address, whoever asks.
    "metrics": [Route(EVERYBODY)],
}
CATALOG = {
    "catalog:jobs": [Route(ACCOUNTS)],
    "catalog:job": [Route(ACCOUNTS, keys=key_of(ProcessingJobFactory))],
    "catalog:retry_job": [Route(OPERATORS, keys=key_of(ProcessingJobFactory), method="post")],
    "catalog:cancel_job": [Route(OPERATORS, keys=key_of(ProcessingJobFactory), method="post")],
    "catalog:audit": [Route(ADMINISTRATORS)],
    "catalog:profile": [Route(ACCOUNTS)],
    "catalog:change_password": [Route(ACCOUNTS, method="post")],
    "catalog:make_token": [Route(ACCOUNTS, method="post")],
    "catalog:revoke_token": [Route(ACCOUNTS, keys=own_token, method="post")],
    "catalog:end_other_sessions": [Route(ACCOUNTS, method="post")],
    "catalog:end_own_session": [Route(ACCOUNTS, keys=own_session, method="post")],
    "catalog:begin_app": [Route(ACCOUNTS, method="post")],
    "catalog:set_up_app": [Route(ACCOUNTS), Route(ACCOUNTS, method="post")],
    "catalog:begin_key": [Route(ACCOUNTS, method="post")],
    "catalog:set_up_key": [Route(ACCOUNTS), Route(ACCOUNTS, method="post")],
    "catalog:remove_own_factor": [Route(ACCOUNTS, keys=own_factor, method="post")],
    "catalog:renew_codes": [Route(ACCOUNTS, method="post")],
    "catalog:people": [Route(ADMINISTRATORS)],
    "catalog:invite": [Route(ADMINISTRATORS, method="post")],
    "catalog:invite_again": [Route(ADMINISTRATORS, keys=key_of(InvitationFactory), method="post")],
    "catalog:revoke_invitation": [Route(ADMINISTRATORS, keys=key_of(InvitationFactory), method="post")],
    "catalog:end_session": [Route(ADMINISTRATORS, keys=key_of(LoginSessionFactory), method="post")],
    "catalog:revoke_their_token": [Route(ADMINISTRATORS, keys=own_token, method="post")],
    "catalog:person": [Route(ADMINISTRATORS, keys=key_of(UserFactory))],
    "catalog:make_reset": [Route(ADMINISTRATORS, keys=key_of(UserFactory), method="post")],
    "catalog:remove_factor": [Route(ADMINISTRATORS, keys=key_of(UserFactory), method="post")],
    "catalog:end_sessions": [Route(ADMINISTRATORS, keys=key_of(UserFactory), method="post")],
    "catalog:accept_invitation": [Route(EVERYBODY, lambda: ["x"]), Route(EVERYBODY, lambda: ["x"], method="post")],
    "catalog:reset_password": [Route(EVERYBODY, lambda: ["x"]), Route(EVERYBODY, lambda: ["x"], method="post")],
    "catalog:ask_reset": [Route(EVERYBODY), Route(EVERYBODY, method="post")],
}
OBSERVATIONS = {
    "observations:archives": [Route(OPERATORS)],
    "observations:new_archive": [Route(ADMINISTRATORS), Route(ADMINISTRATORS, method="post")],
    "observations:one_archive": [Route(OPERATORS, keys=key_of(ArchiveFactory))],
    "observations:edit_archive": [
        Route(ADMINISTRATORS, keys=key_of(ArchiveFactory)),
        Route(ADMINISTRATORS, keys=key_of(ArchiveFactory), method="post"),
    ],
    "observations:order_archive": [Route(OPERATORS, keys=lambda: [ArchiveFactory().pk, "test"], method="post")],
    "observations:try_product_again": [Route(OPERATORS, keys=product_of_archive, method="post")],
    "observations:observations": [Route(ACCOUNTS)],
    "observations:observation": [Route(ACCOUNTS, keys=key_of(ObservationFactory))],
    "observations:header": [Route(ACCOUNTS, keys=lambda: [stored_frame().pk])],
    "observations:preview": [Route(ACCOUNTS, keys=lambda: [stored_frame().pk, "small"])],
    "observations:upload": [Route(OPERATORS), Route(OPERATORS, method="post")],
    "observations:delivery": [Route(OPERATORS, keys=lambda: [submit_url(FRAME_URL, Overrides())[0].pk])],
    "observations:inspect": [Route(OPERATORS, method="post")],
    "observations:settle_doubt": [Route(OPERATORS, keys=doubt_of_frame, method="post")],
    "observations:reprocess": [Route(OPERATORS, keys=key_of(ObservationFactory), method="post")],
    "observations:archive": [Route(OPERATORS, keys=key_of(ObservationFactory), method="post")],
    "observations:take_back": [Route(OPERATORS, keys=key_of(ObservationFactory), method="post")],
}
PREPROCESSING = {"preprocessing:runs_of": [Route(ACCOUNTS, keys=key_of(ObservationFactory))]}
DIFFERENCING = {
    "differencing:difference": [Route(ACCOUNTS, keys=key_of(DifferenceRunFactory))],
    "differencing:picture": [Route(ACCOUNTS, keys=lambda: [run_with_images().pk, "score"])],
    "differencing:tile": [Route(ACCOUNTS, keys=lambda: [run_with_images().pk, "science", 0, 0, 0])],
    "differencing:sample": [Route(ACCOUNTS, keys=lambda: [run_with_images().pk, 0])],
    "differencing:runs_of": [Route(ACCOUNTS, keys=key_of(ObservationFactory))],
}
DETECTION = {
    "detection:over_frame": [Route(ACCOUNTS, keys=lambda: [run_with_images().pk])],
    "detection:cutouts": [Route(ACCOUNTS, keys=lambda: [detection_with_cutouts().pk])],
    "detection:pixels": [Route(ACCOUNTS, keys=lambda: [detection_with_cutouts().pk])],
    "detection:context": [Route(ACCOUNTS, keys=key_of(DetectionFactory))],
    "detection:context_picture": [Route(ACCOUNTS, keys=partial(with_images, "science"))],
    "detection:finding_chart": [Route(ACCOUNTS, keys=partial(with_images, "png"))],
    "detection:below_cut": [Route(ACCOUNTS)],
    "detection:promote": [Route(CURATORS, method="post")],
    "detection:candidate_cutouts": [Route(ACCOUNTS, keys=lambda: [detection_with_cutouts().candidate_id])],
    "detection:epoch_pixels": [Route(ACCOUNTS)],
    "detection:of_candidate": [Route(ACCOUNTS, keys=lambda: [DetectionFactory().candidate_id])],
    "detection:models": [Route(ACCOUNTS)],
    "detection:model": [Route(ACCOUNTS, keys=key_of(ModelFactory))],
    "detection:change_model": [Route(ADMINISTRATORS, keys=lambda: [ModelFactory().pk, "end-shadow"], method="post")],
    "detection:activate_model": [Route(ADMINISTRATORS, keys=key_of(ModelFactory), method="post")],
    "detection:order_training": [Route(ADMINISTRATORS, method="post")],
    "detection:data_set": [Route(ACCOUNTS, keys=key_of(DataSetFactory))],
}
CURATION = {
    "curation:triage": [Route(CURATORS)],
    "curation:triage_plain": [Route(CURATORS), Route(CURATORS, method="post")],
    "curation:triage_next": [Route(CURATORS, method="post")],
    "curation:triage_answers": [Route(CURATORS, method="post")],
    "curation:triage_said": [Route(CURATORS, method="post")],
    "curation:triage_worker": [Route(EVERYBODY)],
    "curation:triage_away": [Route(EVERYBODY)],
    "curation:triage_presence": [Route(CURATORS, method="post")],
    "curation:triage_release": [Route(CURATORS, method="post")],
    "curation:triage_settings": [Route(CURATORS)],
    "curation:triage_deferrals": [Route(CURATORS, method="post")],
    "curation:triage_frame": [Route(CURATORS)],
    "curation:triage_reject_frame": [Route(CURATORS, method="post")],
    "curation:triage_take_back_frame": [Route(CURATORS, method="post")],
    "curation:write_note": [Route(CURATORS, keys=key_of(DetectionFactory), method="post")],
    "curation:withdraw_note": [Route(CURATORS, keys=lambda: [NoteFactory(author=whoever_asks()).pk], method="post")],
    "curation:mentions_seen": [Route(CURATORS, method="post")],
    "curation:filter_history": [Route(ACCOUNTS)],
    "curation:save_filter": [Route(ACCOUNTS, method="post")],
    "curation:delete_filter": [
        Route(ACCOUNTS, keys=lambda: [SavedFilterFactory(person=whoever_asks()).pk], method="post")
    ],
    "curation:batch": [Route(CURATORS, method="post")],
    "curation:batch_answer": [Route(CURATORS, method="post")],
    "curation:batch_undo": [Route(CURATORS, keys=lambda: [uuid4()], method="post")],
    "curation:known": [Route(CURATORS)],
    "curation:confirm_known": [Route(CURATORS, method="post")],
    "curation:undo_known": [Route(CURATORS, method="post")],
    "curation:retraining": [Route(ACCOUNTS)],
    "curation:order_retraining": [Route(ADMINISTRATORS, method="post")],
    "curation:statistics": [Route(ACCOUNTS)],
    "curation:statistic": [Route(ACCOUNTS, keys=lambda: ["waiting"])],
    "curation:threshold": [Route(ACCOUNTS, keys=key_of(ModelFactory))],
    "curation:comparison": [Route(ACCOUNTS, keys=key_of(ModelFactory))],
    "curation:drift": [Route(ACCOUNTS, keys=key_of(ModelFactory))],
    "curation:choose_threshold": [Route(ADMINISTRATORS, keys=key_of(ModelFactory), method="post")],
    "curation:recalibrate": [Route(OPERATORS, keys=key_of(ModelFactory), method="post")],
    "curation:alerts": [Route(ACCOUNTS)],
    "curation:alert": [Route(ACCOUNTS, keys=key_of(AlertFactory))],
    "curation:subscriptions": [Route(SUBSCRIBERS)],
    "curation:new_subscription": [Route(SUBSCRIBERS), Route(SUBSCRIBERS, method="post")],
    "curation:subscription": [Route(SUBSCRIBERS, keys=own_subscription)],
    "curation:edit_subscription": [
        Route(SUBSCRIBERS, keys=own_subscription),
        Route(SUBSCRIBERS, keys=own_subscription, method="post"),
    ],
    "curation:rotate_secret": [Route(SUBSCRIBERS, keys=own_subscription, method="post")],
    "curation:test_subscription": [Route(SUBSCRIBERS, keys=own_subscription, method="post")],
    "curation:pause_subscription": [Route(SUBSCRIBERS, keys=own_subscription, method="post")],
    "curation:resume_subscription": [Route(SUBSCRIBERS, keys=own_subscription, method="post")],
    "curation:end_subscription": [Route(SUBSCRIBERS, keys=own_subscription, method="post")],
    "curation:deliveries": [Route(SUBSCRIBERS)],
    "curation:replay_deliveries": [Route(SUBSCRIBERS, method="post", data={"subscription": str(uuid4())})],
    "curation:detections": [Route(ACCOUNTS)],
    "curation:labels": [Route(ACCOUNTS)],
    "curation:known_items": [Route(CURATORS)],
    "curation:mark_gold": [Route(EXPERTS, keys=key_of(DetectionFactory), method="post")],
    "curation:example": [Route(EXPERTS, keys=key_of(DetectionFactory), method="post")],
    "curation:sources": [Route(ACCOUNTS)],
    "curation:reports": [Route(SUBSCRIBERS)],
    "curation:new_report": [Route(SUBSCRIBERS), Route(SUBSCRIBERS, method="post")],
    "curation:report": [Route(SUBSCRIBERS, keys=lambda: [ReportRowFactory().report_id])],
    "curation:report_file": [Route(SUBSCRIBERS, keys=lambda: [ReportRowFactory().report_id, "json"])],
    "curation:release_report": [Route(SUBSCRIBERS, keys=key_of(ReportFactory), method="post")],
    "curation:withdraw_report": [Route(SUBSCRIBERS, keys=key_of(ReportFactory), method="post")],
    "curation:ask_about_report": [Route(SUBSCRIBERS, keys=key_of(ReportFactory), method="post")],
    "curation:tonight": [Route(ACCOUNTS)],
    "curation:detection": [Route(ACCOUNTS, keys=key_of(DetectionFactory))],
    "curation:why": [Route(ACCOUNTS, keys=key_of(DetectionFactory))],
    "curation:source": [Route(ACCOUNTS, keys=key_of(SourceFactory))],
}
# Addresses under /api/v1/: who may read each kind of thing, and what is done with it besides.
API: dict[str, list[Route]] = {
    "api:root": [Route(ACCOUNTS, is_for_clients=True)],
    "api:schema": [Route(ACCOUNTS, is_for_clients=True)],
    "api:docs": [Route(ACCOUNTS)],
    "api:alerts-feed": [Route(ACCOUNTS, is_for_clients=True)],
    "api:alerts-stream": [Route(ACCOUNTS, is_for_clients=True)],
    **{
        f"api:{name}-file": [Route(ACCOUNTS, partial(_with_file, factory, file), is_for_clients=True)]
        for name, factory, file in (
            ("observations", partial(ObservationFactory, fits_file_path="gone"), "raw"),
            ("calibration-frames", partial(CalibrationFrameFactory, fits_file_path="gone"), "raw"),
            ("calibration-masters", partial(CalibrationMasterFactory, file_path="gone"), "master.fits"),
            ("preprocess-runs", partial(PreprocessRunFactory, processed_fits_path="gone"), "processed.fits"),
            ("references", partial(ReferenceFactory, file_path="gone"), "stack.fits"),
            ("difference-runs", partial(DifferenceRunFactory, difference_image_path="gone"), "difference.fits"),
        )
    },
    "api:detections-file": [Route(ACCOUNTS, lambda: [detection_with_cutouts().pk, "science.png"], is_for_clients=True)],
    "api:sources-light-curve": [Route(ACCOUNTS, key_of(SourceFactory), is_for_clients=True)],
    "api:tonight": [Route(ACCOUNTS, is_for_clients=True)],
    "api:alerts-packet": [Route(ACCOUNTS, lambda: [published().alert_id], is_for_clients=True)],
    "api:packets-nights": [Route(ACCOUNTS, is_for_clients=True)],
    "api:packets-night": [Route(ACCOUNTS, lambda: [with_packet().packet.night.isoformat()], is_for_clients=True)],
    "api:alerts-acknowledge": [_order(CURATORS | OPERATORS, key_of(partial(AlertFactory, is_published=True)))],
    "api:processing-jobs-retry": [_order(OPERATORS, key_of(ProcessingJobFactory))],
    "api:processing-jobs-cancel": [_order(OPERATORS, key_of(ProcessingJobFactory))],
    **_read("accounts", UserFactory, ADMINISTRATORS),
    "api:api-tokens-list": [Route(ADMINISTRATORS, is_for_clients=True)],
    "api:api-tokens-export": [Route(ADMINISTRATORS, is_for_clients=True)],
    "api:api-tokens-detail": [Route(ADMINISTRATORS, own_token, is_for_clients=True)],
    **_read("surveys", SurveyFactory),
    **_read("archives", ArchiveFactory, OPERATORS),
    **_read("archive-runs", ArchiveRunFactory, OPERATORS),
    **_read("archive-products", ArchiveProductFactory, OPERATORS),
    **_read("archive-hosts", ArchiveHostFactory, OPERATORS),
    "api:archives-run": [_order(OPERATORS, key_of(ArchiveFactory))],
    **_read("telescopes", TelescopeFactory),
    **_read("fields", FieldFactory),
    **_read("doubts", DoubtFactory),
    "api:doubts-settle": [_order(OPERATORS, key_of(DoubtFactory))],
    "api:doubts-reopen": [_order(OPERATORS, key_of(DoubtFactory))],
    **_read("instrument-profiles", ProfileFactory),
    **_read("calibration-frames", CalibrationFrameFactory),
    **_read("calibration-masters", CalibrationMasterFactory),
    **_read("incoming-files", lambda: submit_url(FRAME_URL, Overrides())[0], OPERATORS),
    **_read("references", ReferenceFactory),
    **_read("tracklets", TrackletFactory),
    **_read("movers", MoverFactory),
    **_read("calibrations", CalibrationFactory),
    **_read("candidate-scores", CandidateScoreFactory),
    **_read("labels", LabelDefinitionFactory),
    **_read("publications", published),
    **_read("packets", lambda: packet_of(published())),
    "api:reports-list": [
        Route(SUBSCRIBERS, is_for_clients=True),
        Route(SUBSCRIBERS, method="post", is_for_clients=True),
    ],
    "api:reports-detail": [Route(SUBSCRIBERS, key_of(ReportFactory), is_for_clients=True)],
    "api:reports-export": [Route(SUBSCRIBERS, is_for_clients=True)],
    "api:reports-send": [Route(SUBSCRIBERS, key_of(ReportFactory), method="post", is_for_clients=True)],
    "api:reports-withdraw": [Route(SUBSCRIBERS, key_of(ReportFactory), method="post", is_for_clients=True)],
    "api:report-rows-list": [Route(SUBSCRIBERS, is_for_clients=True)],
    "api:report-rows-detail": [Route(SUBSCRIBERS, key_of(ReportRowFactory), is_for_clients=True)],
    "api:report-rows-export": [Route(SUBSCRIBERS, is_for_clients=True)],
    "api:report-attempts-list": [Route(SUBSCRIBERS, is_for_clients=True)],
    "api:report-attempts-detail": [Route(SUBSCRIBERS, key_of(ReportAttemptFactory), is_for_clients=True)],
    "api:report-attempts-export": [Route(SUBSCRIBERS, is_for_clients=True)],
    "api:subscriptions-list": [Route(SUBSCRIBERS, is_for_clients=True)],
    "api:subscriptions-detail": [Route(SUBSCRIBERS, own_subscription, is_for_clients=True)],
    "api:subscriptions-export": [Route(SUBSCRIBERS, is_for_clients=True)],
    "api:deliveries-export": [Route(SUBSCRIBERS, is_for_clients=True)],
    "api:deliveries-list": [Route(SUBSCRIBERS, is_for_clients=True)],
    "api:deliveries-detail": [Route(SUBSCRIBERS, own_delivery, is_for_clients=True)],
    **_read("observations", ObservationFactory),
    **_read("preprocess-runs", PreprocessRunFactory),
    **_read("difference-runs", DifferenceRunFactory),
    **_read("candidates", CandidateFactory),
    **_read("data-sets", DataSetFactory),
    **_read("models", ModelFactory),
    **_read("model-runs", ModelRunFactory),
    **_read("detections", DetectionFactory),
    **_read("sources", SourceFactory),
    **_read("forced-photometry", ForcedPhotometryFactory),
    **_read("orbit-sets", OrbitSetFactory),
    **_read("known-object-searches", KnownObjectSearchFactory),
    **_read("known-objects", KnownObjectFactory),
    **_read("validation-events", ValidationEventFactory),
    **_read("alerts", AlertFactory),
    **_read("processing-jobs", ProcessingJobFactory),
    **_read("removed-files", RemovedFileFactory),
    **_read("audit-log", lambda: audit.record(("night", "2024-03-01"), "look"), ADMINISTRATORS),
    "api:system-config-list": [Route(ADMINISTRATORS, is_for_clients=True)],
    "api:system-config-detail": [Route(ADMINISTRATORS, lambda: ["alerts.automatic"], is_for_clients=True)],
}
# Services of the Virtual Observatory.
VO: dict[str, list[Route]] = {
    "vo:scs": [Route(ACCOUNTS, is_for_clients=True)],
    "vo:scs_detections": [Route(ACCOUNTS, is_for_clients=True)],
    "vo:scs_sources": [Route(ACCOUNTS, is_for_clients=True)],
}
API["api:observations-list"].append(_order(OPERATORS))
API["api:validation-events-list"].append(_order(CURATORS))

ROUTES: dict[str, list[Route]] = {
    **SITE, **CATALOG, **OBSERVATIONS, **PREPROCESSING, **DIFFERENCING, **DETECTION, **CURATION, **API, **VO,
}  # fmt: skip
