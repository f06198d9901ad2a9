"""Django's settings, all derived from the one configuration."""

from soma.base.crypto import load_or_create_secret
from soma.project.configuration import CONFIGURATION
from soma.project.postgres_location import (
    APP,
    OWNER,
    RETENTION,
    WORKER,
    postgres_location,
    role_password,
)

_LOCATION = postgres_location(CONFIGURATION)

SECRET_KEY = load_or_create_secret(CONFIGURATION.home / "secrets" / "django", size=32).hex()
DEBUG = False
ALLOWED_HOSTS = list(CONFIGURATION.allowed_hosts)

INSTALLED_APPS = [
    "django.contrib.staticfiles",
    "django_htmx",
    "soma.events",
    "soma.identity",
    "soma.policy",
    "soma.fractalmemory",
    "soma.brain",
    "soma.agent",
    "soma.interfaces",
]
DATABASES = {
    "default": _LOCATION.django(APP, role_password(CONFIGURATION, APP)),
    "worker": _LOCATION.django(WORKER, role_password(CONFIGURATION, WORKER)),
    "retention": _LOCATION.django(RETENTION, role_password(CONFIGURATION, RETENTION)),
    "owner": _LOCATION.django(OWNER, role_password(CONFIGURATION, OWNER)),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

ROOT_URLCONF = "soma.project.urls"
ASGI_APPLICATION = "soma.project.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
MIDDLEWARE = [
    "soma.interfaces.http.trace.TraceMiddleware",
]
STATIC_URL = "/static/"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # Every 4xx would be a line; our own problem details and metrics tell of them.
    "loggers": {"soma": {"level": "INFO"}, "django.request": {"level": "ERROR"}},
}
