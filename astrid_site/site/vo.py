"""Services of the Virtual Observatory: every address under /vo/."""

from __future__ import annotations

from django.urls import path

from curation.detections.api import DetectionConeSearch
from detection.sources.api import SourceConeSearch

app_name = "vo"
urlpatterns = [
    # Of detections as well, so that who knows one address only comes to something.
    path("scs", DetectionConeSearch.as_view(), name="scs"),
    path("scs/detections", DetectionConeSearch.as_view(), name="scs_detections"),
    path("scs/sources", SourceConeSearch.as_view(), name="scs_sources"),
]
