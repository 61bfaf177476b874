"""The WSGI application. Refuses to serve with a database role that row-level security does not bind."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("PROCESS_KIND", "web")
application = get_wsgi_application()

from core.django import roles  # noqa: E402  (needs the apps)

roles.verify()
