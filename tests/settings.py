"""Settings of the tests: the project's, over a data root of their own, so that no test can reach the user's data."""

import os
import tempfile
from pathlib import Path

TEST_ROOT_PREFIX = "astrid-test-"

# Workers of pytest-xdist inherit the root that their controller chose.
if "PYTEST_XDIST_WORKER" not in os.environ:
    _root = Path(tempfile.mkdtemp(prefix=f"{TEST_ROOT_PREFIX}{os.getpid()}-"))
    # When root runs the tests, the server's unprivileged user must be able to pass.
    _root.chmod(0o755)
    os.environ["ASTRID_DATA_ROOT"] = str(_root)
for _name in (
    "DATABASE_URL",
    "CELERY_BROKER_URL",
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "ALLOWED_HOSTS",
    "DEBUG",
    "HTTPS",
    "ASTRID_STAR_CATALOG",
    "ASTRID_STORAGE",
):
    os.environ.pop(_name, None)

from astrid_site.settings import *  # noqa: E402, F403

# What a test stores need not survive a power cut.
EMBEDDED_POSTGRES_OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
