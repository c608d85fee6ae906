"""How systemd keeps a grid running."""

from sancho.local.home import Home
from sancho.local.steps import verb


def unit(home: Home) -> str:
    """Return a systemd unit that brings a grid up at boot."""
    wanted_by = "multi-user.target" if home.folder.owner() == "root" else "default.target"
    lines = [
        "[Unit]",
        f"Description=Sancho grid in {home.folder}",
        "After=network.target",
        "",
        "[Service]",
        f"ExecStart={' '.join(verb('up', '--foreground', '--home', str(home.folder)))}",
        "Restart=on-failure",
        "KillMode=mixed",
        "TimeoutStopSec=180",
        "",
        "[Install]",
        f"WantedBy={wanted_by}",
    ]
    return "\n".join(lines) + "\n"
