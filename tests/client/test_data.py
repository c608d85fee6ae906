"""Uploads and downloads against a real API and real storages."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx2 import BaseTransport, ByteStream, HTTPTransport, ReadError, Request, Response

from sancho_client import Client
from sancho_client.calls import data, rules
from sancho_client.data import checksum, download, upload
from sancho_client.errors import BadInput, ClientError, Damaged, Problem, ServerAway
from sancho_client.models.data import UploadRule
from tests.client.conftest import Grid

BIG = 5 * checksum.PIECE + 17


class Tampering(BaseTransport):
    """Passes everything on, and spoils what a test wants spoilt on the way to or from storages."""

    def __init__(self) -> None:
        self.ranges: list[str] = []
        self.cut_at: int | None = None
        self.flip = False
        self.away: set[str] = set()
        self.lost: list[str] = []
        """Methods whose next answer is lost."""
        self._real = HTTPTransport()

    def handle_request(self, request: Request) -> Response:
        if request.url.path.startswith("/v1/"):
            return self._real.handle_request(request)
        self.ranges.append(request.headers.get("range", ""))
        if request.method in self.away:
            return Response(503, request=request, json={"detail": "The storage rests."})
        response = self._real.handle_request(request)
        if request.method in self.lost:
            self.lost.remove(request.method)
            response.close()
            raise ReadError("the connection broke", request=request)
        if request.method == "GET" and (self.cut_at is not None or self.flip):
            body = response.read()
            body = body[: self.cut_at] if self.cut_at is not None else bytes([body[0] ^ 1]) + body[1:]
            headers = {k: v for k, v in response.headers.items() if k != "content-length"}
            response = Response(response.status_code, headers=headers, stream=ByteStream(body))
        return response

    def close(self) -> None:
        self._real.close()


class Adding:
    """Adds up what it is told."""

    def __init__(self) -> None:
        self.files = self.expected = self.done = 0
        self.names: list[str] = []

    def expect(self, files: int, size: int) -> None:
        self.files += files
        self.expected += size

    def moved(self, size: int) -> None:
        self.done += size

    def finished(self, name: str) -> None:
        self.names.append(name)


@pytest.fixture
def tampering() -> Tampering:
    return Tampering()


@pytest.fixture
def client(grid: Grid, tampering: Tampering) -> Iterator[Client]:
    with grid.client("root", transport=tampering) as made:
        yield made


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    for n in range(5):
        (folder / f"{n}.bin").write_bytes(bytes([n]) * (BIG if n == 0 else n * 1000 - 1))
    return folder


def local_files(work: Path, unique: str, dataset: str | None = None) -> list[upload.LocalFile]:
    return [
        upload.LocalFile(path=path, did=f"mc:{unique}/{path.name}", dataset=dataset) for path in sorted(work.iterdir())
    ]


def test_files_go_up_into_a_dataset_and_come_down_the_same(
    client: Client, work: Path, unique: str, tmp_path: Path
) -> None:
    dataset = f"mc:{unique}"

    put = list(upload.put(client, local_files(work, unique, dataset), rule=UploadRule(rse_expression="A-DISK")))
    got = list(download.get(client, [dataset], tmp_path / "down"))

    assert {p.did for p in put} == {g.did for g in got} == {f"mc:{unique}/{n}.bin" for n in range(5)}
    assert {p.rse for p in put} == {"A-DISK"}
    assert [g.error for g in got if g.error] == []
    for n in range(5):
        assert (tmp_path / "down" / unique / f"{n}.bin").read_bytes() == (work / f"{n}.bin").read_bytes()
    assert {d.did for d in client.pages(data.contents(dataset))} == {p.did for p in put}


def test_what_is_there_is_left_alone_on_both_sides(
    client: Client, tampering: Tampering, work: Path, unique: str, tmp_path: Path
) -> None:
    files = local_files(work, unique)
    list(upload.put(client, files[:3]))

    put = list(upload.put(client, local_files(work, unique, f"mc:{unique}")))
    assert {p.did for p in put if p.already} == {f.did for f in files[:3]}
    assert len(list(client.pages(data.contents(f"mc:{unique}")))) == 5

    again = f"mc:{unique}.again"
    assert all(
        p.already
        for p in upload.put(client, local_files(work, unique, again), rule=UploadRule(rse_expression="A-DISK"))
    )
    assert len(list(client.pages(data.contents(again)))) == 5
    assert [r.rse_expression for r in client.pages(rules.list_rules(did=again))] == ["A-DISK"]

    list(download.get(client, [f"mc:{unique}"], tmp_path))
    tampering.ranges.clear()
    assert all(g.already for g in download.get(client, [f"mc:{unique}"], tmp_path))
    assert tampering.ranges == []


def test_a_file_with_other_content_is_not_taken_for_the_same(client: Client, work: Path, unique: str) -> None:
    files = local_files(work, unique)
    list(upload.put(client, files[:1]))
    files[0].path.write_bytes(b"other")

    with pytest.raises(Problem) as caught:
        list(upload.put(client, files[:1]))
    assert caught.value.status == 409


def test_a_broken_off_download_goes_on_where_it_stopped(
    client: Client, tampering: Tampering, work: Path, unique: str, tmp_path: Path
) -> None:
    list(upload.put(client, local_files(work, unique)[:1]))
    part = tmp_path / unique / "0.bin.part"
    part.parent.mkdir()
    part.write_bytes((work / "0.bin").read_bytes()[:1000])

    tampering.ranges.clear()
    (got,) = download.get(client, [f"mc:{unique}/0.bin"], tmp_path)

    assert got.error is None
    assert tampering.ranges == ["bytes=1000-"]
    assert (tmp_path / unique / "0.bin").read_bytes() == (work / "0.bin").read_bytes()
    assert not part.exists()


def test_a_part_that_is_wrong_is_thrown_away(client: Client, work: Path, unique: str, tmp_path: Path) -> None:
    list(upload.put(client, local_files(work, unique)[:1]))
    part = tmp_path / unique / "0.bin.part"
    part.parent.mkdir()
    part.write_bytes(b"something else")

    (got,) = download.get(client, [f"mc:{unique}/0.bin"], tmp_path)

    assert got.error is None
    assert (tmp_path / unique / "0.bin").read_bytes() == (work / "0.bin").read_bytes()


@pytest.mark.parametrize("spoil", ["flip", "cut"])
def test_bytes_that_are_spoilt_on_the_way_never_become_the_file(
    client: Client, tampering: Tampering, work: Path, unique: str, tmp_path: Path, spoil: str
) -> None:
    list(upload.put(client, local_files(work, unique)[1:3]))
    tampering.flip, tampering.cut_at = spoil == "flip", 100 if spoil == "cut" else None

    dids = [f"mc:{unique}/1.bin", f"mc:{unique}/2.bin"]
    got = list(download.get(client, dids, tmp_path))

    assert all(g.error is not None and "adler32" in g.error.message for g in got)
    assert all(g.error is not None and g.error.hint == "Try again later." for g in got)
    assert not any(path.is_file() for path in (tmp_path / unique).rglob("*"))


def test_two_files_of_one_name_are_not_written_over_each_other(
    grid: Grid, work: Path, unique: str, tmp_path: Path
) -> None:
    with grid.client("root") as client:
        client.send(data.create_scope(f"u{unique}"))
        path = work / "1.bin"
        files = [upload.LocalFile(path=path, did=f"{scope}:{unique}") for scope in ("mc", f"u{unique}")]
        list(upload.put(client, files))

        with pytest.raises(BadInput, match="would both be"):
            list(download.get(client, [f.did for f in files], tmp_path))


def test_a_failed_upload_leaves_nothing_announced(
    client: Client, tampering: Tampering, work: Path, unique: str
) -> None:
    tampering.away = {"PUT"}

    with pytest.raises(ClientError, match="The storage rests"):
        list(upload.put(client, local_files(work, unique)))

    tampering.away = set()
    opened = client.http.get(f"{client.url}/v1/uploads", headers=authorization(client)).json()
    assert [one for one in opened if unique in one["did"]] == []
    assert len(list(upload.put(client, local_files(work, unique)))) == 5


def test_an_upload_whose_answer_was_lost_has_arrived(
    client: Client, tampering: Tampering, work: Path, unique: str
) -> None:
    tampering.lost = ["PUT"]

    (put,) = upload.put(client, local_files(work, unique)[1:2])

    assert (put.did, tampering.lost) == (f"mc:{unique}/1.bin", [])


def authorization(client: Client) -> dict[str, str]:
    steps = client._connection.tokens.token(None)
    try:
        next(steps)
    except StopIteration as stop:
        return {"authorization": f"Bearer {stop.value}"}
    raise AssertionError


def test_a_file_that_changes_while_it_is_uploaded_is_not_committed(client: Client, work: Path, unique: str) -> None:
    file = local_files(work, unique)[0]

    class Meddler(Adding):
        def moved(self, size: int) -> None:
            if size > 0:
                with file.path.open("r+b") as out:
                    out.seek(BIG - 5)
                    out.write(b"xxxxx")

    with pytest.raises((Damaged, ClientError)):
        list(upload.put(client, [file], watch=Meddler()))
    with pytest.raises(Problem, match="does not exist"):
        client.send(data.did(file.did))


def test_a_transfer_can_be_stopped_between_two_pieces(client: Client, work: Path, unique: str) -> None:
    file = local_files(work, unique)[0]
    seen: list[int] = []

    class Impatient(Adding):
        def moved(self, size: int) -> None:
            seen.append(size)
            if len(seen) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(upload.put(client, [file], watch=Impatient()))
    assert len(seen) < 5


def test_progress_adds_up(client: Client, work: Path, unique: str, tmp_path: Path) -> None:
    size = sum(p.stat().st_size for p in work.iterdir())
    for _ in range(2):
        watch = Adding()
        list(upload.put(client, local_files(work, unique, f"mc:{unique}"), watch=watch))
        assert (watch.expected, watch.done, len(watch.names)) == (size, size, 5)
    for _ in range(2):
        watch = Adding()
        list(download.get(client, [f"mc:{unique}"], tmp_path, watch=watch))
        assert (watch.expected, watch.done, len(watch.names)) == (size, size, 5)


def test_a_storage_that_is_away_is_named(
    client: Client, tampering: Tampering, work: Path, unique: str, tmp_path: Path
) -> None:
    list(upload.put(client, local_files(work, unique)[1:2]))
    tampering.away = {"GET"}

    (got,) = download.get(client, [f"mc:{unique}/1.bin"], tmp_path)

    assert got.error is not None
    assert got.error.message.count("-DISK: The storage rests.") == 1
    assert got.error.hint == "Try again later."


def test_a_missing_did_is_a_problem(client: Client, tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        list(download.get(client, ["mc:nothing"], tmp_path))
    assert (caught.value.status, caught.value.field) == (404, "dids")


def test_replicas_are_streamed(client: Client, work: Path, unique: str) -> None:
    list(upload.put(client, local_files(work, unique, f"mc:{unique}")))

    files = list(client.lines(data.replicas(f"mc:{unique}")))

    assert len(files) == 5
    assert {r.state for f in files for r in f.replicas} == {"available"}
    assert json.dumps(files[0].path).count(unique) == 1


def test_a_server_away_from_the_storage_is_named(grid: Grid, work: Path, unique: str) -> None:
    class Gone(BaseTransport):
        def __init__(self) -> None:
            self._real = HTTPTransport()

        def handle_request(self, request: Request) -> Response:
            if request.method == "PUT":
                request = Request("PUT", "http://127.0.0.1:1/", content=b"")
            return self._real.handle_request(request)

        def close(self) -> None:
            self._real.close()

    with grid.client("root", transport=Gone()) as client, pytest.raises(ServerAway, match="-DISK does not take"):
        list(upload.put(client, local_files(work, unique)[1:2]))
