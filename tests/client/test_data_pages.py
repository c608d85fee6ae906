"""The pages on publishing and following do what they say: their blocks run in order, on the served grid."""

import re
import shlex
from pathlib import Path

import httpx2
import pytest

from tests.client.conftest import Grid

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
RUN = re.compile(r"^```sh grid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAYS = re.compile(r"^(.*?)(?:\s+# says: (.*))?$")


@pytest.mark.parametrize("page", ["publish-data.md", "follow-data.md"])
def test_the_page_does_what_it_says(page: str, grid: Grid, unique: str) -> None:
    text = (PAGES / page).read_text(encoding="utf-8").replace("run7", unique).replace("run.7", f"run.{unique}")
    lines = "".join(RUN.findall(text)).replace("--record 7", f"--record {int(unique, 16)}").splitlines()
    assert len(lines) > 8
    for line in lines:
        found = SAYS.fullmatch(line)
        assert found is not None
        command, said = found.groups()
        program, *words = shlex.split(command)
        if program == "sancho":
            ended = grid.sancho(*words, account="root")
            assert ended.exit_code == 0, ended.output
            told = ended.stdout
        else:  # a stranger, without a token
            told = httpx2.get(words[-1].replace("$SANCHO_URL", grid.url)).raise_for_status().text
        assert said is None or said in told, line
