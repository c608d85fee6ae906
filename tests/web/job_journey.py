"""What a test in a browser does with jobs: many at once, the same again, plots of what they used; on any screen."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from sancho_client.calls import jobs
from tests.local.running import speaking
from tests.web.browsing import Grid, axe, picture


def hold_and_release(page: Page) -> None:
    """All that are listed, and all that the search finds."""
    page.get_by_label("Select all").check()
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_text("3 jobs held")).to_be_visible()
    expect(page.get_by_role("button", name="held 3")).to_be_visible()
    page.get_by_label("Select all").check()
    page.get_by_role("button", name="All that is found").click()
    expect(page.get_by_role("dialog")).to_contain_text("account = admin & type = analysis")
    axe(page)
    page.get_by_role("dialog").get_by_role("button", name="Release").click()
    expect(page.get_by_text("3 jobs released")).to_be_visible()


def make_again(page: Page, grid: Grid) -> None:
    """From the page of a file: what its job did is a draft, whose outputs have names of their own."""
    editor = page.get_by_label("Description (YAML or JSON)")
    page.go_back()
    page.get_by_role("link", name="Make again").click()
    expect(editor).to_have_value(re.compile("page:hello-again.txt"))
    endless = editor.input_value().replace("page:hello-again.txt", "page:hello-{number}.txt").replace("go on", "never")
    editor.fill(endless)
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Job")
    page.get_by_role("button", name="Clone").click()
    expect(page.get_by_role("alert")).to_contain_text("page:hello-1.txt")  # two jobs never promise one file
    page.get_by_role("button", name="Kill").click()
    page.get_by_role("dialog").get_by_role("button", name="Kill").click()
    expect(page.get_by_text("1 job killed")).to_be_visible()
    page.get_by_role("button", name="Clone").click()
    expect(page.get_by_text("1 job cloned")).to_be_visible()
    with speaking(grid.home, "belle") as client:
        client.send(jobs.kill(where='name = "hello from the page"'))


def plot(page: Page, grid: Grid, folder: Path) -> None:
    """What was used, as bars, as CSV and as PNG."""
    page.goto(f"{grid.url}/ui/operations?tab=accounting&measure=entries&by=kind&days=7")
    expect(page.locator("canvas")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="attempt")).to_contain_text(re.compile("[1-9]"))
    axe(page)
    picture(page, "web-accounting")
    for name, begins in (("CSV", b"\xef\xbb\xbfday,"), ("PNG", b"\x89PNG")):
        with page.expect_download() as coming:
            page.get_by_role("button", name=f"Save as {name}").click()
        coming.value.save_as(folder / name)
        assert (folder / name).read_bytes().startswith(begins)


def look_on_a_narrow_screen(page: Page, grid: Grid) -> None:
    """Nothing is wider than 380 px."""
    page.set_viewport_size({"width": 380, "height": 700})
    for path in (
        "/ui/",
        "/ui/jobs?state=%5B%22waiting%22%5D&where=name+like+%22%3C*%22",
        "/ui/submit",
        "/ui/no/such/page",
    ):
        page.goto(grid.url + path)
        expect(page.get_by_role("heading").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 380, path
        axe(page)
    page.goto(f"{grid.url}/ui/jobs?where=nonsense")
    expect(page.get_by_role("alert")).to_contain_text("not well-formed")
