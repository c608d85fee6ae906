"""The reference pages say what the code says, and the pilot's protocol what its routes do."""

import pytest
from docs.generate import FOLDER, PAGES, PROTOCOL

from sancho.cli import protocol


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_reference_page_is_as_the_code_would_write_it(name: str) -> None:
    page = FOLDER / name
    assert page.exists(), f"{page} is missing: make docs"
    assert page.read_text(encoding="utf-8") == PAGES[name](), f"{page} is stale: make docs"


def test_there_is_no_page_that_nobody_writes() -> None:
    assert {page.name for page in FOLDER.glob("*.md")} == set(PAGES)


def test_the_protocol_of_the_pilot_is_as_the_code_would_write_it() -> None:
    assert PROTOCOL.read_text(encoding="utf-8") == protocol.render(), f"{PROTOCOL} is stale: make docs"
