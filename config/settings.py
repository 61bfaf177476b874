"""All settings, from the environment; in development also from `.local/`, which `make run` writes."""

from pathlib import Path

import django_stubs_ext
import environ
from django.core.exceptions import ImproperlyConfigured

from config import database, hardening
from core import vault
from core.django import logs

django_stubs_ext.monkeypatch()  # before any model or admin class names its types

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
PRODUCTION = env.bool("PRODUCTION", default=False)
if not PRODUCTION:
    for name in ("dev.env", "run.env"):  # secrets of this machine; where the running demo's exchange answers
        if (BASE_DIR / ".local" / name).exists():
            env.read_env(BASE_DIR / ".local" / name)

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY", default="unset-development-key" * 3)
JWT_TOKEN_SECRET = env("JWT_TOKEN_SECRET", default=SECRET_KEY)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
CREDENTIAL_ENCRYPTION_KEYS = env("CREDENTIAL_ENCRYPTION_KEYS", default="")
CREDENTIAL_ENCRYPTION_KEYS_FILE = env("CREDENTIAL_ENCRYPTION_KEYS_FILE", default="")  # in place of the former

INSTALLED_APPS = [
    "web.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "corsheaders",
    "accounts",
    "credentials",
    "marketdata",
    "orders",
    "portfolio",
    "pipeline",
    "web",
]
MIDDLEWARE = [
    "web.middleware.RequestActor",
    "web.edge.AccessLog",
    "django.middleware.security.SecurityMiddleware",
    "web.edge.SecurityHeaders",
    "csp.middleware.CSPMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "web.edge.BodyLimit",
    "web.middleware.RefusedAccess",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.page_sessions.PageSessions",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "web.edge.PageVisitor",
    "web.edge.RateLimit",
    "web.edge.Unavailable",
    "web.middleware.AdminDoor",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
                "web.context.site",
                "web.context.navigation",
            ]
        },
    }
]

# The role is taken on every connection; `manage.py migrate` alone works as the log-in role.
DATABASES = {"default": env.db("DATABASE_URL", default="postgres:///cgt")}
DATABASES["default"].setdefault("OPTIONS", {})["assume_role"] = "cgt_app"
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Set by config.wsgi and config.celery; people at a terminal wait as long as they like.
PROCESS_KIND = env.str("PROCESS_KIND", default="command")
DATABASES["default"]["OPTIONS"]["options"] = database.options(
    PROCESS_KIND, given=DATABASES["default"]["OPTIONS"].get("options", "")
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env("REDIS_URL", default="redis://127.0.0.1:6379/0")
# How long anybody waits for Redis where the work can go on without it.
REDIS_PATIENCE_SECONDS = env.float("REDIS_PATIENCE_SECONDS", default=0.25)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 600
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

AUTH_USER_MODEL = "accounts.User"
# E-mails are unique by lower case among the living (a constraint of accounts.User), which the check cannot see.
SILENCED_SYSTEM_CHECKS = ["auth.E003"]
LOGIN_URL = "web:login"
LOGIN_REDIRECT_URL = "web:dashboard"
LOGOUT_REDIRECT_URL = "web:login"
CSRF_FAILURE_VIEW = "web.pages.errors.csrf_failure"
PASSWORD_HASHERS = [
    "accounts.hashers.Argon2id",
    "accounts.hashers.Bcrypt",  # read only: log-in upgrades to the first
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SIGN_UP_OPEN = env.bool("SIGN_UP_OPEN", default=True)
# Saving keys needs an address confirmed by mail; off in the demo, where no mail is sent.
VERIFY_EMAIL = env.bool("VERIFY_EMAIL", default=True)
# How long an answer to saving keys waits for a worker's verdict; the check goes on in the background.
KEY_CHECK_SECONDS = env.float("KEY_CHECK_SECONDS", default=10.0)
# How long `?live=true` waits for a worker; 0 turns live reads off.
LIVE_READ_SECONDS = env.float("LIVE_READ_SECONDS", default=10.0)
# How long after showing password and second factor keys, tokens and live trading may be touched.
STEP_UP_MINUTES = env.int("STEP_UP_MINUTES", default=10)
ONE_TIME_TOKEN_MINUTES = 15
# Where mailed links lead; the frontend's address if it is not this server's pages.
_HERE = f"https://{ALLOWED_HOSTS[0].lstrip('.')}" if PRODUCTION and ALLOWED_HOSTS else "http://localhost:8000"
SITE_URL = (env("SITE_URL", default="") or _HERE).rstrip("/")
EMAIL_CONFIG = env.email("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10
# Mail servers are slow; the console, files and tests are not.
MAIL_IN_BACKGROUND = EMAIL_CONFIG["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Crypto Graph Trader <noreply@localhost>")
ACCESS_TOKEN_MINUTES = env.int("ACCESS_TOKEN_MINUTES", default=15)
REFRESH_TOKEN_IDLE_DAYS = 7
SESSION_ABSOLUTE_DAYS = 30
SIMPLE_JWT = {"SIGNING_KEY": JWT_TOKEN_SECRET, "ALGORITHM": "HS256"}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.TokenScope"],
    "DEFAULT_RENDERER_CLASSES": ["core.django.rendering.ExactJSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.django.rendering.Negotiation",
    "DEFAULT_PARSER_CLASSES": ["core.django.rendering.ExactJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.django.problems.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Crypto Graph Trader",
    "DESCRIPTION": "Books of your exchange accounts that prove every number down to the fills.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "OAS_VERSION": "3.1.1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.django.schema.add_common_answers",
    ],
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles" if PRODUCTION else None  # development serves from the sources
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_DAYS * 86_400  # our own rows end it earlier
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION and env.bool("SECURE_SSL_REDIRECT", default=True)
# How many proxies of our own stand in front: that many X-Forwarded-For entries from the right are ours.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=1 if env.bool("BEHIND_PROXY", default=False) else 0)
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
)
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_HANDLERS: list[str] = []  # no form takes a file
# Browsers of these origins may call the API; tokens travel in a header, so no cookie needs to.
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_HEADERS = [
    "accept", "authorization", "content-type", "idempotency-key", "if-none-match", "x-request-id",
]  # fmt: skip
CORS_EXPOSE_HEADERS = [
    "ETag", "Link", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Data-As-Of", "X-Data-Stale",
    "X-Data-Stale-Reason", "X-Data-Grade", "X-Data-Grade-Reasons", "X-Request-ID",
]  # fmt: skip
# Requests of one user, or of one address where nobody is logged in; empty: not counted.
RATE_LIMIT = env.str("RATE_LIMIT", default="600/minute")
# Of one address at each of the routes that take passwords and codes, or send mail.
RATE_LIMIT_SENSITIVE = env.str("RATE_LIMIT_SENSITIVE", default="30/minute")
hardening.refuse_unreadable_rates(RATE_LIMIT=RATE_LIMIT, RATE_LIMIT_SENSITIVE=RATE_LIMIT_SENSITIVE)
SENSITIVE_ROUTES = frozenset(
    (
        "register", "resend-verification", "forgot-password", "reset-password", "change-password", "change-email",
        "log-in", "step-up", "confirm-two-factor", "web:login", "web:login-code", "web:confirm", "web:sign-up",
        "web:forgot-password", "web:reset-password", "web:account-resend", "web:account-email", "admin:login",
    )
)  # fmt: skip

# Where an exchange answers, when not at its own address: "binance=http://127.0.0.1:9001".
EXCHANGE_URLS = env("EXCHANGE_URLS", default="")
# How much of what exchanges allow this installation spends, in percent; 0: nobody counts.
EXCHANGE_BUDGET_PERCENT = env.int("EXCHANGE_BUDGET_PERCENT", default=90)
if not 0 <= EXCHANGE_BUDGET_PERCENT <= 100:
    raise ImproperlyConfigured("EXCHANGE_BUDGET_PERCENT is between 0 and 100.")
# The address exchanges see this host come from: hosts behind another one have allowances of their own.
OUTGOING_ADDRESS = env("OUTGOING_ADDRESS", default="shared")
# Where all workers of all hosts count what they spend, and note who must wait.
EXCHANGE_STATE_URL = env("EXCHANGE_STATE_URL", default=REDIS_URL)
# Which exchange's public prices value everything.
PRICE_EXCHANGE = env("PRICE_EXCHANGE", default="binance")
# Assets that are valued but not traded: they have no book.
CASH_ASSETS = frozenset(
    env.list(
        "CASH_ASSETS",
        default=[
            "USDT",
            "USDC",
            "FDUSD",
            "TUSD",
            "BUSD",
            "USDP",
            "DAI",
            "USD",
            "EUR",
            "GBP",
            "TRY",
            "BRL",
            "AUD",
        ],
    )
)
REPORTING_CURRENCY = "USDT"

LOG_FORMAT = env.str("LOG_FORMAT", default="json" if PRODUCTION else "line")
if LOG_FORMAT not in ("line", "json"):
    raise ImproperlyConfigured("LOG_FORMAT is line (for people) or json (for collectors).")
LOGGING = logs.config(level=env.str("LOG_LEVEL", default="INFO"), lines=LOG_FORMAT)

if CREDENTIAL_ENCRYPTION_KEYS or CREDENTIAL_ENCRYPTION_KEYS_FILE or PRODUCTION:
    try:
        VAULT = vault.KeyRing.load(text=CREDENTIAL_ENCRYPTION_KEYS, path=CREDENTIAL_ENCRYPTION_KEYS_FILE)
    except vault.VaultError as error:
        raise ImproperlyConfigured(str(error)) from None
else:  # a ring that dies with the process: enough for checks that store nothing
    VAULT = vault.KeyRing.parse(f"unset:{vault.generate_key()}")
if PRODUCTION:
    hardening.refuse_unsafe(
        debug=DEBUG,
        secret_key=SECRET_KEY,
        token_secret=JWT_TOKEN_SECRET,
        hosts=ALLOWED_HOSTS,
        origins=[*CORS_ALLOWED_ORIGINS, *CSRF_TRUSTED_ORIGINS],
        exchange_urls=EXCHANGE_URLS,
        site_url=SITE_URL,
        email_backend=EMAIL_CONFIG["EMAIL_BACKEND"],
        database=DATABASES["default"],
    )
