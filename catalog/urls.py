"""Jobs, the audit log, and one's own profile."""

from django.urls import path

from catalog import views

app_name = "catalog"
urlpatterns = [
    path("jobs/", views.jobs, name="jobs"),
    path("audit/", views.audit_log, name="audit"),
    path("profile/", views.profile, name="profile"),
]
