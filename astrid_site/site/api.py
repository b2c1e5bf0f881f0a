"""The REST interface: every address under /api/v1/."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.urls import path
from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from catalog.configuration.api import SystemConfigViewSet
from catalog.people.api import AccountViewSet, ApiTokenViewSet, AuditLogViewSet
from catalog.people.scopes import open_to
from catalog.retention.api import RemovedFileViewSet
from catalog.web.rest.rendering import Json
from catalog.web.rest.resources import address
from catalog.web.rest.views import StrictAPIView
from catalog.work.api import ProcessingJobViewSet
from curation.alerts.api import AlertFeedView, AlertStreamView, AlertViewSet, PublicationViewSet
from curation.detections.api import DetectionViewSet, LightCurveView
from curation.judgements.api import LabelViewSet, ValidationEventViewSet
from curation.packets.api import NightsView, NightView, PacketView, PacketViewSet
from curation.push.api import DeliveryViewSet, SubscriptionViewSet
from curation.reports.api import ReportAttemptViewSet, ReportRowViewSet, ReportViewSet
from curation.tonight.api import TonightView
from detection.known.api import KnownObjectSearchViewSet, KnownObjectViewSet, OrbitSetViewSet
from detection.registry.api import (
    CalibrationViewSet,
    CandidateScoreViewSet,
    DataSetViewSet,
    ModelRunViewSet,
    ModelViewSet,
)
from detection.sources.api import ForcedPhotometryViewSet, SourceViewSet
from differencing.api import CandidateViewSet, DifferenceRunViewSet, MoverViewSet, ReferenceViewSet, TrackletViewSet
from observations.archives.api import (
    ArchiveHostViewSet,
    ArchiveProductViewSet,
    ArchiveRunViewSet,
    ArchiveViewSet,
)
from observations.claims.api import DoubtViewSet, InstrumentProfileViewSet
from observations.delivery.api import IncomingFileViewSet
from observations.frames.api import (
    CalibrationFrameViewSet,
    FieldViewSet,
    ObservationViewSet,
    SurveyViewSet,
    TelescopeViewSet,
)
from preprocessing.api import CalibrationMasterViewSet, PreprocessRunViewSet

RESOURCES = (
    SurveyViewSet, TelescopeViewSet, FieldViewSet, IncomingFileViewSet, ObservationViewSet, DoubtViewSet,
    InstrumentProfileViewSet, CalibrationFrameViewSet,
    ArchiveViewSet, ArchiveRunViewSet, ArchiveProductViewSet, ArchiveHostViewSet,
    CalibrationMasterViewSet, PreprocessRunViewSet, ReferenceViewSet, DifferenceRunViewSet, CandidateViewSet,
    TrackletViewSet, MoverViewSet, DataSetViewSet, ModelViewSet, CalibrationViewSet, ModelRunViewSet,
    CandidateScoreViewSet, DetectionViewSet, SourceViewSet, ForcedPhotometryViewSet, OrbitSetViewSet,
    KnownObjectSearchViewSet, KnownObjectViewSet, LabelViewSet, ValidationEventViewSet, AlertViewSet,
    PublicationViewSet, PacketViewSet, SubscriptionViewSet, DeliveryViewSet,
    ReportViewSet, ReportRowViewSet, ReportAttemptViewSet,
    SystemConfigViewSet, ProcessingJobViewSet, RemovedFileViewSet, AuditLogViewSet, AccountViewSet, ApiTokenViewSet,
)  # fmt: skip


class RootView(StrictAPIView):
    """What there is to read for whoever asks."""

    renderer_classes = (Json,)

    @extend_schema(
        operation_id="root",
        responses={200: {"type": "object", "additionalProperties": {"type": "string", "format": "uri"}}},
    )
    def get(self, request: Request) -> Response:
        """Return the addresses of all lists that the account may read, by name."""
        open_scopes = open_to(request.user)
        names = [view.resource for view in RESOURCES if f"{view.resource}:read" in open_scopes]
        return Response({name: address(request, f"{name}-list") for name in names})


@extend_schema(exclude=True)
class DocumentView(SpectacularAPIView):
    """This interface in OpenAPI: JSON, or YAML for who asks for it."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiYamlRenderer]
    content_negotiation_class = DefaultContentNegotiation


router = SimpleRouter(use_regex_path=False)
for view in RESOURCES:
    router.register(view.resource, view, basename=view.resource)

app_name = "api"
urlpatterns = [
    path("", RootView.as_view(), name="root"),
    path("schema/", DocumentView.as_view(), name="schema"),
    path("docs/", login_required(SpectacularSwaggerSplitView.as_view(url_name="api:schema")), name="docs"),
    path("alerts/feed/", AlertFeedView.as_view(), name="alerts-feed"),
    path("alerts/stream", AlertStreamView.as_view(), name="alerts-stream"),
    path("sources/<uuid:id>/light-curve/", LightCurveView.as_view(), name="sources-light-curve"),
    path("tonight/", TonightView.as_view(), name="tonight"),
    path("alerts/<uuid:alert_id>/packet/", PacketView.as_view(), name="alerts-packet"),
    path("packets/nights/", NightsView.as_view(), name="packets-nights"),
    path("packets/nights/<str:night>/", NightView.as_view(), name="packets-night"),
    *router.urls,
]
