# One image for web, worker and beat; the command decides. Servers are not in it (see docker-compose.yml).
FROM python:3.13-slim AS build
WORKDIR /app
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements/base.txt requirements/base.txt
RUN python -m venv /venv && /venv/bin/pip install --require-hashes -r requirements/base.txt

FROM python:3.13-slim
WORKDIR /app
RUN useradd --system --uid 10001 --home-dir /app cgt
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PRODUCTION=1 DJANGO_SETTINGS_MODULE=config.settings
COPY --from=build /venv /venv
COPY . .
# Throw-away secrets: collecting static files reads settings, and none of these are kept.
RUN SECRET_KEY=$(python -c "import secrets; print(secrets.token_urlsafe(64))") \
    JWT_TOKEN_SECRET=$(python -c "import secrets; print(secrets.token_urlsafe(64))") \
    CREDENTIAL_ENCRYPTION_KEYS=build:$(python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())") \
    ALLOWED_HOSTS=build EMAIL_URL=dummymail:// DATABASE_URL=postgres:///build REDIS_URL=redis://build \
    python manage.py collectstatic --noinput --verbosity 0
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(urllib.request.Request('http://127.0.0.1:8000/health/live', headers={'X-Forwarded-Proto': 'https', 'Host': os.environ['ALLOWED_HOSTS'].split(',')[0].strip().lstrip('.')}), timeout=4)"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "8", "--no-ws", "config.wsgi:application"]
