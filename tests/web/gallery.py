"""A picture of every screen, for the gallery of the documentation: made where it lacks, so most runs make none."""

from dataclasses import dataclass

from playwright.sync_api import expect

from sancho_client.calls import jobs
from tests.local.running import speaking
from tests.web.browsing import IMAGES, PATIENCE, WIDE, Grid, Sessions, picture


@dataclass(frozen=True)
class Screen:
    """A page of an administrator of belle, to be taken once it shows what it should."""

    name: str
    path: str
    shows: str
    dark: bool = False
    narrow: bool = False


SCREENS = (
    Screen("web-home", "/", "jobs changed", dark=True),
    Screen("web-home-narrow", "/", "jobs changed", narrow=True),
    Screen("web-jobs-narrow", "/jobs?everybody=true", "hello from the page", narrow=True),
    Screen("web-log", "/jobs/{job}?tab=log", "made by job"),
    Screen("web-outputs", "/jobs/{job}?tab=files", "page:hello.txt"),
    Screen("web-attempts", "/jobs/{job}?tab=attempts", "site-"),
    Screen("web-browse", "/data?path=%2Fbelle%2Fpage", "plots"),
    Screen("web-search", "/data/search?where=stream%3Dphysics", "page:plots"),
    Screen("web-file", "/data/did?did=page%3Aplots%2Fmy_plot.txt", "disk-"),
    Screen("web-metadata", "/data/did?did=page%3Aplots&tab=metadata", "energy"),
    Screen("web-provenance", "/data/did?did=page%3Ahello.txt&tab=provenance", "Made by jobs", dark=True),
    Screen("web-upload", "/data/upload?dataset=page%3Aplots", "Files of this computer"),
    Screen("web-pilots", "/operations?tab=pilots", "Efficiency"),
    Screen("web-transfers", "/operations?tab=transfers", "Transfers"),
    Screen("web-quotas", "/operations?tab=storage", "By RSE"),
    Screen("web-accounts", "/admin", "dora"),
    Screen("web-audit", "/admin?tab=audit", "configuration:apply"),
    Screen("web-configuration", "/admin?tab=configuration", "Version ", dark=True),
    Screen("web-vo", "/admin?tab=vo", "there"),
)


def take(sessions: Sessions, grid: Grid) -> None:
    """Take the pictures that lack; whatever the tests before have made is on them."""
    lacking = [one for one in SCREENS if not (IMAGES / f"{one.name}.webp").exists()]
    if not lacking:
        return
    with speaking(grid.home, "belle") as client:
        wanted = jobs.list_jobs(where='name = "hello from the page"')
        job = min(one.job_id for one in client.pages(wanted))
    page = sessions.visit("belle")
    for one in lacking:
        page.emulate_media(color_scheme="dark" if one.dark else "light", reduced_motion="reduce")
        page.set_viewport_size({"width": 380, "height": 700} if one.narrow else WIDE)
        page.goto(f"{grid.url}/ui{one.path.format(job=job)}")
        expect(page.locator("main").get_by_text(one.shows).first).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_text("Loading …")).to_have_count(0)
        picture(page, one.name)
