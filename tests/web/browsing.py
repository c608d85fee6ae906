"""What tests in a browser do again and again: log in, look for what keeps people out, keep a picture."""

import base64
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

ROOT = Path(__file__).parents[2]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
IMAGES = ROOT / "docs" / "images"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PATIENCE = 60_000
WIDE: ViewportSize = {"width": 1280, "height": 800}
HOSTILE = "<img src=x onerror=alert(1)>\u202etxt.exe" + "x" * 60


@dataclass(frozen=True)
class Grid:
    """A grid that runs, and a job that cannot, with a name that means something to a browser."""

    url: str
    password: str
    home: Path
    waiting: int


@dataclass(frozen=True)
class Sessions:
    """Browsers of people who have logged in, one a VO: a login through the page costs more than most tests."""

    browser: Browser
    grid: Grid
    contexts: dict[str, BrowserContext] = field(default_factory=dict[str, BrowserContext])

    def visit(self, vo: str, path: str = "/ui/") -> Page:
        """A new page of the administrator of a VO, who logs in when it is the first one."""
        context = self.contexts.get(vo)
        if context is None:
            self.contexts[vo] = context = self.browser.new_context(viewport=WIDE)
            return log_in(context, self.grid, vo, path)
        page = begin(context)
        page.goto(self.grid.url + path)
        return page

    def leave(self) -> None:
        """Close the pages, and stay logged in."""
        for context in self.contexts.values():
            for page in context.pages:
                page.close()


def begin(context: BrowserContext) -> Page:
    """An empty page; what its console says against it fails the test."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: pytest.fail(f"the page has a fault: {error}"))
    return page


def log_in(context: BrowserContext, grid: Grid, vo: str, path: str = "/ui/") -> Page:
    """A page of somebody who has logged in by it."""
    page = begin(context)
    page.goto(grid.url + path)
    expect(page.get_by_role("heading", name="Sign in to Sancho")).to_be_visible()
    axe(page)
    picture(page, "web-sign-in")
    fill_in(page, grid, vo)
    return page


def fill_in(page: Page, grid: Grid, vo: str) -> None:
    """Log in as the administrator of a VO, by the page's question and the login page."""
    page.get_by_label("Virtual organisation").fill(vo)
    page.get_by_role("button", name="Continue").click()
    page.locator("[name=account]").fill("admin")
    page.locator("[name=password]").fill(grid.password)
    page.get_by_role("button", name="Log in").first.click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


IN_THE_DARK: set[str] = set()
"""Pages whose contrast has been looked at in the dark."""


def axe(page: Page) -> None:
    """Nothing keeps people out, by the rules of WCAG 2.2 AA; contrast in the dark as well, once a kind of page."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    looks: list[tuple[Literal["dark", "light"], list[str]]] = [("dark", ["color-contrast"]), ("light", RULES)]
    kind = re.sub(r"\d+", "N", urlsplit(page.url).path + page.locator("h1").inner_text())
    if kind in IN_THE_DARK:
        del looks[0]
    IN_THE_DARK.add(kind)
    for scheme, rules in looks:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        options = json.dumps({"runOnly": rules, "resultTypes": ["violations"]})
        found: Any = page.evaluate(f"axe.run(document, {options})")
        said = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found["violations"]]
        assert said == [], (page.url, scheme)


LOADED = """
() => performance.getEntriesByType("resource")
  .filter((one) => new URL(one.name).pathname.startsWith("/ui/assets/"))
  .reduce((sum, one) => sum + one.encodedBodySize, 0)
"""


def weight(page: Page) -> int:
    """How many bytes of the page's own files this tab has loaded, as they came."""
    size: int = page.evaluate(LOADED)
    return size


SMALLER = """
async (png) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/webp", 0.8).split(",")[1];
}
"""
"""The browser itself makes a picture a third of its size."""


def picture(page: Page, name: str) -> None:
    """Keep a picture for the documentation, if it has none: to renew it, delete the file."""
    path = IMAGES / f"{name}.webp"
    if path.exists():
        return
    path.parent.mkdir(exist_ok=True)
    taken = base64.b64encode(page.screenshot()).decode()
    blank = page.context.new_page()
    path.write_bytes(base64.b64decode(blank.evaluate(SMALLER, taken)))
    blank.close()
