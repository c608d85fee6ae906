"""What the pages show exists: links lead somewhere, documents and job files are valid."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sancho.parts import KINDS
from sancho_client.cli.job_files import JobFile
from sancho_plugins.oidc import OidcSettings
from sancho_plugins.oidc.profiles import PROFILES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")
YAML = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
CLIENT_ONLY = {"password_file"}
"""What the command line takes out of a document before it is sent."""


def blocks(page: str) -> Iterator[Any]:
    """The YAML documents that a page shows."""
    for text in YAML.findall((ROOT / "docs" / page).read_text(encoding="utf-8")):
        yield from yaml.safe_load_all(text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert not missing


def test_every_decision_is_in_the_list_of_decisions() -> None:
    listed = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    for page in sorted((ROOT / "docs" / "adr").glob("[0-9]*.md")):
        assert f"]({page.name})" in listed


def test_every_picture_is_in_the_gallery_and_they_stay_small_together() -> None:
    shown = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    pictures = list((ROOT / "docs" / "images").iterdir())
    assert [one.name for one in pictures if f"(images/{one.name})" not in shown] == []
    assert sum(one.stat().st_size for one in pictures) < 1_000_000


def test_the_job_that_is_shown_could_be_submitted() -> None:
    for shown in blocks("how-to/describe-jobs.md"):
        JobFile.model_validate(shown)


@pytest.mark.parametrize("page", ["how-to/configure.md", "how-to/identity-providers.md", "how-to/onboard-a-vo.md"])
def test_the_documents_that_are_shown_could_be_applied(page: str) -> None:
    kinds = {kind.name: kind for kind in KINDS}
    for shown in blocks(page):
        spec = {name: value for name, value in shown.get("spec", {}).items() if name not in CLIENT_ONLY}
        kinds[shown["kind"]].model.model_validate(spec)


def test_the_settings_of_identity_providers_that_are_shown_are_all_there_are() -> None:
    page = "how-to/identity-providers.md"
    for shown in blocks(page):
        OidcSettings(issuer=shown["spec"]["issuer"], **shown["spec"]["settings"])
    rows = re.findall(r"^\| `([a-z_]+)` \|.*\|.*\|$", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert set(rows) - set(PROFILES) == set(OidcSettings.model_fields) - {"issuer"}
