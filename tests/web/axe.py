"""axe-core on a page of the browser tests."""

from pathlib import Path
from typing import Final

from tests.web.browser import Visit

_AXE: Final = Path(__file__).parent / "vendor/axe-core@4.14.1/axe.min.js"
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def faults(at: Visit) -> list[str]:
    """What breaks the rules of WCAG 2.2 AA on the page as it is."""
    at.page.evaluate(_AXE.read_text())
    result = at.page.evaluate("(rules) => axe.run({runOnly: {type: 'tag', values: rules}})", _RULES)
    return [
        f"{fault['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for fault in result["violations"]
        for node in fault["nodes"]
    ]
