"""Takes the README's pictures from a running demo: `.venv/bin/python docs/screenshots.py URL EMAIL PASSWORD`.

Needs chromium (`CHROMIUM`, else /usr/bin/chromium) and requirements/browser.txt.
"""

import os
import sys
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import sync_playwright

IMAGES: Final = Path(__file__).parent / "images"
LARGEST: Final = 300 * 1024
FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")
_DESKTOP: Final = {"width": 1280, "height": 1440}
_PHONE: Final = {"width": 390, "height": 844}
SHOTS: Final[dict[str, dict[str, Any]]] = {
    "dashboard-light.png": {"viewport": _DESKTOP, "color_scheme": "light"},
    "dashboard-dark.png": {"viewport": _DESKTOP, "color_scheme": "dark"},
    "phone.png": {"viewport": _PHONE, "color_scheme": "light", "device_scale_factor": 2},
}


def main(url: str, email: str, password: str) -> int:
    """Writes the pictures; answers 1 when one is larger than the repository wants."""
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        for name, options in SHOTS.items():
            context = browser.new_context(locale="en-GB", **options)
            _shoot(context.new_page(), url.rstrip("/"), email, password, IMAGES / name)
            context.close()
        browser.close()
    large = [name for name in SHOTS if (IMAGES / name).stat().st_size > LARGEST]
    for name in SHOTS:
        print(f"{name}: {(IMAGES / name).stat().st_size // 1024} KB")  # noqa: T201  (a command's answer)
    return 1 if large else 0


def _shoot(page: Any, url: str, email: str, password: str, target: Path) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.locator("#equity-chart canvas").first.wait_for(timeout=120_000)  # the first sync may be under way
    page.wait_for_timeout(1_500)
    page.screenshot(path=str(target))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
