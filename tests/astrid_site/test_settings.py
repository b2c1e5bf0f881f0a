"""The defaults are safe on a laptop; a site that others reach is safe or does not start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from astrid_site.running.shared_storage import django_storage

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PRODUCTION = {
    "ALLOWED_HOSTS": "astrid.example.org",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN",
    "ASTRID_TRUSTED_PROXIES": "1",
}
NAMES = (
    *("DATABASE_URL", "SECRET_KEY", "ALLOWED_HOSTS", "DEBUG", "HTTPS", "DJANGO_SETTINGS_MODULE"),
    "ASTRID_TRUSTED_PROXIES",
)


def _run(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=REPOSITORY,
        env={**environment, "ASTRID_DATA_ROOT": str(root), **variables},
        capture_output=True,
        text=True,
    )


def _setting(root: Path, name: str, **variables: str) -> str:
    run = _run(root, "-c", f"from astrid_site import settings; print(settings.{name})", **variables)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = _setting(tmp_path / "new", "SECRET_KEY")

    assert len(first) >= 50
    assert _setting(tmp_path / "new", "SECRET_KEY") == first
    assert _setting(tmp_path / "other", "SECRET_KEY") != first
    assert (tmp_path / "new" / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret_key"]


def test_a_secret_that_is_given_is_not_stored(tmp_path: Path) -> None:
    assert _setting(tmp_path, "SECRET_KEY", SECRET_KEY="given") == "given"
    assert not (tmp_path / "secret_key").exists()


def test_a_root_where_nothing_can_be_written_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    run = _run(tmp_path / "file", "manage.py", "check")

    assert run.returncode != 0
    assert "Set ASTRID_DATA_ROOT to a folder that you may write to" in run.stderr


def test_a_site_that_others_reach_does_not_start_with_a_secret_of_its_own_making(tmp_path: Path) -> None:
    run = _run(tmp_path, "-c", "import astrid_site.settings", ALLOWED_HOSTS="astrid.example.org")
    assert run.returncode != 0
    assert "set SECRET_KEY" in run.stderr
    assert not (tmp_path / "secret_key").exists()


def test_debug_is_refused_on_a_site_that_others_reach(tmp_path: Path) -> None:
    run = _run(tmp_path, "manage.py", "check", DEBUG="true", **PRODUCTION)

    assert run.returncode != 0
    assert "DEBUG" in run.stderr
    assert _setting(tmp_path, "DEBUG", DEBUG="true") == "True"
    assert _setting(tmp_path, "DEBUG") == "False"


def test_the_deployment_check_is_clean_with_production_variables(tmp_path: Path) -> None:
    run = _run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "INFO", **PRODUCTION)

    assert run.returncode == 0, run.stderr


def test_a_site_that_others_reach_uses_https_unless_told_otherwise(tmp_path: Path) -> None:
    assert _setting(tmp_path, "SESSION_COOKIE_SECURE", **PRODUCTION) == "True"
    assert _setting(tmp_path, "SESSION_COOKIE_SECURE", HTTPS="false", **PRODUCTION) == "False"
    assert _setting(tmp_path, "SESSION_COOKIE_SECURE") == "False"


def test_a_database_url_replaces_the_embedded_server(tmp_path: Path) -> None:
    url = "postgres://me@/observatory?host=/somewhere"

    assert _setting(tmp_path, "DATABASES['default']['NAME']", DATABASE_URL=url) == "observatory"
    assert _setting(tmp_path, "EMBEDDED_POSTGRES", DATABASE_URL=url) == "False"


def test_a_bucket_is_shared_under_its_prefix_at_the_address_that_is_given() -> None:
    found = django_storage("s3://frames/site/one?region_name=eu-central-1&use_ssl=false", "https://s3.example.org")
    assert found["BACKEND"] == "catalog.files.s3.ProductStorage"
    assert found["OPTIONS"] | {"max_memory_size": 0} == {
        "bucket_name": "frames", "location": "site/one", "endpoint_url": "https://s3.example.org",
        "region_name": "eu-central-1", "use_ssl": False, "max_memory_size": 0,
    }  # fmt: skip


def test_any_storage_of_django_is_shared_with_its_options() -> None:
    found = django_storage("storages.backends.gcloud.GoogleCloudStorage?bucket_name=frames&location=one")
    assert found == {
        "BACKEND": "storages.backends.gcloud.GoogleCloudStorage",
        "OPTIONS": {"bucket_name": "frames", "location": "one"},
    }


@pytest.mark.parametrize("address", ["s3://", "s3:frames", "/srv/share", "https://s3.example.org/frames", "two words"])
def test_what_names_no_storage_is_refused_with_what_would(address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="neither s3://bucket/prefix nor"):
        django_storage(address)


def test_nothing_is_shared_unless_a_variable_says_so(tmp_path: Path) -> None:
    assert "products" not in _setting(tmp_path, "STORAGES")
    shared = _setting(tmp_path, "STORAGES['products']['OPTIONS']", ASTRID_STORAGE="s3://frames/one")
    assert "'bucket_name': 'frames', 'location': 'one'" in shared


@pytest.mark.django_db
def test_no_model_waits_for_a_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=1)


def test_compiled_loops_lie_in_the_data_root_where_the_program_may_not_be_written_to(tmp_path: Path) -> None:
    shown = "print(os.environ.get('NUMBA_CACHE_DIR', 'beside the program'), os.environ['NUMBA_NUM_THREADS'])"
    kept = f"import os; from astrid_site import settings; {shown}"
    locked = f"import os; os.access = lambda *_: False; from astrid_site import settings; {shown}"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}

    def said(code: str, **variables: str) -> str:
        environment = {**plain, "ASTRID_DATA_ROOT": str(tmp_path), "SECRET_KEY": "given", **variables}
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=REPOSITORY, env=environment, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
        return run.stdout.strip()

    assert said(kept) == "beside the program 1"
    assert said(locked, ASTRID_THREADS="3") == f"{tmp_path / 'compiled'} 3"
    assert said(locked, NUMBA_CACHE_DIR="/elsewhere") == "/elsewhere 1"
