"""Settings, URLs, Celery and its beat schedule."""

from core.money import use_exact_context

use_exact_context()
