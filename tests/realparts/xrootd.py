"""An XRootD server that gives files over HTTPS to whoever has a token of one issuer."""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.realparts.parts import lack, listening, need, started
from tests.realparts.pki import Authority, Credential
from tests.storage_site import free_port

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""The one file of authorities that libscitokens knows, whatever it is told."""
USER = "xrootd"


@dataclass
class XRootD:
    """A running server: `url` is where its space begins, `root` the folder that this is."""

    url: str
    audience: str
    root: Path
    log: Path


@contextmanager
def xrootd(authority: Authority, host: Credential, issuer: str, space: str = "/grid") -> Generator[XRootD]:
    """A server that trusts the tokens of an issuer for a space, below which their paths are.

    It has a name space of mounts to itself, in which the authority stands in for all of the system's: so it can talk
    to the issuer, and nothing of this machine is changed. It listens on all addresses, for this release cannot else.
    """
    need("xrootd-server", "xrootd")
    need("xrootd-scitokens-plugins", "/usr/lib/x86_64-linux-gnu/libXrdAccSciTokens-5.so")
    if os.geteuid() != 0:
        lack("only root can let XRootD trust a throw-away authority")
    with tempfile.TemporaryDirectory(prefix="sancho-xrootd-") as name:
        folder, port = Path(name), free_port()
        for part in ("data" + space, "admin", "run", "cache"):
            (folder / part).mkdir(parents=True)
        made = XRootD(
            f"https://localhost:{port}{space}", f"https://localhost:{port}", folder / f"data{space}", folder / "log"
        )
        certificate, key = host.copy_for(USER, folder)
        (folder / "ca.pem").write_bytes(authority.file.read_bytes())
        (folder / "scitokens.cfg").write_text(
            f"[Global]\naudience = {made.audience}\nonmissing = deny\n"
            f"[Issuer sancho]\nissuer = {issuer}\nbase_path = {space}\nmap_subject = False\n"
        )
        (folder / "xrootd.cfg").write_text(
            f"all.export {space}\nall.adminpath {folder}/admin\nall.pidpath {folder}/run\noss.localroot {folder}/data\n"
            f"xrd.port {free_port()}\nxrd.network nodnr\nxrd.protocol http:{port} libXrdHttp.so\n"
            f"xrd.tls {certificate} {key}\nxrd.tlsca certfile {folder}/ca.pem\n"
            "http.listingdeny yes\nhttp.selfhttps2http no\nhttp.header2cgi Authorization authz\n"
            f"ofs.authorize 1\nofs.authlib libXrdAccSciTokens.so config={folder}/scitokens.cfg\n"
        )
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, USER, USER)
        mounts = f'mount --bind "$0" {BUNDLE} && exec setpriv --reuid {USER} --regid {USER} --clear-groups "$@"'
        command = [
            "unshare", "--mount", "sh", "-c", mounts, folder / "ca.pem",
            "xrootd", "-n", "sancho", "-c", folder / "xrootd.cfg",
        ]  # fmt: skip
        environment = {"XDG_CACHE_HOME": f"{folder}/cache", "HOME": str(folder)}
        with started(command, listening(port), log=made.log, env=environment):
            yield made
