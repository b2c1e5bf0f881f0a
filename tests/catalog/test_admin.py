from __future__ import annotations

import datetime as dt
import re
from html import unescape

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from catalog import admin as catalog_admin
from catalog.admin.paging import BoundedPaginator
from catalog.configuration import values
from catalog.configuration.keys import DECLARED
from catalog.models import AuditLog, JobAttempt, JobStatus, ProcessingJob, Record, SystemConfig, User
from catalog.people import audit
from catalog.people.forms import InviteForm
from catalog.people.tokens import issue
from catalog.roles import ROLES
from catalog.work import sweeper
from observations.models import Observation, Survey
from tests.browsers import BROWSER, onlooker, page, said, staff_of
from tests.factories import (
    AlertFactory,
    CalibrationFrameFactory,
    CalibrationMasterFactory,
    CandidateScoreFactory,
    ObservationFactory,
    PreprocessRunFactory,
    ProcessingJobFactory,
    ReferenceFactory,
    SurveyFactory,
    TelescopeFactory,
    TrackletFactory,
    UserFactory,
    ValidationEventFactory,
)

OWN_MODELS = [model for model in apps.get_models() if issubclass(model, Record)]
KEY = "differencing.threshold_sigma"
NOW = dt.datetime(2024, 3, 1, 21, 0, tzinfo=dt.UTC)


def lines(**about: object) -> list[AuditLog]:
    return list(AuditLog.objects.filter(**about).order_by("id"))


def failed_job() -> ProcessingJob:
    return ProcessingJobFactory(status=JobStatus.FAILED, failure_code="clouded", error_message="Too little light.")


@pytest.fixture
def administrator(db: None) -> Client:
    return staff_of("administrator", username="ada")


# --- Every page ---
@pytest.mark.parametrize("model", OWN_MODELS, ids=lambda model: model.__name__)
def test_every_model_is_in_the_admin(model: type[Record]):
    assert model in admin.site._registry


@pytest.mark.parametrize("model", OWN_MODELS, ids=lambda model: model.__name__)
def test_no_form_offers_what_a_machine_wrote(model: type[Record]):
    editable = {"Survey", "Telescope", "InstrumentProfile", "LabelDefinition", "SystemConfig", "User"}
    is_product = isinstance(admin.site._registry[model], catalog_admin.ProductAdmin)
    assert is_product == (model.__name__ not in editable)


@pytest.mark.parametrize("model", OWN_MODELS, ids=lambda model: model.__name__)
def test_no_list_counts_all_of_its_rows(model: type[Record]):
    page_of_model = admin.site._registry[model]
    assert page_of_model.show_full_result_count is False
    assert page_of_model.paginator is BoundedPaginator
    assert page_of_model.show_facets == admin.ShowFacets.NEVER


def test_every_list_page_and_history_opens_for_an_administrator(administrator: Client):
    rows = [AlertFactory(), CandidateScoreFactory(), CalibrationFrameFactory(), TrackletFactory(), ReferenceFactory()]
    rows += [CalibrationMasterFactory(), PreprocessRunFactory(), ProcessingJobFactory(), ValidationEventFactory()]
    rows += [TelescopeFactory(), audit.record(("night", "2024-03-01"), "process")]
    for model in OWN_MODELS:
        name = f"{model._meta.app_label}.{model._meta.model_name}"
        assert administrator.get(page(name)).status_code == 200
        assert administrator.get(page(name), {"q": "x"}).status_code == 200
        row = model._default_manager.first()
        if row is not None:
            assert administrator.get(page(name, "change", row.pk)).status_code == 200
            assert administrator.get(page(name, "history", row.pk)).status_code == 200
    assert administrator.get("/admin/").status_code == 200


def test_every_list_has_its_entry_in_the_menu(administrator: Client):
    menu = administrator.get("/admin/").context["sidebar_navigation"]
    linked = {item["link"] for group in menu for item in group["items"]}
    assert linked == {page(model._meta.label_lower) for model in admin.site._registry}


def test_a_list_and_the_way_back_to_it_are_called_what_the_menu_calls_them(administrator: Client):
    link = f'<a class="crumb" href="{page("catalog.apitoken")}">Tokens</a>'
    token, _ = issue(UserFactory(), "poller", ["alerts:read"], audit.MACHINE)
    for address in (page("catalog.apitoken"), page("catalog.apitoken", "change", token.pk)):
        assert link in administrator.get(address).content.decode(), address


def test_the_page_of_an_account_leads_to_its_tokens_leases_and_failed_log_ins(administrator: Client):
    vera, other = UserFactory(username="vera"), UserFactory()
    for user in (vera, other):
        issue(user, "poller", ["alerts:read"], audit.MACHINE)
    text = unescape(administrator.get(page("catalog.user", "change", vera.pk)).content.decode())
    tokens = f"{page('catalog.apitoken')}?user__id__exact={vera.pk}"
    assert tokens in text
    assert f"{page('curation.lease')}?holder__id__exact={vera.pk}" in text
    assert f"{page('axes.accessattempt')}?username=vera" in text
    assert [token.user for token in administrator.get(tokens).context["cl"].result_list] == [vera]


def test_an_empty_list_offers_to_add_only_what_people_add(administrator: Client):
    empty = administrator.get(page("curation.alertpublication")).content.decode()
    assert "There is nothing here yet." in empty
    narrowed = administrator.get(page("observations.telescope"), {"q": "no such telescope"}).content.decode()
    assert "Nothing fits the search and the filters." in narrowed
    assert page("observations.telescope", "add") in narrowed
    for text in (empty, narrowed):
        assert "yielded" not in text and "new item" not in text


@pytest.mark.django_db
def test_an_operator_gets_pages_of_the_pipeline_and_no_others():
    operator = staff_of("operator")
    open_to_them = [page("observations.observation"), page("catalog.processingjob"), page("catalog.jobattempt")]
    closed = [page("catalog.systemconfig"), page("catalog.user"), page("catalog.auditlog"), page("auth.group")]
    closed.append(page("catalog.systemconfig", "change", KEY))
    assert [operator.get(url).status_code for url in open_to_them] == [200] * 3
    assert [operator.get(url).status_code for url in closed] == [403] * 5
    first = operator.get("/admin/").content.decode()
    assert page("catalog.processingjob") in first
    assert page("catalog.systemconfig") not in first


@pytest.mark.django_db
def test_the_first_page_tells_how_old_alerts_jobs_and_probes_are():
    sweeper.answer("light")
    ProcessingJobFactory(job_type="download", scheduled_at=timezone.now() - dt.timedelta(hours=5))
    alert = AlertFactory()
    type(alert).objects.filter(pk=alert.pk).update(created_at=timezone.now() - dt.timedelta(minutes=30))
    text = " ".join(staff_of("operator").get("/admin/").content.decode().split())
    assert "alerts: the oldest unpublished alert has been waiting for 30 min" in text
    assert "light: responded " in text
    (downloads,) = re.findall(r"downloads: (.*?)</li>", text)
    assert "no worker has ever responded" in downloads
    assert "the oldest job that could run has been waiting for 5 h" in downloads


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/admin/", "/admin/observations/observation/", "/admin/login/"])
def test_a_stranger_is_sent_to_the_one_log_in_and_a_viewer_told_that_their_role_does_not_open_the_admin(address: str):
    viewer = staff_of("viewer")
    answer = viewer.get(address, follow=True)
    assert answer.status_code == 403
    assert "password" not in answer.content.decode().lower()
    last, _ = Client().get(address, follow=True).redirect_chain[-1]
    assert last.startswith("/accounts/login/?next=/admin/")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "opens"), [("viewer", 403), ("curator", 403), ("operator", 200), ("administrator", 200)]
)
def test_the_role_alone_says_whether_the_admin_opens(role: str, opens: int):
    assert staff_of(role).get("/admin/").status_code == opens


def test_style_sheets_come_without_anything_collected_and_without_debug(client: Client, settings):
    assert settings.DEBUG is False
    theme, ours = client.get("/static/unfold/css/styles.css"), client.get("/static/css/admin.css")
    assert (theme.status_code, ours.status_code) == (200, 200)
    assert theme.headers["Content-Type"].startswith("text/css")
    assert b".cutouts" in ours.content
    again = client.get("/static/css/admin.css", headers={"if-modified-since": ours.headers["Last-Modified"]})
    assert (again.status_code, again.content) == (304, b"")


# --- Lists ---
@pytest.mark.django_db
def test_a_list_counts_up_to_its_bound_and_says_that_there_are_more():
    UserFactory.create_batch(5)
    rows = User.objects.order_by("pk")
    whole, bounded = BoundedPaginator(rows, 2), BoundedPaginator(rows, 2)
    bounded.most_counted = 4
    assert (whole.count, whole.has_more) == (5, False)
    assert (bounded.count, bounded.has_more, bounded.num_pages) == (4, True, 2)


def test_a_list_that_a_link_narrowed_says_to_what(administrator: Client):
    job = ProcessingJobFactory(job_type="detect", workflow_id="w-1")
    ProcessingJobFactory(job_type="preprocess", workflow_id="w-2")
    text = administrator.get(page("catalog.processingjob"), {"workflow_id": "w-1"}).content.decode()
    assert "workflow id w-1" in text
    assert page("catalog.processingjob", "change", job.pk) in text
    assert "preprocess</a>" not in text


def test_a_job_shows_the_name_of_what_it_works_on(administrator: Client):
    frame = ObservationFactory(observation_id="m31_0042")
    ProcessingJobFactory(entity_id=str(frame.pk))
    text = administrator.get(page("catalog.processingjob")).content.decode()
    assert f'{page("observations.observation", "change", frame.pk)}">observation m31_0042</a>' in text


def test_a_list_of_jobs_asks_the_database_as_often_for_many_as_for_one(administrator: Client):
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            administrator.get(page("catalog.processingjob"))
        return len(queries)

    ProcessingJobFactory(entity_id=str(ObservationFactory().pk))
    one = count()
    for _ in range(5):
        ProcessingJobFactory(entity_id=str(ObservationFactory().pk))
    assert count() == one


def test_a_filter_offers_the_values_of_an_indexed_column_and_takes_one(administrator: Client):
    for action in ("zap", "archive_observation", "archive_observation"):
        audit.record(("night", "2024-03-01"), action)
    text = administrator.get(page("catalog.auditlog")).content.decode()
    assert text.count('<option value="archive_observation"') == 1
    narrowed = administrator.get(page("catalog.auditlog"), {"action__exact": "zap", "user__iexact": ""})
    assert [line.action for line in narrowed.context["cl"].result_list] == ["zap"]


# --- The configuration ---
def test_every_declared_key_is_listed_with_value_default_and_who_changed_it(administrator: Client):
    values.set_value(KEY, 8, audit.Actor(UserFactory(username="grace")))
    entries = {
        entry["key"]: entry
        for group in administrator.get(page("catalog.systemconfig")).context["groups"]
        for entry in group["entries"]
    }
    assert entries.keys() == DECLARED.keys()
    changed, other = entries[KEY], entries["differencing.tile_px"]
    assert (changed["value"], changed["default"], changed["is_changed"]) == ("8", "5", True)
    assert (changed["bounds"], changed["last"].user) == ("number, 3 to 100", "grace")
    assert (other["value"], other["is_changed"], other["last"]) == ("128", False, None)


def test_looking_at_a_key_stores_nothing(administrator: Client):
    answer = administrator.get(page("catalog.systemconfig", "change", KEY))
    assert answer.status_code == 200
    assert DECLARED[KEY].explanation in answer.content.decode()
    assert not SystemConfig.objects.exists()


def test_the_form_offers_the_control_of_the_declared_type(administrator: Client):
    forms = {
        key: administrator.get(page("catalog.systemconfig", "change", key)).context["adminform"].form["new_value"]
        for key in (KEY, "differencing.tile_px", "preprocessing.clip_cosmic_rays")
    }
    number, whole, flag = (forms[key].field.widget for key in forms)
    assert (number.input_type, number.attrs["min"], number.attrs["max"], number.attrs["step"]) == (
        "number",
        3,
        100,
        "any",
    )
    assert (whole.attrs["step"], flag.input_type) == (1, "checkbox")


def test_a_change_of_configuration_is_used_written_down_and_can_be_taken_back(administrator: Client):
    url = page("catalog.systemconfig", "change", KEY)
    administrator.post(url, {"new_value": "8", "seen": "", "reason": "Noisy."})
    assert values.snapshot()[KEY] == 8.0
    shown = administrator.get(url)
    administrator.post(url, {"seen": shown.context["adminform"].form["seen"].initial, BACK: "1", "reason": "x"})
    assert values.snapshot()[KEY] == 5.0
    written = [(row.user, row.action, row.old_values, row.new_values) for row in lines(entity_type="systemconfig")]
    assert written == [
        ("ada", "set_configuration", {"value": 5.0}, {"value": 8.0}),
        ("ada", "clear_configuration", {"value": 8.0}, {"value": 5.0}),
    ]
    history = administrator.get(url).content.decode()
    assert f"{KEY}: 5.0 → 8.0" in history
    assert f"{KEY}: 8.0 → 5.0" in history


BACK = "catalog_systemconfig_back_to_default"


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (KEY, "2", f"{KEY} must be at least 3, not 2.0."),
        (KEY, "nan", f"{KEY} takes a number, 3 to 100."),
        (KEY, "", f"{KEY} must be a number, not None."),
        ("differencing.tile_px", "200.5", "differencing.tile_px takes a whole number, 128 to 4096."),
    ],
)
def test_a_bad_value_is_refused_in_words(administrator: Client, key: str, value: str, sentence: str):
    answer = administrator.post(page("catalog.systemconfig", "change", key), {"new_value": value, "seen": ""})
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert not SystemConfig.objects.exists()
    assert not lines(entity_type="systemconfig")


def test_a_switch_is_turned_off_by_leaving_its_box_empty(administrator: Client):
    url = page("catalog.systemconfig", "change", "preprocessing.clip_cosmic_rays")
    administrator.post(url, {"seen": "", "reason": "x"})
    assert values.snapshot()["preprocessing.clip_cosmic_rays"] is False


def test_a_key_that_somebody_else_changed_meanwhile_is_not_overwritten(administrator: Client):
    values.set_value(KEY, 7, audit.MACHINE)
    answer = administrator.post(page("catalog.systemconfig", "change", KEY), {"new_value": "8", "seen": ""})
    assert "Somebody else has changed this key in the meantime" in answer.content.decode()
    assert values.snapshot()[KEY] == 7.0


def test_saving_what_is_in_use_already_writes_nothing_down(administrator: Client):
    url = page("catalog.systemconfig", "change", KEY)
    assert administrator.post(url, {"new_value": "5", "seen": ""}).status_code == 302
    assert not SystemConfig.objects.exists()
    assert not lines(entity_type="systemconfig")


def test_a_stored_value_that_is_not_acceptable_is_shown_and_can_be_put_right(administrator: Client):
    SystemConfig.objects.create(key=KEY, value=-4)
    assert f"{KEY} must be at least 3, not -4." in administrator.get(page("catalog.systemconfig")).content.decode()
    url = page("catalog.systemconfig", "change", KEY)
    seen = administrator.get(url).context["adminform"].form["seen"].initial
    administrator.post(url, {"new_value": "6", "seen": seen, "reason": "It was wrong."})
    assert values.snapshot()[KEY] == 6.0


def test_a_key_of_an_earlier_version_can_be_taken_out_of_use(administrator: Client):
    row = SystemConfig.objects.create(key="old.key", value=1)
    url = page("catalog.systemconfig", "change", row.pk)
    assert url in administrator.get(page("catalog.systemconfig")).content.decode()
    seen = administrator.get(url).context["adminform"].form["seen"].initial
    administrator.post(url, {"seen": seen, BACK: "1"})
    assert SystemConfig.objects.get().is_active is False
    assert values.snapshot()[KEY] == 5.0
    assert [line.action for line in lines(entity_type="systemconfig")] == ["clear_configuration"]


def test_no_key_can_be_added_or_deleted(administrator: Client):
    row = SystemConfig.objects.create(key=KEY, value=6)
    assert administrator.get(page("catalog.systemconfig", "add")).status_code == 403
    assert administrator.post(page("catalog.systemconfig", "delete", row.pk), {"post": "yes"}).status_code == 403


# --- What is written down ---
def test_a_change_leaves_the_values_before_and_after_who_and_from_where(administrator: Client):
    survey = SurveyFactory(name="dome", description="old")
    data = {"name": "dome", "description": "new", "base_url": "", "api_endpoint": "", "is_active": "on"}
    administrator.post(page("observations.survey", "change", survey.pk), data)
    [line] = lines(entity_type="survey")
    assert (line.action, line.user, line.ip_address, line.user_agent) == ("change_survey", "ada", "192.0.2.7", BROWSER)
    assert (line.old_values, line.new_values) == ({"description": "old"}, {"description": "new"})
    history = administrator.get(page("observations.survey", "history", survey.pk)).content.decode()
    assert "old" in history and "192.0.2.7" in history


def test_adding_and_deleting_are_written_down_and_a_save_that_changes_nothing_is_not(administrator: Client):
    data = {"name": "dome", "description": "", "base_url": "", "api_endpoint": "", "is_active": "on"}
    administrator.post(page("observations.survey", "add"), data)
    survey = Survey.objects.get(name="dome")
    administrator.post(page("observations.survey", "change", survey.pk), data)
    administrator.post(page("observations.survey", "delete", survey.pk), {"post": "yes"})
    written = [(line.action, line.entity_id) for line in lines(entity_type="survey")]
    assert written == [("add_survey", str(survey.pk)), ("delete_survey", str(survey.pk))]
    assert lines(action="delete_survey")[0].old_values["name"] == "dome"


def test_rows_deleted_together_each_leave_a_line(administrator: Client):
    surveys = [SurveyFactory(name=name) for name in ("one", "two")]
    data = {"action": "delete_selected", "_selected_action": [s.pk for s in surveys], "post": "yes"}
    administrator.post(page("observations.survey"), data)
    assert not Survey.objects.filter(name__in=("one", "two")).exists()
    assert sorted(line.entity_id for line in lines(action="delete_survey")) == sorted(str(s.pk) for s in surveys)


def account_form(**values: object) -> dict[str, object]:
    form = {"username": "vera", "first_name": "", "last_name": "", "email": "", "is_active": "on"}
    return form | values


def test_a_change_of_roles_is_written_down_by_name(administrator: Client):
    vera = UserFactory(username="vera")
    curators = Group.objects.get(name="curator")
    administrator.post(page("catalog.user", "change", vera.pk), account_form(groups=[curators.pk]))
    [line] = lines(entity_type="user", entity_id=str(vera.pk))
    assert (line.old_values, line.new_values) == ({"groups": []}, {"groups": ["curator"]})


def test_roles_and_teams_stand_apart_where_an_account_gets_them(administrator: Client):
    vera, team = UserFactory(username="vera"), Group.objects.create(name="deep field")
    SurveyFactory().groups.add(team)
    text = administrator.get(page("catalog.user", "change", vera.pk)).content.decode()
    roles, teams = text.index("<label>Roles</label>"), text.index("<label>Teams</label>")
    named = {name: text.index(f'value="{Group.objects.get(name=name).pk}"') for name in (*ROLES, "deep field")}
    assert all(roles < named[name] < teams for name in ROLES) and teams < named["deep field"]
    curator = Group.objects.get(name="curator")
    administrator.post(page("catalog.user", "change", vera.pk), account_form(groups=[curator.pk, team.pk]))
    assert set(vera.groups.all()) == {curator, team}
    assert text_of_person(administrator, vera) == ("curator", "deep field")
    assert team not in InviteForm(vera).fields["role"].queryset


def text_of_person(client: Client, account: User) -> tuple[str, str]:
    """Return what the page of a person says of roles and of teams."""
    text = client.get(reverse("catalog:person", args=[account.pk])).content.decode()
    roles, teams = (re.search(f"<dt>{title}</dt><dd>(.*?)</dd>", text) for title in ("Roles", "Teams"))
    return roles[1], teams[1]


def test_a_change_of_what_a_role_may_do_is_written_down(administrator: Client):
    viewers = Group.objects.get(name="viewer")
    kept = list(viewers.permissions.exclude(codename="view_alert").values_list("pk", flat=True))
    administrator.post(page("auth.group", "change", viewers.pk), {"permissions": kept})
    [line] = lines(entity_type="group")
    gone = set(line.old_values["permissions"]) - set(line.new_values["permissions"])
    assert gone == {"curation.view_alert"}


def test_a_role_of_the_project_keeps_its_name_and_stays(administrator: Client):
    viewers = Group.objects.get(name="viewer")
    administrator.post(page("auth.group", "change", viewers.pk), {"name": "guest", "permissions": []})
    assert administrator.post(page("auth.group", "delete", viewers.pk), {"post": "yes"}).status_code == 403
    assert Group.objects.get(pk=viewers.pk).name == "viewer"


PASSWORD = "correct-horse-47"


def test_no_password_gets_into_the_audit_log(administrator: Client):
    made = {"username": "vera", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    administrator.post(page("catalog.user", "add"), made)
    vera = User.objects.get(username="vera")
    url = f"/admin/catalog/user/{vera.pk}/password/"
    other = {"usable_password": "true", "password1": f"{PASSWORD}8", "password2": f"{PASSWORD}8"}
    administrator.post(url, other | {"set-password": "1"})
    vera.refresh_from_db()
    assert vera.check_password(f"{PASSWORD}8")
    administrator.post(page("catalog.user", "delete", vera.pk), {"post": "yes"})
    assert [line.action for line in lines(entity_id=str(vera.pk))] == ["add_user", "change_password", "delete_user"]
    everything = str(list(AuditLog.objects.values()))
    assert not any("password" in {*line.old_values, *line.new_values} for line in lines())
    assert "md5$" not in everything and PASSWORD not in everything


def test_a_password_that_its_owner_changes_leaves_a_line(db: None):
    owner = UserFactory(username="grace", is_superuser=True)
    owner.set_password(PASSWORD)
    owner.save()
    client = Client()
    client.force_login(owner)
    wrong = {"old_password": "x", "new_password1": f"{PASSWORD}8", "new_password2": f"{PASSWORD}8"}
    client.post("/admin/password_change/", wrong)
    assert not lines(action="change_password")
    client.post("/admin/password_change/", wrong | {"old_password": PASSWORD})
    assert [(line.user, line.entity_id) for line in lines(action="change_password")] == [("grace", str(owner.pk))]


def test_an_account_made_on_the_command_line_leaves_a_line(db: None):
    call_command("createsuperuser", "--no-input", "--username", "root", "--email", "root@example.org", verbosity=0)
    assert [line.new_values for line in lines(action="create_account")] == [{"username": "root", "is_superuser": True}]


def test_only_a_superuser_makes_a_superuser(administrator: Client):
    vera = UserFactory(username="vera")
    administrator.post(page("catalog.user", "change", vera.pk), account_form(is_superuser="on"))
    vera.refresh_from_db()
    assert vera.is_superuser is False


def test_the_audit_log_itself_offers_no_change(administrator: Client):
    line = audit.record(("night", "2024-03-01"), "process", old={"value": 1}, new={"value": 2})
    assert administrator.get(page("catalog.auditlog", "add")).status_code == 403
    assert administrator.post(page("catalog.auditlog", "delete", line.pk), {"post": "yes"}).status_code == 403
    answer = administrator.post(page("catalog.auditlog", "change", line.pk), {"action": "forged"})
    assert answer.status_code == 403
    assert lines()[0].action == "process"


def test_django_keeps_no_second_log(administrator: Client):
    administrator.post(page("observations.survey", "add"), {"name": "dome", "is_active": "on"})
    assert lines(action="add_survey")
    assert not apps.get_model("admin", "LogEntry").objects.exists()


# --- Jobs ---
def test_jobs_are_tried_again_and_cancelled_from_their_list(administrator: Client):
    failed, waiting = failed_job(), ProcessingJobFactory()
    url = page("catalog.processingjob")
    answer = administrator.post(url, {"action": "retry_jobs", "_selected_action": [failed.pk, waiting.pk]})
    assert said(answer) == [
        "Jobs queued again: 1.",
        f"{waiting} is pending: only a failed or cancelled job can be retried.",
    ]
    administrator.post(url, {"action": "cancel_jobs", "_selected_action": [waiting.pk]})
    states = {str(job.pk): job.status for job in ProcessingJob.objects.all()}
    assert states == {str(failed.pk): JobStatus.PENDING, str(waiting.pk): JobStatus.CANCELLED}
    assert [(line.action, line.user) for line in lines(entity_type="processingjob")] == [
        ("retry_job", "ada"),
        ("cancel_job", "ada"),
    ]


def test_opening_the_question_changes_nothing_and_its_answer_does(administrator: Client):
    job = failed_job()
    url = f"/admin/catalog/processingjob/{job.pk}/retry_job/"
    assert "Try this job again?" in administrator.get(url).content.decode()
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    answer = administrator.post(url, {"_form_submitted": "on"}, headers={"hx-request": "true"})
    assert answer.headers["HX-Redirect"] == page("catalog.processingjob", "change", job.pk)
    job.refresh_from_db()
    assert job.status == JobStatus.PENDING


@pytest.mark.parametrize(
    ("status", "offered"), [("failed", ["retry_job"]), ("pending", ["cancel_job"]), ("completed", [])]
)
def test_a_job_offers_what_its_state_allows(administrator: Client, status: str, offered: list[str]):
    job = failed_job() if status == "failed" else ProcessingJobFactory(status=status)
    text = administrator.get(page("catalog.processingjob", "change", job.pk)).content.decode()
    assert [name for name in ("retry_job", "cancel_job") if f"/{job.pk}/{name}/" in text] == offered


@pytest.mark.django_db
def test_whoever_may_only_look_orders_nothing():
    viewer, job = onlooker(), failed_job()
    viewer.post(page("catalog.processingjob"), {"action": "retry_jobs", "_selected_action": [job.pk]})
    answer = viewer.post(f"/admin/catalog/processingjob/{job.pk}/retry_job/", {"_form_submitted": "on"})
    assert answer.status_code == 403
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert not lines()


def test_a_job_shows_its_attempts_with_their_logs_as_text(administrator: Client):
    job = failed_job()
    log = "21:00:01 INFO reading <script>alert(1)</script>\n21:00:02 ERROR no light"
    JobAttempt.objects.create(job=job, attempt=1, owner="host:1", started_at=NOW, outcome="failed", log=log)
    text = administrator.get(page("catalog.processingjob", "change", job.pk)).content.decode()
    assert "2 lines" in text and "ERROR no light" in text
    assert "&lt;script&gt;alert(1)" in text and "<script>alert(1)" not in text


def test_more_rows_than_can_be_waited_for_are_not_begun_with(administrator: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("catalog.admin.bases.MOST_AT_ONCE", 1)
    jobs = [failed_job(), failed_job()]
    data = {"action": "retry_jobs", "_selected_action": [job.pk for job in jobs]}
    assert said(administrator.post(page("catalog.processingjob"), data)) == [
        "More than 1 rows are selected: filter the list first."
    ]
    assert not ProcessingJob.objects.filter(status=JobStatus.PENDING).exists()


def test_permissions_are_named_as_code_names_them(db: None):
    permission = Permission.objects.select_related("content_type").get(codename="view_alert")
    group = Group.objects.create(name="guests")
    group.permissions.add(permission)
    assert catalog_admin.bases._value(group, "permissions") == ["curation.view_alert"]


def test_a_row_with_very_many_others_stays_and_none_of_these_is_read(administrator: Client, monkeypatch):
    survey = SurveyFactory(name="dome")
    for _ in range(4):
        ObservationFactory(survey=survey)
    monkeypatch.setattr("catalog.admin.deleting.MOST_COUNTED", 3)
    monkeypatch.setattr("catalog.counting.MOST_COUNTED", 3)
    monkeypatch.setattr(Observation, "from_db", classmethod(lambda *_: pytest.fail("an observation was read")))
    answer = administrator.get(page("observations.survey", "delete", survey.pk))
    assert "more than 3 observations: too many to be deleted here" in answer.content.decode()
    administrator.post(page("observations.survey", "delete", survey.pk), {"post": "yes"})
    selected = {"action": "delete_selected", "_selected_action": [survey.pk], "post": "yes"}
    administrator.post(page("observations.survey"), selected)
    assert Survey.objects.filter(pk=survey.pk).exists()
