"""A real nginx in front of our server, with the configuration that the documentation gives."""

import contextlib
import re
from collections.abc import Generator
from pathlib import Path

from tests.realparts.grid_people import GridPeople
from tests.realparts.parts import listening, need, started
from tests.storage_site import free_port

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "x509-clients.md"
PROXY = "127.0.0.2"
"""Where nginx connects from; tests that forge connect from 127.0.0.1."""


@contextlib.contextmanager
def nginx(grid: GridPeople, folder: Path, behind: int) -> Generator[int]:
    """The documented nginx, with this test's paths and ports."""
    program = need("nginx-light", "nginx")
    module = need("libnginx-mod-http-lua", "/usr/lib/nginx/modules/ngx_http_lua_module.so")
    said = re.findall(r"^```(lua|nginx)\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    assert [kind for kind, _ in said] == ["lua", "nginx"]
    (folder / "client_certificates.lua").write_text(said[0][1])
    port = free_port()
    server = said[1][1]
    for ours, theirs in {
        "/etc/nginx/sancho/host.pem": grid.host.cert_file,
        "/etc/nginx/sancho/host.key": grid.host.key_file,
        "/etc/nginx/sancho": folder,
        "listen 443": f"listen 127.0.0.1:{port}",
        "http://127.0.0.1:8080;": f"http://127.0.0.1:{behind}; proxy_bind {PROXY};",
    }.items():
        assert ours in server
        server = server.replace(ours, str(theirs))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder / kind};" for kind in kinds)
    config = folder / "nginx.conf"
    config.write_text(
        f"load_module {Path(module).with_name('ndk_http_module.so')}; load_module {module};\n"
        f"daemon off; master_process off; pid {folder / 'pid'}; error_log {folder / 'error.log'} info; events {{}}\n"
        f"http {{ access_log off; {temporary}\n{server}}}\n"
    )
    log = folder / "nginx.log"
    with started([program, "-c", config, "-e", log], listening(port), log=log):
        yield port
