"""What a VO has added to the page, in a browser: it appears, gets what it declares, and reaches nothing else."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.web.browsing import PATIENCE, ROOT, Grid, axe, picture

EXAMPLE = ROOT / "docs" / "examples" / "progress"
HOSTILE_ONE = Path(__file__).parent / "hostile"


@contextmanager
def added(home: Path, vo: str, source: Path) -> Iterator[None]:
    """Let a VO have an extension while the block runs: other tests take pictures of pages without one."""
    folder = home / "extensions" / vo / source.name
    shutil.copytree(source, folder)
    try:
        yield
    finally:
        shutil.rmtree(folder)


def use_the_example(page: Page, grid: Grid) -> None:
    """A panel of a job shows what it was given, in the page's colours, and leads to a list when somebody clicks."""
    page.goto(f"{grid.url}/ui/jobs/{grid.waiting}")
    panel = page.frame_locator("iframe[title=Progress]")
    expect(panel.get_by_role("status")).to_contain_text("1 job", timeout=PATIENCE)
    expect(panel.get_by_role("listitem")).to_contain_text("waiting")
    expect(page.locator("iframe[title=Progress]")).to_have_attribute("sandbox", "allow-scripts")
    page.emulate_media(color_scheme="dark")
    expect(panel.locator("body")).to_have_css("color", "rgb(228, 233, 240)")
    page.emulate_media(color_scheme="light")
    axe(page)
    picture(page, "web-extension")
    panel.get_by_role("button", name="waiting").click()
    expect(page).to_have_url(re.compile(r"/ui/jobs\?everybody=true&where=submission"))
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Progress", exact=True).click()
    expect(panel.get_by_role("status")).to_contain_text("Jobs of admin", timeout=PATIENCE)
    page.set_viewport_size({"width": 380, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    axe(page)


def suffer_the_hostile(page: Page, grid: Grid) -> None:
    """What it must not do it does not, and when it leads its frame away, it takes nothing along."""
    # Whoever looks into a page by the driver passes for somebody who has clicked: it has to speak by itself.
    with page.expect_console_message(lambda one: one.text.startswith("tried "), timeout=PATIENCE) as said:
        page.goto(f"{grid.url}/ui/x/hostile")
    results: dict[str, Any] = json.loads(said.value.text.removeprefix("tried "))
    frame = page.frame_locator("iframe.extension")
    assert results.pop("inline") == "Hostile"
    assert results.pop("popup") == "null"
    assert {name: result for name, result in results.items() if not result.startswith("refused: ")} == {}
    codes = {name: results[name].removeprefix("refused: ") for name in results}
    assert (codes["undeclared"], codes["disguised"], codes["flood"]) == ("not_declared", "another_route", "too_many")
    assert (codes["outside"], codes["unwanted"]) == ("no_such_page", "not_wanted")
    assert page.locator("img").count() == 0
    address = page.locator("iframe.extension").get_attribute("src")
    frame.get_by_role("button", name="Leave").click()
    expect(page.get_by_text("has left its place")).to_be_visible()
    expect(page).to_have_url(f"{grid.url}/ui/x/hostile")
    page.goto(f"{grid.url}{address}")
    assert page.evaluate("self.origin") == "null"
