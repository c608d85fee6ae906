"""The certified OpenID provider of npm, `oidc-provider`, as issuers that tests log in with; see `oidc/server.js`.

with two_issuers() as (first, second):
    client = first.register("http://127.0.0.1:8000/callback")
    came_back = first.log_in(url, "alice")
"""

import fcntl
import hashlib
import json
import os
import re
import select
import shutil
import ssl
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

import httpx2
from joserfc.jwk import RSAKey

from tests.realparts.parts import lack

FOLDER = Path(__file__).parent / "oidc"
OLDEST_NODE = 20
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody: for issuers without TLS, as reading the system's certificates takes longer than a login."""
ODD = 'Rob\'); DROP TABLE account;-- \\ "<b>&amp;</b>" %s ${x} \u202e\u00e9\U0001f9d9'
"""A name that means something to SQL, HTML, shells and format strings, and writes from right to left."""

USERS: dict[str, dict[str, Any]] = {
    "alice": {
        "sub": "7d2b3a52-1f0e-4a47-8f7b-5f0a3c9f0a11",
        "name": "Alice Prod",
        "email": "alice@example.org",
        "wlcg.groups": ["/belle", "/belle/production"],
    },
    "bob": {"name": "Bob User", "email": "bob@example.org", "wlcg.groups": ["/lhcb", "/lhcb/users"]},
    "carol": {"name": "Carol Both", "email": "carol@example.org", "wlcg.groups": ["/belle", "/lhcb"]},
    "chen": {  # as EGI Check-in has it
        "sub": "f4c1e9a0b7@egi.eu",
        "name": "Chen Checkin",
        "email": "chen@example.org",
        "voperson_id": "f4c1e9a0b7@egi.eu",
        "eduperson_entitlement": [
            "urn:mace:egi.eu:group:belle:role=member#aai.egi.eu",
            "urn:mace:egi.eu:group:belle:production:role=manager#aai.egi.eu",
            "urn:mace:egi.eu:res:cloud#aai.egi.eu",
            "urn:mace:example.org:group:belle:admins:role=member#home.example.org",
        ],
        "entitlements": ["urn:mace:egi.eu:group:belle:role=member#aai.egi.eu"],
    },
    "cleo": {  # as CILogon has it
        "sub": "http://cilogon.org/serverA/users/4242",
        "name": "Cleo Logon",
        "email": "cleo@example.org",
        "eppn": "cleo@example.edu",
        "uid": "cleo",
        "isMemberOf": ["belle", "cn=analysis,ou=groups,o=belle,dc=cilogon,dc=org"],
    },
    "kai": {  # as Keycloak has it
        "sub": "2c1d9a1e-6a5c-4d67-9f0f-1f2e3d4c5b6a",
        "name": "Kai Cloak",
        "email": "kai@example.org",
        "groups": ["/belle", "/belle/shifters"],
        "realm_access": {"roles": ["offline_access", "operator"]},
    },
    "odd": {
        "sub": "'; DROP TABLE account;--",
        "preferred_username": ODD,
        "name": ODD,
        "email": "o'dd\"@example.org",
        "wlcg.groups": [f"/belle/{ODD}", "/belle"],
    },
}


@dataclass(frozen=True)
class Client:
    """A client that was registered with an issuer."""

    client_id: str
    secret: str | None = field(repr=False)


class OpenIdProvider:
    """One issuer in a process of its own."""

    def __init__(self, issuer: str, verify: ssl.SSLContext | None = None) -> None:
        self.issuer = issuer
        self.verify = verify or PLAIN

    def browser(self) -> httpx2.Client:
        """A client that keeps cookies and follows nothing by itself."""
        return httpx2.Client(timeout=30, trust_env=False, verify=self.verify)

    def register(self, redirect_uri: str | None, *, public: bool = False, **metadata: Any) -> Client:
        """Register a client (RFC 7591): for logins that come back to a URI, or, without one, for itself."""
        exchange = "urn:ietf:params:oauth:grant-type:token-exchange"
        device = "urn:ietf:params:oauth:grant-type:device_code"
        usual: dict[str, Any] = {
            "redirect_uris": [redirect_uri] if redirect_uri else [],
            "response_types": ["code"] if redirect_uri else [],
            "grant_types": (["authorization_code"] if redirect_uri else [])
            + ["refresh_token", device]
            + ([] if public else ["client_credentials", exchange]),
            "token_endpoint_auth_method": "none" if public else "client_secret_basic",
            "application_type": "native" if redirect_uri and redirect_uri.startswith("http:") else "web",
        }
        with self.browser() as browser:
            answer = browser.post(f"{self.issuer}/reg", json=usual | metadata)
        assert answer.status_code == 201, answer.text
        return Client(answer.json()["client_id"], answer.json().get("client_secret"))

    def log_in(self, url: str, user: str, browser: httpx2.Client | None = None) -> dict[str, str]:
        """Do at a login URL what a person does; return the query with which the browser was sent back."""
        with browser or self.browser() as used:
            answer = used.get(url)
            while True:
                if answer.is_redirect:
                    url = urljoin(url, answer.headers["location"])
                    if not url.startswith(f"{self.issuer}/"):
                        return dict(parse_qsl(urlsplit(url).query))
                    answer = used.get(url)
                else:
                    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
                    assert "/interaction/" in url, f"{url}: {answer.text}"
                    answer = used.post(url, data={"user": user})

    def confirm_device(self, verification_uri: str, user_code: str, user: str) -> None:
        """Do at the device page what a person does: type the code, confirm, log in."""
        with self.browser() as browser:
            page = browser.get(verification_uri)
            page = browser.post(verification_uri, data={**_hidden(page.text), "user_code": user_code})
            page = browser.post(verification_uri, data=_hidden(page.text))
            while page.is_redirect:
                url = urljoin(verification_uri, page.headers["location"])
                page = browser.get(url)
                if "/interaction/" in url and not page.is_redirect:
                    page = browser.post(url, data={"user": user})
            assert page.status_code == 200, page.text

    def device_token(self, client: Client, user: str, **form: str) -> dict[str, Any]:
        """Get tokens as a command line does (RFC 8628), with somebody to confirm it; `scope`, `resource` and so on."""
        who = {"client_id": client.client_id} | ({"client_secret": client.secret} if client.secret else {})
        with self.browser() as browser:
            begun = browser.post(f"{self.issuer}/device/auth", data=who | form)
        assert begun.status_code == 200, begun.text
        said = begun.json()
        self.confirm_device(said["verification_uri"], said["user_code"], user)
        grant = "urn:ietf:params:oauth:grant-type:device_code"
        return self.token(client, grant_type=grant, device_code=said["device_code"])

    def token(self, client: Client, **form: str) -> dict[str, Any]:
        """Ask the token endpoint, and get what it says."""
        with self.browser() as browser:
            secret = None if client.secret is None else (client.client_id, client.secret)
            form = form if secret else form | {"client_id": client.client_id}
            answer = browser.post(f"{self.issuer}/token", data=form, auth=secret or httpx2.USE_CLIENT_DEFAULT)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def change_user(self, name: str, **claims: Any) -> None:
        """Make a user, or change some of its claims; `active=False` suspends it in the list of people."""
        with self.browser() as browser:
            answer = browser.put(f"{self.issuer}/control/users/{quote(name, safe='')}", json=claims)
            assert answer.status_code == 204, answer.text

    def remove_user(self, name: str) -> None:
        """Take a user away."""
        with self.browser() as browser:
            assert browser.delete(f"{self.issuer}/control/users/{quote(name, safe='')}").status_code == 204


@contextmanager
def openid_provider(
    log: Path, *, users: Mapping[str, Mapping[str, Any]] = USERS, verify: ssl.SSLContext | None = None, **config: Any
) -> Iterator[OpenIdProvider]:
    """Start an issuer on a free port; `config` is described in `server.js`."""
    key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": uuid.uuid4().hex}).as_dict(private=True)
    command = [_node(), str(FOLDER / "server.js"), json.dumps({"jwk": key, "users": dict(users), **config})]
    with log.open("ab") as stderr:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr)
    assert process.stdin is not None and process.stdout is not None  # noqa: PT018
    try:
        ready, _, _ = select.select([process.stdout], [], [], 60)
        issuer = process.stdout.readline().decode().strip() if ready else ""
        assert issuer, f"the OpenID provider did not start: {log.read_text()}"
        yield OpenIdProvider(issuer, verify)
    finally:
        process.stdin.close()
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def two_issuers(folder: Path) -> Iterator[tuple[OpenIdProvider, OpenIdProvider]]:
    """Start two issuers that know nothing of each other.

    The first one's list of people comes in short pages; the second one's ID tokens say all that userinfo says.
    """
    with (
        openid_provider(folder / "first.log", scimPage=3) as first,
        openid_provider(folder / "second.log", claimsInIdToken=True) as second,
    ):
        yield first, second


def _node() -> str:
    """Node, with the provider's packages installed as they are locked; the test is skipped without."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        lack(f"node and npm are missing: Node.js {OLDEST_NODE} or newer (nodejs)")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        lack(f"{node} is {version.strip()}; Node.js {OLDEST_NODE} or newer is needed (nodejs)")
    lock = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    ready = FOLDER / "node_modules" / f".ready-{lock}"
    folder = os.open(FOLDER, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # the workers of one run install once
        if not ready.exists():
            install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            made = subprocess.run(install, cwd=FOLDER, capture_output=True, text=True, check=False)
            if made.returncode != 0:
                lack(f"the npm packages of {FOLDER} cannot be installed: {made.stderr[-500:]}")
            ready.touch()
    finally:
        os.close(folder)
    return node


def _hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page))
