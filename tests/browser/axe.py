"""Runs axe-core on the page: what is wrong for people with a screen reader, a keyboard or large print."""

from __future__ import annotations

import functools
import json

from chromium import ROOT
from page import Page

_SOURCE = ROOT / "locust_c" / "web" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"

#: What counts; `minor` and `moderate` are advice.
_IMPACTS = ("serious", "critical")

_RUN = """
const done = arguments[0];
axe.run(document, {resultTypes: ["violations"]}).then(
  ({violations}) => done(violations.map(({id, impact, help, nodes}) => (
    {id, impact, help, nodes: nodes.map(({html, failureSummary}) => `${html}\\n      ${failureSummary}`)}))),
  (error) => done(String(error)),
);
"""


@functools.cache
def _source() -> str:
    return _SOURCE.read_text()


def findings(page: Page) -> list[str]:
    """What is seriously wrong with the page as it is shown now, in words."""
    page.settled()
    if not page.script("return 'axe' in window"):
        # Not a script element, which the page's content security policy refuses.
        page.chromium.cdp("Runtime.evaluate", expression=_source())
    found = page.driver.execute_async_script(_RUN)
    assert isinstance(found, list), f"axe: {found}"
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}\n    {json.dumps(rule['nodes'][:3], indent=4)}"
        for rule in found
        if rule["impact"] in _IMPACTS
    ]
