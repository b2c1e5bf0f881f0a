"""Every address of the site; each app has its own under names of its own."""

from django.contrib import admin
from django.urls import include, path

from astrid_site.monitoring.metrics import metrics
from astrid_site.running.health import healthz, readyz
from astrid_site.site.home import home
from astrid_site.site.themes import choose_theme
from catalog.people.web.second_step import second_step
from catalog.web.log_in import LogIn, LogOut

urlpatterns = [
    path("", home, name="home"),
    path("accounts/login/", LogIn.as_view(), name="login"),
    path("accounts/second-step/", second_step, name="second_step"),
    path("accounts/logout/", LogOut.as_view(), name="logout"),
    path("theme", choose_theme, name="theme"),
    path("", include("catalog.urls")),
    path("", include("observations.urls")),
    path("", include("preprocessing.urls")),
    path("", include("differencing.urls")),
    path("", include("detection.urls")),
    path("", include("curation.urls")),
    path("api/v1/", include("astrid_site.site.api")),
    path("vo/", include("astrid_site.site.vo")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]

handler400 = "astrid_site.site.errors.bad_request"
handler403 = "astrid_site.site.errors.permission_denied"
handler404 = "astrid_site.site.errors.not_found"
handler500 = "astrid_site.site.errors.server_error"
