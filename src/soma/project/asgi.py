"""The ASGI application. The runtime is started and stopped by whoever runs the server (`somagent up`)."""

import os

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

from soma.interfaces.http.guard import Guard
from soma.interfaces.http.headers import SecurityHeaders
from soma.interfaces.http.measured import Measured
from soma.interfaces.http.rates import RateHeaders

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soma.project.settings")

application = Measured(SecurityHeaders(RateHeaders(Guard(ASGIStaticFilesHandler(get_asgi_application())))))
