"""What every plugin that signs URLs of objects must pass, with a store that it signs for.

    class TestMySigner(ObjectSignerConformance):
        def plugin(self):
            return MySigner(MySigner.Settings(...))

Needs pytest and nothing else. Keys begin with `conformance/`; nothing is deleted.
"""

import hashlib
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import timedelta
from uuid import uuid4

import pytest

from sancho_contract.objects import Announced, ObjectSigner

SOON = timedelta(minutes=5)
CONTENT = b"content\r\n--of an object" * 50


def announced(content: bytes = CONTENT) -> Announced:
    """An object of a new name."""
    key = f"conformance/{uuid4().hex}.tar.gz"
    return Announced(key=key, size=len(content), sha256=hashlib.sha256(content).digest())


def sent(method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> int:
    """The status of a request."""
    request = urllib.request.Request(url, body, dict(headers or {}), method=method)  # noqa: S310 - a URL of the plugin
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as e:
        with e:
            return e.code


def sent_form(form: tuple[str, Mapping[str, str]], content: bytes) -> int:
    """The status of a form with a file."""
    url, fields = form
    line = uuid4().hex
    said = [f'--{line}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}' for name, text in fields.items()]
    file = f'--{line}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n\r\n'
    body = "\r\n".join([*said, file]).encode() + content + f"\r\n--{line}--\r\n".encode()
    return sent("POST", url, body, {"content-type": f"multipart/form-data; boundary={line}"})


def fetched(url: str) -> bytes | None:
    """What is at a URL; None when it is not to be had."""
    try:
        with urllib.request.urlopen(url) as answer:  # noqa: S310
            return bytes(answer.read())
    except urllib.error.HTTPError as e:
        with e:
            return None


@pytest.mark.filterwarnings("default::ResourceWarning")
class ObjectSignerConformance:
    """Derive from it and give `plugin`."""

    def plugin(self) -> ObjectSigner:
        """A plugin, made anew."""
        raise NotImplementedError

    def test_what_was_announced_arrives_by_put_and_by_form(self) -> None:
        plugin = self.plugin()
        put, form = announced(), announced()
        assert sent("PUT", plugin.put(put, lifetime=SOON), CONTENT) in (200, 201, 204)
        assert sent_form(plugin.form(form, lifetime=SOON), CONTENT) in (200, 201, 204)
        assert [fetched(plugin.get(one.key, lifetime=SOON)) for one in (put, form)] == [CONTENT, CONTENT]

    @pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x", b"x" * len(CONTENT), b""])
    def test_nothing_else_is_taken(self, content: bytes) -> None:
        plugin = self.plugin()
        put, form = announced(), announced()
        assert 400 <= sent("PUT", plugin.put(put, lifetime=SOON), content) < 500
        assert 400 <= sent_form(plugin.form(form, lifetime=SOON), content) < 500
        assert [fetched(plugin.get(one.key, lifetime=SOON)) for one in (put, form)] == [None, None]

    def test_a_url_is_good_for_one_object_alone(self) -> None:
        plugin = self.plugin()
        one, other = announced(), announced()
        url, fields = plugin.form(one, lifetime=SOON)
        moved = {name: text.replace(one.key, other.key) for name, text in fields.items()}
        assert 400 <= sent("PUT", plugin.put(one, lifetime=SOON).replace(one.key, other.key), CONTENT) < 500
        assert 400 <= sent_form((url, moved), CONTENT) < 500
        assert fetched(plugin.get(one.key, lifetime=SOON).replace(one.key, other.key)) is None
        assert fetched(plugin.get(other.key, lifetime=SOON)) is None
