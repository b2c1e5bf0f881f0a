"""Settings, from the environment, with defaults that are safe on a laptop.

DATABASE_URL      another PostgreSQL; without it the embedded one under the data root
CELERY_BROKER_URL the broker; without it files under the data root
ASTRID_DATA_ROOT  where everything that is written lies (default: var/ in the clone)
ASTRID_STORAGE    a storage that several machines share: s3://bucket/prefix or the dotted name of a Django storage
                  class, options after "?". The data root is then each machine's working copy of it (default: none,
                  the data root is all there is)
AWS_S3_ENDPOINT_URL
                  address of an S3 server other than Amazon's; keys and region come from the usual AWS_* variables
SECRET_KEY        without it one is made once and kept, mode 0600, in the data root; a site that others reach needs one
SECRET_KEY_FALLBACKS former ones, with commas between: what they encrypted or signed is still read
ALLOWED_HOSTS     comma-separated host names; without it only this machine
ASTRID_TRUSTED_PROXIES
                  how many proxies every request passes on its way here, each of which adds the address that asked
                  it to X-Forwarded-For (default 0: nothing that a request says of its way is believed)
HTTPS             whether people reach the site by HTTPS (default: yes as soon as ALLOWED_HOSTS names another machine)
DEBUG             default off; refused together with another machine's name in ALLOWED_HOSTS
PORT              of the web server (default 8000)
ASTRID_BIND       the address that the web server listens on (default 127.0.0.1)
ASTRID_ADDRESS    where others reach the site, as https://astrid.example.org: it stands in what is handed on to them
                  (default: nobody is told one)
ASTRID_WORKERS    processes that do frames side by side (default: one for each core, at most 4)
ASTRID_DOWNLOADS  addresses that are fetched from side by side (default 4)
ASTRID_DELIVERIES subscribers that are sent alerts side by side (default 8)
ASTRID_KAFKA_URL  brokers of Kafka that alerts may be written to, such as kafka://broker.example.org:9092
EMAIL_URL         the mail server that sends alerts, such as smtp+tls://user:password@mail.example.org:587, and
ASTRID_MAIL_FROM  from whom they come (default: none, and no e-mail is sent)
ASTRID_MAIL_ALARMS_TO who is told by e-mail, at most once an hour, what is not well; with commas (default: nobody)
ASTRID_OUTGOING_HOSTS
                  hosts, host or host:port with commas between, that frames are fetched from and alerts sent to although
                  they are not on the public internet: an observatory's own (default: none)
ASTRID_CONTACT    e-mail or web address that stands in every request to another machine (default: none)
ASTRID_ARCHIVE_TOKENS
                  name=token of archives that ask for one, with commas between; see docs/archives.md (default: none)
ASTRID_WATCH      a folder whose FITS files are taken in as they arrive (default: none)
ASTRID_API_RATE   how often one token may ask each web process (default 600/min)
ASTRID_MAX_UPLOAD_MB
                  largest upload in megabytes (default 4100; ingest.max_file_mb bounds the file itself)
ASTRID_MOST_WAITING
                  clients that wait for alerts at once, in each web process (default 500)
ASTRID_DEMO_PASSWORD
                  of the demo's accounts; without it one is made and printed
ASTRID_HEALTH_ALERT_SECONDS, ASTRID_HEALTH_PROBE_SECONDS, ASTRID_HEALTH_<queue>_SECONDS
                  what /readyz and the first page call too long, see below
ASTRID_METRICS_FROM
                  addresses or networks, with commas between, from which /metrics may be asked (default: this machine)
ASTRID_THREADS    threads of the numerics per process (default 1)
ASTRID_DEVICE     where the subtraction transforms: cpu, or a GPU that torch knows, such as cuda or cuda:1 (default cpu)
NUMBA_CACHE_DIR   where compiled loops are kept (default: beside the program, or in the data root if need be)
ASTRID_STAR_CATALOG
                  file of stars that solves positions and zero points, see docs/configuration.md (default: what is kept)
ASTRID_STAR_CATALOG_SERVICE, ASTRID_STAR_CATALOG_TABLE: whom `star_catalog fetch` asks (default Gaia, Heidelberg)
ASTRID_TNS_URL, ASTRID_MPC_SUBMIT_URL, ASTRID_MPC_STATUS_URL
                  where reports are sent to and asked about (default: Transient Name Server, Minor Planet Center)
ASTRID_CONTEXT_STAR_SERVICE, …_VARIABLE_…, …_GALAXY_…: cone searches, asked what lies around detections (default: none)
"""

from __future__ import annotations

import os
import re
from ipaddress import ip_network
from pathlib import Path

import environ
from django.conf import global_settings
from django.core.exceptions import ImproperlyConfigured

from astrid_site.running import postgres
from astrid_site.running.beat import beat_of, waits_of
from astrid_site.running.secret import kept_secret
from astrid_site.running.shared_storage import django_storage
from astrid_site.site.admin_theme import THEME
from astrid_site.site.entity_pages import ENTITY_PAGES as ENTITY_PAGES
from astrid_site.site.openapi import OPENAPI

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where things lie ---
ASTRID_DATA_ROOT = Path(env.str("ASTRID_DATA_ROOT", default="") or BASE_DIR / "var").resolve()


# --- Who may come in ---
LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=sorted(LOOPBACK))
IS_LOCAL = set(ALLOWED_HOSTS) <= LOOPBACK
if not IS_LOCAL and not env.str("SECRET_KEY", default=""):
    raise ImproperlyConfigured(
        "ALLOWED_HOSTS names other hosts than this machine: set SECRET_KEY to 50 or more random characters, the same "
        'on every machine (python -c "import secrets; print(secrets.token_urlsafe(50))").'
    )
try:
    SECRET_KEY = env.str("SECRET_KEY", default="") or kept_secret(ASTRID_DATA_ROOT / "secret_key")
except OSError as error:
    raise ImproperlyConfigured(
        f"No secret can be kept in {ASTRID_DATA_ROOT} ({error.strerror}). Set ASTRID_DATA_ROOT to a folder that you "
        "may write to, or set SECRET_KEY."
    ) from error

SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
DEBUG = env.bool("DEBUG", default=False)
PORT = env.int("PORT", default=8000)
BIND_ADDRESS = env.str("ASTRID_BIND", default="127.0.0.1")
ASTRID_ADDRESS = env.str("ASTRID_ADDRESS", default="").rstrip("/")
if ASTRID_ADDRESS and not re.fullmatch(r"https?://[a-z0-9][a-z0-9.-]*(:\d+)?(/[\w./~-]*)?", ASTRID_ADDRESS):
    raise ImproperlyConfigured(f"ASTRID_ADDRESS is {ASTRID_ADDRESS!r}: write an address as https://astrid.example.org.")
ASTRID_DEMO_PASSWORD = env.str("ASTRID_DEMO_PASSWORD", default="")
if DEBUG and not IS_LOCAL:
    raise ImproperlyConfigured(
        "DEBUG exposes the program's internals: it is refused while ALLOWED_HOSTS names other hosts."
    )

ASTRID_TRUSTED_PROXIES = env.int("ASTRID_TRUSTED_PROXIES", default=0)
HTTPS = env.bool("HTTPS", default=not IS_LOCAL)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ASTRID_TRUSTED_PROXIES > 0 else None
# Prometheus asks the web server itself, past the proxy that speaks HTTPS.
SECURE_REDIRECT_EXEMPT = [r"^metrics$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
# Asking browsers' makers to preload a domain is for the domain's owner to decide, not for one site in it.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
X_FRAME_OPTIONS = "DENY"
# Scripts, styles and requests of this site only, and none written into a page.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- What it is made of ---
INSTALLED_APPS = [
    "astrid_site",
    "curation",
    "detection",
    "differencing",
    "preprocessing",
    "observations",
    "catalog",
    # Its templates and forms stand before the admin's own.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "astrid_site.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "axes",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "astrid_site.site.origin.Origin",
    "django.middleware.security.SecurityMiddleware",
    "astrid_site.site.static_files.StaticFiles",
    "astrid_site.site.content_policy.ContentPolicy",
    "catalog.web.seen.Seen",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "astrid_site.site.slashes.Slashes",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "astrid_site.site.private.Private",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "astrid_site.urls"
WSGI_APPLICATION = "astrid_site.wsgi.application"
ASGI_APPLICATION = "astrid_site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "astrid_site.site.navigation.navigation",
            ]
        },
    }
]
UNFOLD = THEME
AUTH_USER_MODEL = "catalog.User"
SESSION_ENGINE = "catalog.people.sessions"
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "login", "home", "login"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "catalog.people.backend.Backend"]
# Five wrong passwords for a name from one address, then a quarter of an hour of rest; more in `catalog.people.locks`.
AXES_HANDLER = "catalog.people.locks.Handler"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ENABLE_ADMIN = False
AXES_LOCKOUT_TEMPLATE = "429.html"
AXES_VERBOSE = False
# The second factor: the library's authenticators behind our own second step; its own log-in has no address here.
MFA_ADAPTER, MFA_TOTP_ISSUER = "catalog.people.authenticators.Adapter", "AstrID"
# A phone's clock may be half a minute off.
MFA_TOTP_TOLERANCE = 1
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]

# --- The REST interface ---
# How often one token, or one person's browser, may ask each web process.
ASTRID_API_RATE = env.str("ASTRID_API_RATE", default="600/min")
if not re.fullmatch(r"[1-9]\d*/(s|sec|m|min|h|hour|d|day)", ASTRID_API_RATE):
    raise ImproperlyConfigured(f"ASTRID_API_RATE is {ASTRID_API_RATE!r}: write a rate such as 600/min.")
# What is uploaded, in megabytes; the body of any other request has 2.5.
ASTRID_MAX_UPLOAD_MB = env.int("ASTRID_MAX_UPLOAD_MB", default=4100)
# Clients that wait for alerts at once, in each web process.
ASTRID_MOST_WAITING = env.int("ASTRID_MOST_WAITING", default=500)
# Counts of requests, in each process for itself.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 10_000}}}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "catalog.web.rest.authentication.ByToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["catalog.web.rest.permissions.ByRoleAndScope"],
    "DEFAULT_THROTTLE_CLASSES": ["catalog.web.rest.throttling.PerClient"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "catalog.web.rest.rendering.ByFormatParameter",
    "DEFAULT_RENDERER_CLASSES": [
        "catalog.web.rest.rendering.Json",
        "catalog.web.rest.rendering.CSV",
        "catalog.web.rest.rendering.VOTable",
        "catalog.web.rest.rendering.Parquet",
    ],
    "DEFAULT_PARSER_CLASSES": ["catalog.web.rest.parsing.BoundedJSON"],
    "DEFAULT_FILTER_BACKENDS": ["catalog.web.rest.narrowing.Narrowing"],
    "DEFAULT_PAGINATION_CLASS": "catalog.web.rest.paging.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "catalog.web.rest.schema.Schema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "catalog.web.rest.problems.handle",
}
SPECTACULAR_SETTINGS = OPENAPI
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [*global_settings.STATICFILES_FINDERS, "astrid_site.site.static_files.VersionFinder"]
# Straight from the packages and the clone: nothing is collected before the first start.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE, USE_I18N, TIME_ZONE, USE_TZ = "en-us", False, "UTC", True
# Dates as astronomers write them: 2024-03-01 21:00:00.
FORMAT_MODULE_PATH = ["astrid_site.formats"]

# --- Files ---
STORAGES: dict[str, object] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "astrid_site.site.static_files.VersionedFiles"},
}
ASTRID_STORAGE = env.str("ASTRID_STORAGE", default="")
if ASTRID_STORAGE:
    STORAGES["products"] = django_storage(ASTRID_STORAGE, env.str("AWS_S3_ENDPOINT_URL", default=""))

# --- Database and broker ---
EMBEDDED_POSTGRES = not env.str("DATABASE_URL", default="")
# More lines for the embedded server's configuration, by name.
EMBEDDED_POSTGRES_OPTIONS: dict[str, str] = {}
_SERVER = postgres.django_database(postgres.locate(ASTRID_DATA_ROOT)) if EMBEDDED_POSTGRES else env.db()
# A new connection costs more than most requests: each thread keeps its own, and looks whether it still holds.
DATABASES: dict[str, object] = {"default": {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, **_SERVER}}
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="") or "filesystem://"
if CELERY_BROKER_URL.startswith("filesystem:"):
    _BROKER = ASTRID_DATA_ROOT / "broker"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_BROKER / "messages"),
        "data_folder_out": str(_BROKER / "messages"),
        "control_folder": str(_BROKER / "control"),
        "polling_interval": 0.2,
    }
elif CELERY_BROKER_URL.startswith("amqp"):
    CELERY_TASK_DEFAULT_QUEUE_TYPE = "quorum"
    CELERY_BROKER_TRANSPORT_OPTIONS = {"confirm_publish": True}
CELERY_TASK_DEFAULT_QUEUE = "light"
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
# A broker that is away is waited for, however long.
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_HEARTBEAT = 30

# --- What is said ---
# The log of each job keeps what its stages say; elsewhere only what somebody should look at is shown.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "level": "WARNING", "formatter": "line"}},
    "root": {"level": "INFO", "handlers": ["console"]},
    # It tells every address in full, and some are as good as passwords.
    "loggers": {"httpx": {"level": "WARNING"}},
}

# --- Background work: rows of ProcessingJob are the truth, the broker only wakes workers ---
# Seconds between signs of life, and without one until the work is taken back.
JOB_HEARTBEAT_SECONDS = env.float("ASTRID_JOB_HEARTBEAT_SECONDS", default=5.0)
JOB_LAPSE_SECONDS = env.float("ASTRID_JOB_LAPSE_SECONDS", default=25.0)
# A job that takes longer is stopped: the longest, training, takes ten minutes.
JOB_TIME_LIMIT_SECONDS = env.float("ASTRID_JOB_TIME_LIMIT_SECONDS", default=3600.0)
# What a running job has to end in after the worker was told to, before it goes back to waiting.
JOB_GRACE_SECONDS = 20.0
# First and longest wait before another try.
JOB_BACKOFF_SECONDS = (2.0, 300.0)
# How long work waits that only space on the disk, the shared storage or the model's file can let go on.
JOB_WAIT_SECONDS = env.float("ASTRID_JOB_WAIT_SECONDS", default=30.0)
# How long a worker whose database went away waits for it.
JOB_DATABASE_PATIENCE_SECONDS = 120.0
# A wake-up that no worker followed is sent again.
JOB_RESEND_SECONDS = 20.0

# --- The pipeline ---
# One core for each process: frames run side by side, and a laptop stays usable. Libraries read these when they load.
ASTRID_THREADS = env.int("ASTRID_THREADS", default=1)
os.environ.setdefault("NUMBA_NUM_THREADS", str(ASTRID_THREADS))
# Threads share the rows of an image; within one small transform a second thread would only wait.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_name, "1")
ASTRID_DEVICE = env.str("ASTRID_DEVICE", default="cpu")
# Compiled loops are kept beside their source; where the program's folder is not to be written to, in the data root.
NUMBA_CACHE_DIR = env.str("NUMBA_CACHE_DIR", default="")
if not NUMBA_CACHE_DIR and not os.access(BASE_DIR, os.W_OK):
    os.environ["NUMBA_CACHE_DIR"] = NUMBA_CACHE_DIR = str(ASTRID_DATA_ROOT / "compiled")

ASTRID_OUTGOING_HOSTS = env.list("ASTRID_OUTGOING_HOSTS", default=[])
ASTRID_CONTACT = env.str("ASTRID_CONTACT", default="")
ASTRID_ARCHIVE_TOKENS: dict[str, str] = env.dict("ASTRID_ARCHIVE_TOKENS", default={})
ASTRID_WATCH = env.str("ASTRID_WATCH", default="")
ASTRID_WORKERS = env.int("ASTRID_WORKERS", default=min(os.cpu_count() or 1, 4))
# More would take the line from those who look at the pages, and tire the archives that they come from.
ASTRID_DOWNLOADS = env.int("ASTRID_DOWNLOADS", default=4)
ASTRID_DELIVERIES = env.int("ASTRID_DELIVERIES", default=8)
ASTRID_MAIL_FROM, ASTRID_SENDS_MAIL = env.str("ASTRID_MAIL_FROM", default=""), bool(env.str("EMAIL_URL", default=""))
ASTRID_KAFKA_URL = env.str("ASTRID_KAFKA_URL", default="")
ASTRID_MAIL_ALARMS_TO = env.list("ASTRID_MAIL_ALARMS_TO", default=[])
if ASTRID_SENDS_MAIL:
    vars().update(env.email_url("EMAIL_URL"))
ASTRID_STAR_CATALOG = env.str("ASTRID_STAR_CATALOG", default="")
ASTRID_STAR_CATALOG_SERVICE = env.str("ASTRID_STAR_CATALOG_SERVICE", default="https://gaia.ari.uni-heidelberg.de/tap")
ASTRID_STAR_CATALOG_TABLE = env.str("ASTRID_STAR_CATALOG_TABLE", default="gaiadr3.gaia_source")
ASTRID_ORBITS = env.list("ASTRID_ORBITS", default=[])
MLFLOW_TRACKING_URI = env.str("MLFLOW_TRACKING_URI", default="")
ASTRID_TNS_URL = env.str("ASTRID_TNS_URL", default="https://www.wis-tns.org/api").rstrip("/")
ASTRID_MPC_SUBMIT_URL = env.str("ASTRID_MPC_SUBMIT_URL", default="https://minorplanetcenter.net/submit_xml")
ASTRID_MPC_STATUS_URL = env.str("ASTRID_MPC_STATUS_URL", default="https://data.minorplanetcenter.net/api/wamo")
ASTRID_CONTEXT_SERVICES = {k: env.str(f"ASTRID_CONTEXT_{k}_SERVICE", "") for k in ("STAR", "VARIABLE", "GALAXY")}

# The table of the stages, by which they start each other.
STAGES = "astrid_site.night.stages.STAGES"
# How long what is stored is kept: the rules of all apps.
RETENTION = "astrid_site.running.retention.RULES"
# Each has worker processes of its own: no slow server, dead subscriber or long training holds up frames or alerts.
QUEUES = ("pipeline", "light", "downloads", "deliveries", "training")
# Lower apps need not know higher ones: which surveys are hidden from an account, and with them jobs, what of candidates
# is shown to who judges, what the past tells of another configuration, and pages of what jobs are about.
HIDDEN_SURVEYS = "observations.models.surveys.HIDDEN"
HIDDEN_JOBS = "astrid_site.site.hidden_jobs.outside"
HIDDEN_FILES = "astrid_site.site.hidden_jobs.files_outside"
SHOWN_TO_JUDGES = "curation.injected.shown.RULES"
CONFIG_HINDSIGHT = "curation.rates.hindsight.hindsight"
# --- When it is not well: /readyz and the first page tell what took longer than this ---
# Subscribers are to have an alert within a minute of its frame; half of that is the frame's own.
HEALTH_ALERT_SECONDS = env.float("ASTRID_HEALTH_ALERT_SECONDS", default=30.0)
# A probe is sent every 15 s; four of them may be late.
HEALTH_PROBE_SECONDS = env.float("ASTRID_HEALTH_PROBE_SECONDS", default=60.0)
# A job that could run waits, and its queue takes up no other either; what is at work for too long is stopped.
HEALTH_WAIT_SECONDS = waits_of(env, JOB_TIME_LIMIT_SECONDS)
try:
    ASTRID_METRICS_FROM = [ip_network(it) for it in env.list("ASTRID_METRICS_FROM", default=["127.0.0.0/8", "::1"])]
except ValueError as error:
    raise ImproperlyConfigured(f"ASTRID_METRICS_FROM: {error}. Write addresses or networks as 10.0.0.0/8.") from error

CELERY_BEAT_SCHEDULE = beat_of(QUEUES)
