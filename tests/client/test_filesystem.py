"""`sancho://` in Python: names, bytes, writing, what libraries make of it, and what goes wrong with replicas."""

import socket
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

import dask.bag
import fsspec
import h5py
import numpy as np
import pandas as pd
import pytest
import uproot
import xarray as xr

from sancho_client.calls.archives import pack
from sancho_client.data.nearness import nearest_first
from sancho_client.filesystem.filesystem import SanchoFileSystem
from sancho_client.models.archives import Archive, Member
from sancho_client.models.data import Access, Source
from tests.client.conftest import Grid

Fs: TypeAlias = Any
"""fsspec has no types to speak of, and neither have those who use it."""
libraries: Any = SimpleNamespace(dask=dask.bag, h5py=h5py, uproot=uproot)
BIG = bytes(range(256)) * 50_000
"""More than two blocks of 5 MiB."""


@pytest.fixture
def fs(grid: Grid, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Fs]:
    """The file system of root in belle, from the environment as programs have it."""
    SanchoFileSystem.clear_instance_cache()
    monkeypatch.setenv("SANCHO_URL", grid.url)
    monkeypatch.setenv("SANCHO_TOKEN", grid.token("root"))
    monkeypatch.setenv("SANCHO_CONFIG_HOME", str(tmp_path / "config"))
    made = fsspec.filesystem("sancho")
    yield made
    made.close()
    SanchoFileSystem.clear_instance_cache()


def given(fs: Fs, unique: str) -> str:
    """A dataset of two files, and one in a directory beside it; returns the path above."""
    base = f"/belle/mc/{unique}"
    fs.pipe_file(f"{base}/a.txt", b"alpha", dataset=base)
    fs.pipe_file(f"mc:{unique}/b.txt", b"beta", dataset=f"mc:{unique}")
    fs.pipe_file(f"{base}/sub/c.bin", BIG)
    return base


def known(fs: Fs, did: str) -> Access:
    fs.cat_file(did, end=1)
    return fs.reader.known[did]


def test_directories_are_listed_walked_and_searched_by_path(fs: Fs, unique: str) -> None:
    base = given(fs, unique)

    assert fs.ls(base, detail=False) == [f"{base}/a.txt", f"{base}/b.txt", f"{base}/sub"]
    assert {i["name"]: (i["type"], i["size"]) for i in fs.ls(f"sancho://{base}/")} == {
        f"{base}/a.txt": ("file", 5), f"{base}/b.txt": ("file", 4), f"{base}/sub": ("directory", len(BIG)),
    }  # fmt: skip
    assert fs.find(base) == [f"{base}/a.txt", f"{base}/b.txt", f"{base}/sub/c.bin"]
    assert list(fs.walk(base)) == [(base, ["sub"], ["a.txt", "b.txt"]), (f"{base}/sub", [], ["c.bin"])]
    assert fs.glob(f"{base}/*.txt") == [f"{base}/a.txt", f"{base}/b.txt"]
    assert fs.glob(f"{base}/**/*.bin") == [f"{base}/sub/c.bin"]
    assert base in fs.ls("/belle/mc", detail=False)
    assert fs.ls("/", detail=False) == ["/belle"]
    info = fs.info(f"{base}/a.txt")
    assert (info["size"], info["did"], info["type"]) == (5, f"mc:{unique}/a.txt", "file")
    assert (fs.isdir(base), fs.isfile(base), fs.exists(f"{base}/nothing")) == (True, False, False)
    assert fs.du(base) == 9 + len(BIG)


def test_what_lies_in_an_archive_is_read_there(fs: Fs, grid: Grid, tmp_path: Path, unique: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.writestr(f"{unique}/f", b"inside")
    fs.put_file(str(tmp_path / "a.zip"), f"mc:{unique}.zip")
    packed = Archive(archive=f"mc:{unique}.zip", files=[Member(did=f"mc:{unique}/f", size=6)])
    with grid.client("root") as client:
        client.send(pack([packed]))

    with pytest.raises(OSError, match=f"lies in mc:{unique}.zip. Open it there"):
        fs.cat_file(f"mc:{unique}/f")
    opened: Any = fsspec.open(f"zip://{unique}/f::sancho://mc:{unique}.zip", "rb")
    with opened as file:
        assert file.read() == b"inside"


def test_datasets_are_directories_of_what_they_hold(fs: Fs, unique: str) -> None:
    base, dataset = given(fs, unique), f"mc:{unique}"
    fs.pipe_file(f"mc:elsewhere-{unique}", b"e", dataset=dataset)
    with_it = [f"mc:elsewhere-{unique}", f"{dataset}/a.txt", f"{dataset}/b.txt"]

    assert fs.ls(f"sancho://{dataset}", detail=False) == sorted(with_it)
    assert fs.info(dataset)["kind"] == "dataset"
    assert fs.find(dataset) == sorted(with_it)
    assert fs.glob(f"{dataset}/*.txt") == [f"{dataset}/a.txt", f"{dataset}/b.txt"]
    assert fs.ls(f"{dataset}/sub", detail=False) == [f"{dataset}/sub/c.bin"]
    only = f"{base}.only"
    fs.pipe_file(f"{base}/d", b"d", dataset=only)
    assert fs.ls(only, detail=False) == [f"{base}/d"]
    with pytest.raises(IsADirectoryError):
        fs.open(only)


def test_bytes_come_whole_in_ranges_and_in_blocks(fs: Fs, unique: str, tmp_path: Path) -> None:
    base = given(fs, unique)
    name = f"{base}/sub/c.bin"

    assert fs.cat_file(f"mc:{unique}/sub/c.bin") == BIG
    assert (fs.cat_file(name, 10, 20), fs.cat_file(name, -5), fs.cat_file(name, 5, 5)) == (BIG[10:20], BIG[-5:], b"")
    with fs.open(name) as file:
        assert file.read(3) == BIG[:3]
        file.seek(-7, 2)
        assert file.read() == BIG[-7:]
        file.seek(0)
        assert file.read() == BIG
    for cache in ("blockcache", "all", "none"):
        with fs.open(name, cache_type=cache, block_size=2**20) as file:
            assert file.read() == BIG
    assert fs.cat(f"{base}/*.txt") == {f"{base}/a.txt": b"alpha", f"{base}/b.txt": b"beta"}
    opened: Any = fsspec.open(f"sancho://mc:{unique}/a.txt", "rt")
    with opened as text:
        assert text.read() == "alpha"
    fs.get(base, str(tmp_path / "down"), recursive=True)
    assert (tmp_path / "down" / "sub" / "c.bin").read_bytes() == BIG
    assert fs.open(name).read(2**20) == BIG[: 2**20]
    fs.pipe_file(f"{base}/empty", b"")
    assert (fs.cat_file(f"{base}/empty"), fs.open(f"{base}/empty").read()) == (b"", b"")


def test_what_is_written_is_there_once_it_is_closed(fs: Fs, unique: str, tmp_path: Path) -> None:
    name = f"/belle/mc/{unique}/new.txt"
    with fs.open(name, "wb", rse="B-DISK") as file:
        file.write(b"one ")
        file.write(b"two")
        assert not fs.exists(name)
    assert fs.cat_file(name) == b"one two"
    assert known(fs, f"mc:{unique}/new.txt").sources[0].rse == "B-DISK"
    (tmp_path / "up").mkdir()
    (tmp_path / "up" / "x").write_bytes(b"x")
    fs.put(str(tmp_path / "up"), f"/belle/mc/{unique}/up", recursive=True)
    assert fs.cat_file(f"/belle/mc/{unique}/up/x") == b"x"

    with pytest.raises(FileExistsError), fs.open(name, "wb") as file:
        file.write(b"other")
    with pytest.raises(FileExistsError), fs.open(name, "xb") as file:
        file.write(b"one two")
    with pytest.raises(ValueError, match="stays as it is"):
        fs.open(name, "ab")


def test_nothing_is_left_of_what_could_not_be_written(grid: Grid, fs: Fs, unique: str) -> None:
    name = f"/belle/mc/{unique}/broken"
    before = grid.files("A-DISK"), grid.files("B-DISK")

    def half(opened: Any) -> None:
        with opened as file:
            file.write(b"half")
            raise ZeroDivisionError

    for opened in (fs.open(name, "wb"), fsspec.open(f"sancho://{name}", "wb"), fsspec.open(f"sancho://{name}", "wb")):
        with pytest.warns(UserWarning, match="was not written"), pytest.raises(ZeroDivisionError):
            half(opened)
    with pytest.raises(OSError, match="NO-SUCH"), fs.open(name, "wb", rse="NO-SUCH") as file:
        file.write(b"whole")
    file = fs.open(name, "wb")
    file.write(b"forgotten")
    del file
    assert not fs.exists(name)
    assert (grid.files("A-DISK"), grid.files("B-DISK")) == before
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        with fs.open(name, "wb") as file:
            file.write(b"from a handler")
    assert fs.cat_file(name) == b"from a handler"


def test_errors_are_those_of_files(grid: Grid, fs: Fs, unique: str) -> None:
    for name in (f"mc:{unique}", f"/belle/mc/{unique}", "/gridpp/mc", "/belle/nowhere", "nowhere:x"):
        with pytest.raises(FileNotFoundError):
            fs.info(name)
    with pytest.raises(FileNotFoundError):
        fs.cat_file(f"mc:{unique}")
    with pytest.raises(FileNotFoundError):
        fs.cat_file(f"/gridpp/mc/{unique}")
    with pytest.raises(OSError, match="is not a path"):
        fs.ls("/belle/mc/../raw")
    other = SanchoFileSystem(url=grid.url, vo="gridpp", skip_instance_cache=True)
    with pytest.raises(PermissionError):
        other.ls("/")
    other.close()


def test_a_long_listing_comes_page_by_page(grid: Grid, fs: Fs, unique: str) -> None:
    made = 2_500
    files = [{"did": f"mc:{unique}/{n:05}", "size": 1, "adler32": "00000001"} for n in range(made)]
    with grid.client("root") as client:
        headers = {"authorization": f"Bearer {grid.token('root')}"}
        for at in range(0, made, 500):
            sent = {"rse": "A-DISK", "files": files[at : at + 500]}
            client.http.post(f"{grid.url}/v1/replicas", json=sent, headers=headers).raise_for_status()
    asked: list[str] = []

    async def note(request: Any) -> None:
        asked.append(str(request.url))

    fs.reader.client.http.event_hooks = {"request": [note]}
    found = fs.scan(f"/belle/mc/{unique}")
    first = next(found)
    pages = sum("limit=1000" in url for url in asked)
    assert (first["name"], pages) == (f"/belle/mc/{unique}/00000", 1)
    assert 1 + sum(1 for _ in found) == made
    assert sum("limit=1000" in url for url in asked) == 3


# ---- replicas that fail


class Faulty(BaseHTTPRequestHandler):
    """A storage that fails as its path says."""

    def do_GET(self) -> None:
        body = BIG
        match self.path:
            case "/gone":
                self.send_response(404)
                self.end_headers()
                return
            case "/lies":
                body = b"\xff" * len(BIG)
            case "/ignores-ranges":
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return
            case _:
                pass
        said = self.headers.get("range")
        first, last = map(int, said.removeprefix("bytes=").split("-")) if said else (0, len(body) - 1)
        self.send_response(206 if said else 200)
        if said:
            self.send_header("content-range", f"bytes {first}-{last}/{len(body)}")
        self.send_header("content-length", str(last + 1 - first))
        self.end_headers()
        part = body[first : last + 1]
        if self.path == "/hangs-up":
            self.wfile.write(part[: len(part) // 2])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.wfile.write(part)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@contextmanager
def faulty_storage() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Faulty) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def given_faulty(fs: Fs, unique: str, url: str) -> str:
    """The big file, with a replica before the real one that fails as its URL says."""
    did = f"mc:{unique}/big"
    if not fs.exists(did):
        fs.pipe_file(did, BIG)
    file = known(fs, did)
    real = [source for source in file.sources if source.rse != "FAULTY"]
    faulty = Source(rse="FAULTY", url=url, token="t")
    fs.reader.known[did] = file.model_copy(update={"sources": (faulty, *real)})
    return did


@pytest.mark.parametrize("fault", ["gone", "hangs-up", "lies", "ignores-ranges"])
def test_the_next_replica_is_read_when_one_fails_or_lies(fs: Fs, unique: str, fault: str) -> None:
    with faulty_storage() as url:
        did = given_faulty(fs, unique, f"{url}/{fault}")
        assert fs.cat_file(did) == BIG
        if fault != "ignores-ranges":
            assert fs.reader.known[did].sources[-1].rse == "FAULTY"
        did = given_faulty(fs, unique, f"{url}/{fault}")
        if fault != "lies":
            assert fs.cat_file(did, 100, 3000) == BIG[100:3000]


def test_the_next_replica_is_read_when_a_storage_is_not_there(fs: Fs, unique: str) -> None:
    with faulty_storage() as url:
        pass
    did = given_faulty(fs, unique, f"{url}/away")
    assert fs.cat_file(did, 1, 10) == BIG[1:10]
    with fs.open(did) as file:
        assert file.read() == BIG


def test_a_lie_that_came_in_blocks_is_found_at_the_end_and_read_elsewhere_after(fs: Fs, unique: str) -> None:
    with faulty_storage() as url:
        did = given_faulty(fs, unique, f"{url}/lies")
        with fs.open(did, block_size=2**20) as file, pytest.raises(OSError, match="checksum"):
            while file.read(2**20):
                pass
        with fs.open(did, block_size=2**20) as file:
            assert file.read() == BIG


def test_a_token_that_is_over_is_replaced(fs: Fs, unique: str) -> None:
    did = f"mc:{unique}/a"
    fs.pipe_file(did, b"alpha")
    file = known(fs, did)
    old = tuple(source.model_copy(update={"token": "over"}) for source in file.sources)
    fs.reader.known[did] = file.model_copy(update={"sources": old})
    assert fs.cat_file(did) == b"alpha"
    assert fs.reader.known[did].sources[0].token != "over"


def test_without_any_good_replica_the_error_says_what_each_did(grid: Grid, fs: Fs, unique: str) -> None:
    did = f"mc:{unique}/a"
    fs.pipe_file(did, b"alpha", rse="A-DISK")
    (replica,) = [path for path in grid.files("A-DISK") if path.read_bytes() == b"alpha" and unique in str(path)]
    replica.write_bytes(b"alphA")
    with pytest.raises(OSError, match=r"A-DISK: .*checksum"):
        fs.cat_file(did)
    with pytest.raises(OSError, match="checksum"):
        fs.open(did).read()
    replica.unlink()
    with pytest.raises(OSError, match="A-DISK"):
        fs.cat_file(did, 0, 2)


def test_replicas_at_ones_own_site_are_read_first() -> None:
    made = SanchoFileSystem(url="http://nowhere", site="SITE-A", skip_instance_cache=True)
    assert (made.reader.site, made.blocking.environment.site) == ("SITE-A", "SITE-A")
    made.close()
    a, b, c = (Source(rse=rse, site=f"SITE-{rse[0]}", url="http://nowhere", token="t") for rse in ("A1", "B1", "A2"))
    assert nearest_first([b, a, c], "SITE-A") == (a, c, b)
    assert nearest_first([b, a], None) == nearest_first([b, a], "ELSEWHERE") == (b, a)


# ---- libraries


def test_pandas_reads_and_writes(fs: Fs, unique: str) -> None:
    url = f"sancho:///belle/mc/{unique}/table.csv"
    table = pd.DataFrame({"run": [1, 2], "events": [10, 20]})
    table.to_csv(url, index=False)
    assert pd.read_csv(f"sancho://mc:{unique}/table.csv").equals(table)


def test_uproot_reads(fs: Fs, unique: str, tmp_path: Path) -> None:
    with libraries.uproot.recreate(tmp_path / "a.root") as file:
        file["events"] = {"x": np.arange(100_000)}
    fs.put_file(str(tmp_path / "a.root"), f"/belle/mc/{unique}/a.root")
    with libraries.uproot.open({f"sancho:///belle/mc/{unique}/a.root": "events"}) as tree:
        assert tree["x"].array(library="np").sum() == np.arange(100_000).sum()


def test_dask_reads_the_files_of_a_directory(fs: Fs, unique: str) -> None:
    for n in range(3):
        fs.pipe_file(f"/belle/mc/{unique}/{n}.txt", f"{n}\n".encode())
    lines = libraries.dask.read_text(f"sancho:///belle/mc/{unique}/*.txt")
    assert lines.map(int).sum().compute(scheduler="threads") == 3


def test_xarray_reads_a_part_of_an_array(fs: Fs, unique: str, tmp_path: Path) -> None:
    with libraries.h5py.File(tmp_path / "a.nc", "w") as file:
        file["x"] = np.arange(1000)
        file["x"].make_scale("x")
        file["field"] = np.arange(1000) * 2
        file["field"].dims[0].attach_scale(file["x"])
    fs.put_file(str(tmp_path / "a.nc"), f"mc:{unique}/a.nc")
    with fs.open(f"mc:{unique}/a.nc") as opened, xr.open_dataset(opened, engine="h5netcdf") as found:
        assert found["field"].sel(x=slice(10, 12)).values.tolist() == [20, 22, 24]
