"""The door to pilots: `serving` answers them, `assigning` tells them what to run, `provisioning` makes them."""

from sancho.pilots.service.provisioning import list_pilots, provision, retire_lost, watch
from sancho.pilots.service.serving import beat, begin, finish, login, match, outputs, reassign, retire, sandbox

__all__ = [
    "beat", "begin", "finish", "list_pilots", "login", "match", "outputs", "provision", "reassign", "retire",
    "retire_lost", "sandbox", "watch",
]  # fmt: skip
