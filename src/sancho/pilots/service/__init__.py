"""The door to pilots.

`credentials` lets them in, `serving` answers them, `working` their payloads; `assigning` tells them what to run,
`provisioning` makes them, `registered` keeps those that others make.
"""

from sancho.pilots.service.credentials import Machines, login
from sancho.pilots.service.provisioning import count_by_ce, ids_by_stamp, list_pilots, provision, retire_lost, watch
from sancho.pilots.service.registered import count, list_registered, register, search_part, summarise, update
from sancho.pilots.service.serving import beat, begin, finish, match, outputs, reassign, retire, sandbox
from sancho.pilots.service.working import own_inputs, own_job, own_outputs, own_parameters

__all__ = [
    "Machines", "beat", "begin", "count", "count_by_ce", "finish", "ids_by_stamp", "list_pilots", "list_registered",
    "login", "match", "outputs", "own_inputs", "own_job", "own_outputs", "own_parameters", "provision", "reassign",
    "register", "retire", "retire_lost", "sandbox", "search_part", "summarise", "update", "watch",
]  # fmt: skip
