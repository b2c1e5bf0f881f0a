"""Jobs, the audit log, one's own profile, everybody's accounts, and links that let somebody in."""

from django.urls import path

from catalog.people import views as people_views
from catalog.people.web import factors, links, people
from catalog.work import views as work_views

app_name = "catalog"
urlpatterns = [
    path("jobs/", work_views.jobs, name="jobs"),
    path("jobs/<uuid:job_id>/", work_views.job, name="job"),
    path("jobs/<uuid:job_id>/retry/", work_views.retry, name="retry_job"),
    path("jobs/<uuid:job_id>/cancel/", work_views.cancel, name="cancel_job"),
    path("audit/", people_views.audit_log, name="audit"),
    path("profile/", people_views.profile, name="profile"),
    path("profile/password/", people_views.change_password, name="change_password"),
    path("profile/tokens/", people_views.make_token, name="make_token"),
    path("profile/tokens/<uuid:key>/revoke/", people_views.revoke_token, name="revoke_token"),
    path("profile/sessions/end/", people_views.end_other_sessions, name="end_other_sessions"),
    path("profile/sessions/<uuid:key>/end/", people_views.end_own_session, name="end_own_session"),
    path("profile/second-factor/", factors.begin_app, name="begin_app"),
    path("profile/second-factor/app/", factors.set_up_app, name="set_up_app"),
    path("profile/second-factor/new-key/", factors.begin_key, name="begin_key"),
    path("profile/second-factor/key/", factors.set_up_key, name="set_up_key"),
    path("profile/second-factor/<int:key>/remove/", factors.remove_own_factor, name="remove_own_factor"),
    path("profile/second-factor/codes/", factors.renew_codes, name="renew_codes"),
    path("people/", people.people, name="people"),
    path("people/invite/", people.invite, name="invite"),
    path("people/invitations/<uuid:key>/again/", people.invite_again, name="invite_again"),
    path("people/invitations/<uuid:key>/revoke/", people.revoke_invitation, name="revoke_invitation"),
    path("people/sessions/<uuid:key>/end/", people.end_session, name="end_session"),
    path("people/tokens/<uuid:key>/revoke/", people.revoke_their_token, name="revoke_their_token"),
    path("people/<uuid:key>/", people.person, name="person"),
    path("people/<uuid:key>/reset/", people.make_reset, name="make_reset"),
    path("people/<uuid:key>/second-factor/remove/", people.remove_factor, name="remove_factor"),
    path("people/<uuid:key>/sessions/end/", people.end_sessions, name="end_sessions"),
    path("accounts/invitation/<str:text>/", links.accept_invitation, name="accept_invitation"),
    path("accounts/reset/<str:text>/", links.reset_password, name="reset_password"),
    path("accounts/password-reset/", links.ask_reset, name="ask_reset"),
]
