"""How soon the web page shows something useful, in a real browser: `python -m bench.page` beside a grid that runs.

    eval "$(sancho env)"; python -m bench.page --password-file FILE

The file has the password that `sancho up` said when it made the grid.

Each load is a new tab of somebody who has logged in, with an empty cache: the document, the session's renewal, and what
Home asks. Useful is the largest text (LCP) once no number is awaited any more.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import BrowserContext, sync_playwright
from rich.console import Console
from rich.table import Table

LOADS = 10
GOAL_MS, BUDGET = 1000, 400_000
LOOK = """
() => new Promise((resolve) => {
  new PerformanceObserver((list) => {
    const loaded = performance.getEntriesByType("resource").filter((one) => one.name.includes("/ui/"));
    resolve({
      first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
      useful: list.getEntries().at(-1).startTime,
      bytes: loaded.reduce((sum, one) => sum + one.encodedBodySize, 0),
    });
  }).observe({ type: "largest-contentful-paint", buffered: true });
})
"""


def main(arguments: list[str]) -> int:
    """Load Home some times and print medians; 0 when the goals were met, which is no test."""
    said = argparse.ArgumentParser(prog="python -m bench.page", description=(__doc__ or "").split("\n", 1)[0])
    said.add_argument("--url", default=os.environ.get("SANCHO_URL"), help="of the API; SANCHO_URL if it is not said")
    said.add_argument("--vo", default="demo")
    said.add_argument("--account", default="admin")
    said.add_argument("--password-file", type=Path, required=True)
    said.add_argument("--path", default="/ui/", help="which page")
    wanted = said.parse_args(arguments)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1280, "height": 800}, ignore_https_errors=True)
        log_in(context, wanted)
        loads = [load(context, f"{wanted.url}{wanted.path}") for _ in range(LOADS)]
        browser.close()
    table = Table("what", "median", "worst", "goal")
    for name, title in (("first", "first paint"), ("useful", "largest text is there")):
        taken = [one[name] for one in loads]
        table.add_row(title, f"{median(taken):.0f} ms", f"{max(taken):.0f} ms", f"{GOAL_MS} ms")
    size = max(one["bytes"] for one in loads)
    table.add_row("files of the page, packed", f"{size / 1000:.0f} kB", "", f"{BUDGET / 1000:.0f} kB")
    Console().print(table)
    return int(median(one["useful"] for one in loads) > GOAL_MS or size > BUDGET)


def log_in(context: BrowserContext, wanted: argparse.Namespace) -> None:
    """Log in through the page."""
    page = context.new_page()
    page.goto(f"{wanted.url}/ui/")
    page.get_by_label("Virtual organisation").fill(wanted.vo)
    page.get_by_role("button", name="Continue").click()
    page.locator("[name=account]").fill(wanted.account)
    page.locator("[name=password]").fill(wanted.password_file.read_text().strip())
    page.get_by_role("button", name="Log in").first.click()
    page.get_by_role("button", name="Sign out").wait_for()
    page.close()


def load(context: BrowserContext, url: str) -> dict[str, Any]:
    """What one load took."""
    page = context.new_page()
    context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.goto(url)
    page.get_by_role("button", name="Sign out").wait_for()
    page.locator(".waiting").first.wait_for(state="detached")
    seen: dict[str, Any] = page.evaluate(LOOK)
    page.close()
    return seen


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
