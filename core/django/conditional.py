"""Answers that a poller need not read twice: an ETag from a cheap version, 304 before the heavy queries."""

import hashlib
from typing import Any, Final

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from rest_framework.request import Request

# Kept by the client alone, and asked for again each time.
HEADERS: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}


def etag(*parts: Any) -> str:
    """A strong tag of everything an answer depends on."""
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'


def not_modified(request: Request, tag: str) -> HttpResponse | None:
    """The 304 for a client that has this version already."""
    answer = get_conditional_response(request._request, etag=tag)
    return answer if answer is not None and answer.status_code == 304 else None
