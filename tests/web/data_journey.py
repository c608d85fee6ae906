"""What a test in a browser does with data: upload, rule, second copy, download; and what is shown harmless."""

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import FilePayload, Page, expect

from sancho_client.calls import jobs, metadata, rules
from sancho_client.models.jobs import JobDescription, Requirements
from tests.local.running import speaking
from tests.web.browsing import HOSTILE, PATIENCE, Grid, axe, picture

DOCUMENTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("MetadataKey", "stream", {"kind": "text", "vocabulary": ["physics", "cosmic"], "description": "What it is for"}),
    ("MetadataKey", "energy", {"kind": "number", "unit": "GeV", "minimum": 0}),
    ("MetadataKey", "note", {"kind": "text", "description": HOSTILE}),
    ("Quota", "admins", {"account": "admin", "rse_expression": "*", "size": "100 MB"}),
)
"""What the journey needs of the VO's configuration: kind, name and what is said of it."""
PLOT = b"a plot\n" * 1000


def upload(page: Page) -> None:
    """Two files into a dataset, under a rule for two copies; a file's name may be anything."""
    expect(page.get_by_role("link", name="page", exact=True)).to_be_visible()
    axe(page)
    page.get_by_role("link", name="Upload files").click()
    files: list[FilePayload] = [
        {"name": "my plot.txt", "mimeType": "text/plain", "buffer": PLOT},
        {"name": "<script>alert(1)</script>\u202e.root", "mimeType": "", "buffer": b""},
    ]
    page.get_by_label("Files of this computer").set_input_files(files)
    page.get_by_label("Folder").fill("plots")
    page.get_by_label("Into this dataset").fill("page:plots")
    page.get_by_text("A rule for them").click()
    page.get_by_label("Where: an RSE expression").fill("*")
    page.get_by_label("Copies").fill("2")
    axe(page)
    page.route(re.compile(r"/belle/page/"), lambda route: route.abort())  # the storage is away
    page.get_by_role("button", name="Upload 2 files, 7.00 kB").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached from this browser")
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="2 files are in the catalogue")).to_be_visible(timeout=PATIENCE)


def watch_the_second_copy(page: Page) -> None:
    """The rule goes on by itself, and so does the matrix: nobody loads the page again."""
    expect(page.get_by_text("4 there")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".rule .state")).to_have_text("ok")
    axe(page)
    page.get_by_role("link", name="Show the dataset").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("page:plots")
    expect(page.get_by_role("img", name="available")).to_have_count(4)
    axe(page)
    picture(page, "web-dataset")


def ask_for_another_rule(page: Page) -> None:
    """Beside the form stands what would come of the rule, a refusal included; then it is made, and withdrawn."""
    page.get_by_role("link", name="New rule").click()
    foreseen = page.get_by_role("region", name="What would come of it")
    page.get_by_label("Where: an RSE expression").fill("*")
    page.get_by_label("Copies").fill("3")
    expect(foreseen).to_contain_text("Copies that could be placed: 2")
    page.get_by_label("Copies").fill("2")
    expect(foreseen).to_contain_text("nothing: all of it is there")
    expect(foreseen).to_contain_text("Quota admins")
    axe(page)
    picture(page, "web-rule")
    page.get_by_label("Copies").fill("1")
    page.get_by_label("For how long").fill("1 d")
    page.get_by_role("button", name="Make the rule").click()
    expect(page.locator(".rule")).to_have_count(2)
    expect(page.locator(".rule").first).to_contain_text("until")
    page.get_by_role("button", name="Withdraw").first.click()
    axe(page)
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(page.locator(".rule")).to_have_count(1)
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("withdrawn", exact=True)).to_be_visible()
    axe(page)


def download(page: Page, folder: Path) -> None:
    """The browser gets the very bytes from a storage, by a signed URL."""
    page.get_by_role("link", name="Contents and replicas").click()
    page.get_by_role("link", name="plots/my_plot.txt").click()
    expect(page.get_by_role("region", name="Replicas")).to_contain_text("available")
    axe(page)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download").click()
    coming.value.save_as(folder / "plot.txt")
    assert (folder / "plot.txt").read_bytes() == PLOT


def find(page: Page, grid: Grid) -> None:
    """By its path, and by what it says; the URL has the search."""
    page.get_by_role("link", name="/belle/page/plots/").click()
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("navigation", name="Where this is").get_by_role("link", name="page").click()
    page.get_by_role("row").filter(has=page.get_by_role("img", name="dataset")).get_by_role("link").click()
    page.get_by_role("link", name="Metadata").click()
    page.get_by_label("Say more").select_option("energy")
    page.get_by_label("energy", exact=True).fill("-1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("energy")
    page.get_by_label("energy", exact=True).fill("10.58")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("10.58 GeV")).to_be_visible()
    page.get_by_label("Say more").select_option("stream")
    page.get_by_label("stream", exact=True).select_option("physics")
    axe(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("What it is for")).to_be_visible()
    page.goto(f"{grid.url}/ui/data/search")
    page.get_by_role("button", name="physics").click()
    page.get_by_label("Search for data").fill("energy > 10")
    page.get_by_role("button", name="Find").click()
    expect(page).to_have_url(re.compile("stream%3Dphysics"))
    expect(page.get_by_role("row")).to_have_count(2)
    axe(page)
    page.get_by_label("Search for data").fill("energy >")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("alert")).to_be_visible()


def say_hostile_things(page: Page, grid: Grid) -> None:
    """Metadata, comments and jobs of others are text, and no more of it than fits."""
    note = "<script>document.title='owned'</script>\u202e" + "y" * 440
    needs = Requirements(tags=["nobody-has-this"])
    reader = JobDescription(name=HOSTILE, command=["true"], inputs=["page:plots"], requirements=needs)
    with speaking(grid.home, "belle") as client:
        client.send(metadata.describe({"page:plots": {"note": note}}))
        client.send(rules.create("page:plots", "disk-a", comment=HOSTILE))
        client.send(jobs.submit(reader, anyway=True))
    page.goto(f"{grid.url}/ui/data/did?did=page%3Aplots&tab=metadata")
    expect(page.get_by_text("<script>document.title")).to_contain_text("</script>\ufffdyyy")
    assert len(page.locator(".value bdi").filter(has_text="script").inner_text()) < 510
    page.get_by_role("link", name="Rules").click()
    expect(page.get_by_text("<img src=x onerror=alert(1)>\ufffdtxt.exe")).to_be_visible()
    page.get_by_role("link", name="Provenance").click()
    readers = page.get_by_role("region", name="Read by jobs")
    expect(readers.get_by_role("link")).to_have_count(2)
    expect(readers).to_contain_text("\ufffdtxt.exe")
    axe(page)
    assert (page.locator("img").count(), page.title()) == (0, "Sancho")
    page.goto(f"{grid.url}/ui/data/did?did=%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    expect(page.get_by_role("alert")).to_be_visible()


def look_on_a_narrow_screen(page: Page, grid: Grid) -> None:
    """Nothing is wider than 380 px."""
    page.set_viewport_size({"width": 380, "height": 700})
    paths = ("/ui/data", "/ui/data/search", "/ui/data/did?did=page%3Aplots", "/ui/data/rule?did=page%3Aplots")
    for path in paths:
        page.goto(grid.url + path)
        expect(page.get_by_role("heading").first).to_be_visible()
        expect(page.get_by_text("Loading …")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= 380, path
    axe(page)
