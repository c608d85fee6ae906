"""The page in a real browser, on a real grid: log in, submit, watch, explain, look at what came out, download it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from sancho.local import control
from sancho.web import service
from sancho_client.calls import configuration, identity, jobs, topology
from sancho_client.models.configuration import Document
from sancho_client.models.jobs import JobDescription, Requirements
from tests.local.running import free_port, said, scratch_home, speaking
from tests.realparts.parts import lack, need
from tests.web import data_journey, extension_journey, gallery, job_journey
from tests.web.browsing import HOSTILE, IMAGES, PATIENCE, WIDE, Grid, Sessions, axe, fill_in, log_in, picture, weight

pytestmark = [pytest.mark.realparts, pytest.mark.xdist_group("browser")]

DESCRIPTION = """\
name: hello from the page
command: [sh, -c, 'echo made by job $SANCHO_JOB_ID | tee hello.txt']
outputs:
  - {path: hello.txt, did: "page:hello.txt"}
"""


@pytest.fixture(scope="module")
def grid() -> Iterator[Grid]:
    if not service.built():
        lack("the web page has not been built: `make web`")
    with scratch_home() as scratch:
        Path(scratch).chmod(0o711)
        home = Path(scratch) / "grid"
        try:
            up = said("up", "--home", str(home), "--port", str(free_port()), "--vo", "belle", "gridpp")
            begun = [
                Document.model_validate({"kind": kind, "vo": "belle", "name": name, "spec": spec})
                for kind, name, spec in (("Scope", "page", {"account": "admin"}), *data_journey.DOCUMENTS)
            ]
            needs = Requirements(tags=["nobody-has-this"])
            odd = JobDescription(name=HOSTILE, command=["true"], requirements=needs)
            others = [
                JobDescription(name=f"{kind} 2026-{n}", type=kind, command=["true"], requirements=needs)
                for n in range(1, 4) for kind in ("simulation", "analysis")
            ]  # fmt: skip
            with speaking(home, "belle") as client:
                client.send(configuration.apply(begun, comment="for the page"))
                for one in others:
                    client.send(jobs.submit(one, anyway=True))
                (waiting,) = client.send(jobs.submit(odd, anyway=True)).job_ids
            yield Grid(url=up["url"], password=up["password"], home=home, waiting=waiting)
        finally:
            control.stop(home)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = need("chromium", "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def sessions(browser: Browser, grid: Grid) -> Sessions:
    return Sessions(browser, grid)


@pytest.fixture
def visit(sessions: Sessions) -> Iterator[Callable[..., Page]]:
    yield sessions.visit
    sessions.leave()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """The browser of somebody who has not logged in."""
    with browser.new_context(viewport=WIDE) as context:
        yield context


def test_from_a_login_to_a_file_that_a_job_made(visit: Callable[..., Page], grid: Grid, tmp_path: Path) -> None:
    page = visit("belle", "/ui/submit")
    expect(page).to_have_url(f"{grid.url}/ui/submit")
    editor = page.get_by_label("Description (YAML or JSON)")
    editor.fill(DESCRIPTION)
    page.get_by_label("Memory").fill("500 MB")
    expect(editor).to_have_value(re.compile("memory: 500 MB"))
    axe(page)
    picture(page, "web-submit")
    gate = grid.home.parent / "go on"
    until = f'tee hello.txt; until [ -e "{gate}" ]; do sleep 0.2; done; echo that was all'
    editor.fill(editor.input_value().replace("tee hello.txt", until))
    page.get_by_role("button", name="Submit", exact=True).click()

    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("Job")
    axe(page)
    page.get_by_role("link", name="Log", exact=True).click()
    expect(page.locator("pre")).to_contain_text("made by job", timeout=PATIENCE)  # while it runs
    expect(heading).to_contain_text("running")
    gate.touch()
    expect(heading).to_contain_text("done", timeout=PATIENCE)  # told by an event: nobody loads the page again
    expect(page.locator("pre")).to_contain_text("that was all", timeout=PATIENCE)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download stdout, stderr").click()
    assert coming.value.path().read_bytes()
    for tab in ("Attempts", "History", "Description", "Inputs and outputs"):
        page.get_by_role("link", name=tab).click()
        axe(page)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download page:hello.txt").click()
    coming.value.save_as(tmp_path / "hello.txt")
    assert (tmp_path / "hello.txt").read_text().startswith("made by job")
    page.get_by_role("link", name="page:hello.txt").click()
    page.get_by_role("link", name="Provenance").click()
    made_by = page.get_by_role("region", name="Made by jobs")
    made_by.get_by_role("link").first.click()
    expect(heading).to_contain_text("Job")

    job_journey.make_again(page, grid)
    job_journey.plot(page, grid, tmp_path)


def test_a_job_that_waits_is_explained_and_its_name_does_no_harm(visit: Callable[..., Page], grid: Grid) -> None:
    page = visit("belle")
    expect(page.get_by_role("link", name="7 waiting or held")).to_be_visible()
    assert 50_000 < weight(page) <= 400_000
    axe(page)
    page.keyboard.press("/")
    page.get_by_label("A job, a file, a dataset").fill(f"#{grid.waiting}")
    hit = page.get_by_role("dialog").get_by_role("link")
    expect(hit).to_contain_text("\ufffdtxt.exe")
    axe(page)
    picture(page, "web-finder")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{grid.url}/ui/jobs/{grid.waiting}")
    page.get_by_role("link", name="Jobs", exact=True).click()
    row = page.get_by_role("row").filter(has_text="onerror")
    expect(row).to_contain_text("<img src=x onerror=alert(1)>\ufffdtxt.exe")
    assert page.locator("img").count() == 0
    axe(page)
    picture(page, "web-jobs")
    page.get_by_role("group", name="Type").get_by_role("button", name="analysis").click()
    expect(page).to_have_url(f"{grid.url}/ui/jobs?owner=admin&type=analysis")
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_role("button", name="Save this search").click()
    page.get_by_label("Name of the view").fill("analysis-of-mine")
    axe(page)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Clear filters").click()
    expect(row).to_be_visible()
    page.get_by_label("Views").select_option("analysis-of-mine")
    expect(page.get_by_role("row")).to_have_count(4)
    job_journey.hold_and_release(page)
    page.get_by_role("button", name="Clear filters").click()
    row.get_by_role("link").click()
    why = page.get_by_role("region", name="Why it is so")
    expect(why).to_contain_text("nobody-has-this")
    axe(page)
    picture(page, "web-job")
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("held")
    page.get_by_role("button", name="Undo").last.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("waiting")
    page.get_by_role("button", name="Clone").click()
    expect(page.get_by_role("alert")).to_contain_text("site")  # none can run it, and it says so
    page.get_by_role("button", name="Kill").click()
    axe(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_visible()
    job_journey.look_on_a_narrow_screen(page, grid)


def test_from_an_upload_to_a_second_copy_that_is_downloaded(
    visit: Callable[..., Page], grid: Grid, tmp_path: Path
) -> None:
    page = visit("belle", "/ui/data")
    data_journey.upload(page)
    data_journey.watch_the_second_copy(page)
    data_journey.ask_for_another_rule(page)
    data_journey.download(page, tmp_path)
    data_journey.find(page, grid)
    data_journey.say_hostile_things(page, grid)
    data_journey.look_on_a_narrow_screen(page, grid)


def test_a_downtime_is_announced_seen_by_who_uses_it_and_ended(visit: Callable[..., Page], grid: Grid) -> None:
    page = visit("instance", "/ui/operations")
    site, ce = (page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=n)) for n in ("site-b", "ce-b"))
    expect(ce).to_contain_text("in use")
    page.get_by_role("button", name="Announce downtime of site-b").click()
    page.get_by_label("Reason").fill("<b>new cooling</b>")
    axe(page)
    page.get_by_role("button", name="Begin now").click()
    expect(ce).to_contain_text("with its site")
    expect(site).to_contain_text("<b>new cooling</b>")
    axe(page)
    picture(page, "web-operations")
    with speaking(grid.home, "belle") as client:
        assert not client.send(topology.site("site-b")).enabled
    page.get_by_role("button", name="End the downtime of site-b").click()
    expect(ce).to_contain_text("in use")
    expect(site).not_to_contain_text("cooling")

    page.set_viewport_size({"width": 380, "height": 700})
    for tab, shows in (("Pilots", "Efficiency"), ("Transfers", "Nothing moved"), ("Quotas and usage", "By RSE")):
        page.get_by_role("link", name=tab).click()
        expect(page.get_by_text(shows, exact=True).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 380, tab
        axe(page)


def test_an_administrator_makes_suspends_and_changes_an_account_and_goes_back(
    visit: Callable[..., Page], grid: Grid
) -> None:
    page = visit("belle", "/ui/admin")
    page.get_by_role("button", name="Add account").click()
    page.get_by_label("Name", exact=True).fill("dora")
    page.get_by_label("Mail address").fill("dora@example.org")
    axe(page)
    page.get_by_role("button", name="Save").click()
    dora = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="dora"))
    expect(dora).to_contain_text("users")
    page.get_by_role("button", name="Suspend dora").click()
    expect(dora).to_contain_text("suspended")
    page.get_by_role("button", name="Undo").last.click()
    expect(dora).to_contain_text("active")
    page.get_by_role("button", name="Edit account dora").click()
    page.get_by_role("dialog").get_by_label("users").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(dora).not_to_contain_text("users")
    page.get_by_label("Account", exact=True).fill("dora")
    page.get_by_label("Permission", exact=True).fill("rules:create")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_text("not allowed")).to_be_visible()
    axe(page)

    page.get_by_role("link", name="Configuration").click()
    versions = page.get_by_role("navigation", name="Versions").get_by_role("link")
    expect(page.get_by_role("deletion")).to_contain_text('["users"]')
    versions.nth(1).click()
    axe(page)
    page.get_by_role("button", name="Go back to it").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("insertion")).to_contain_text('["users"]')
    axe(page)
    dialog.get_by_role("button", name="Go back to it").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("insertion")).to_contain_text('["users"]')
    page.set_viewport_size({"width": 380, "height": 700})
    for tab, shows in (("Audit log", "configuration:apply"), ("VO", "What belle needs")):
        page.get_by_role("link", name=tab, exact=True).click()
        expect(page.get_by_text(shows).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 380, tab
        axe(page)


def test_a_session_outlives_a_reload_keeps_work_when_it_ends_and_is_gone_after_signing_out(
    context: BrowserContext, grid: Grid
) -> None:
    page = log_in(context, grid, "belle", "/ui/submit")
    assert page.evaluate("document.cookie") == ""
    page.reload()
    editor = page.get_by_label("Description (YAML or JSON)")
    editor.fill("name: half written\ncommand: [sleep, 1s]\nrequirements: {tags: [nobody-has-this]}\n")
    with speaking(grid.home, "belle") as client:
        mine = [one for one in client.send(identity.logins()) if one.client == "sancho-web"]
        client.send(identity.end_login(max(mine, key=lambda one: one.began_at).login_id))
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("heading", name="Your session has ended")).to_be_visible()
    axe(page)
    fill_in(page, grid, "belle")
    expect(page).to_have_url(f"{grid.url}/ui/submit")
    expect(editor).to_have_value(re.compile("half written"))
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("site")  # none can run it, and it says so

    context.set_offline(True)
    page.get_by_role("link", name="Jobs", exact=True).click()
    expect(page.get_by_text("may be old").first).to_be_visible()
    context.set_offline(False)
    expect(page.get_by_role("table")).to_be_visible()
    expect(page.get_by_text("may be old")).to_have_count(0)

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to Sancho")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Sign in to Sancho")).to_be_visible()


def test_what_a_vo_adds_to_the_page_gets_what_it_declares_and_no_more(visit: Callable[..., Page], grid: Grid) -> None:
    page = visit("belle")
    with extension_journey.added(grid.home, "belle", extension_journey.EXAMPLE):
        extension_journey.use_the_example(page, grid)
        other = visit("gridpp", "/ui/x/progress")
        expect(other.get_by_text("has added no page")).to_be_visible()
        expect(other.get_by_role("link", name="Progress")).to_have_count(0)
    with extension_journey.added(grid.home, "belle", extension_journey.HOSTILE_ONE):
        extension_journey.suffer_the_hostile(page, grid)


def test_a_vo_is_shown_nothing_of_another(visit: Callable[..., Page], grid: Grid) -> None:
    page = visit("gridpp", "/ui/jobs?everybody=true")
    expect(page.get_by_role("heading", name="No jobs yet")).to_be_visible()
    axe(page)
    page.goto(f"{grid.url}/ui/jobs/{grid.waiting}")
    expect(page.get_by_role("alert")).to_contain_text("does not exist")
    page.goto(f"{grid.url}/ui/data/did?did=page%3Aplots")
    expect(page.get_by_role("alert")).to_contain_text("does not exist")
    assert "onerror" not in page.content()
    page.keyboard.press("Control+k")
    page.get_by_label("A job, a file, a dataset").fill(f"#{grid.waiting}")
    expect(page.get_by_text("There is nothing like this")).to_be_visible()
    for path, shows in (("/ui/", "No jobs yet"), ("/ui/admin?tab=audit", "tokens:issue"), ("/ui/admin", "What groups")):
        page.goto(grid.url + path)
        expect(page.get_by_text(shows).first).to_be_visible()
        assert re.findall(r".*\b(?:onerror|belle|dora)\b.*", page.content()) == [], path


def test_every_screen_has_a_picture(sessions: Sessions, grid: Grid) -> None:
    gallery.take(sessions, grid)
    sessions.leave()
    assert {f"{one.name}.webp" for one in gallery.SCREENS} <= {path.name for path in IMAGES.iterdir()}
