"""A browser on the login pages."""

import re
from dataclasses import dataclass, field

import httpx2

from tests.identity.helpers import PASSWORD


@dataclass
class Browser:
    """A browser on the login pages: it follows nothing by itself, keeps cookies and fills in the form it sees."""

    client: httpx2.AsyncClient
    page: httpx2.Response | None = None
    sent: dict[str, str] = field(default_factory=dict[str, str])

    async def get(self, url: str, **query: str) -> httpx2.Response:
        self.page = await self.client.get(url, params=query or None)
        if self.page.status_code == 303 and not self.page.headers["location"].startswith("http"):
            self.page = await self.client.get(f"/v1/auth/{self.page.headers['location']}")
        return self.page

    @property
    def hidden(self) -> dict[str, str]:
        assert self.page is not None
        return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', self.page.text))

    async def submit(self, **said: str) -> httpx2.Response:
        self.page = await self.client.post("/v1/auth/login", data={**self.hidden, **said})
        return self.page

    async def log_in(self, account: str = "alice", password: str = PASSWORD) -> httpx2.Response:
        return await self.submit(choice="password", account=account, password=password)
