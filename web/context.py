"""What every template may know of the server."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, bool]:
    return {"sign_up_open": settings.SIGN_UP_OPEN, "asks_for_verification": settings.VERIFY_EMAIL}
