"""The steps that take time, one method each: carried out in a thread, answered by an event.

What a step needs beyond its instruction (command, URLs, tokens) is kept here,
in memory, and never written down.
"""

from __future__ import annotations

import os
import threading
from typing import Any, Callable, Dict, List, Tuple

from sancho_pilot import events, faults, wire
from sancho_pilot.cache import Cache
from sancho_pilot.config import Config
from sancho_pilot.events import Event
from sancho_pilot.files import inside, make_private_folder, regular_file, remove_file
from sancho_pilot.instructions import (
    Beat,
    Collect,
    Declare,
    Fetch,
    Finish,
    Login,
    Match,
    PutProduct,
    Refresh,
    Retire,
    SendSandbox,
    Start,
    Step,
    Sweep,
    Unpack,
)
from sancho_pilot.model import CallFailed, Failure, Packed, Product, Trouble
from sancho_pilot.payload import Payload, sweep
from sancho_pilot.places import Places, mark
from sancho_pilot.sandbox import SandboxBroken, pack, unpack
from sancho_pilot.server import Reply, Server
from sancho_pilot.spool import Spool
from sancho_pilot.tail import Tail
from sancho_pilot.transfer import Transfers, examine
from sancho_pilot.wire import Access, ProtocolError, Target

UPLOADED = faults.point("pilot.uploaded")
ASK_AGAIN = 5.0
"""Seconds after which to ask again for work when the server does not say."""
Operation = Callable[[Any, threading.Event], Event]


class Operations:
    """Carries out steps; each returns its event, or raises `CallFailed`. Events get their time from the loop."""

    def __init__(self, config: Config, spool: Spool, server: Server, transfers: Transfers) -> None:
        """Work for one pilot, in a work folder that it has."""
        self._cache = Cache(os.path.join(config.workdir, "cache"))
        self._tell_more = True
        self.access: Dict[int, Access] = {}
        self.payloads: Dict[int, Payload] = {}
        self._config = config
        self._spool = spool
        self._server = server
        self._transfers = transfers
        self._targets: Dict[Tuple[int, int], Target] = {}
        self._answered = False
        self._heard: Tuple[int, ...] = ()
        self._operations: Dict[type, Operation] = {
            Login: self._login,
            Match: self._match,
            Beat: self._beat,
            Retire: self._retire,
            Refresh: self._refresh,
            Unpack: self._unpack,
            Fetch: self._fetch,
            Start: self._start,
            Sweep: self._sweep,
            Collect: self._collect,
            Declare: self._declare,
            PutProduct: self._put,
            SendSandbox: self._send_sandbox,
            Finish: self._finish,
        }

    def carry_out(self, step: Step, cancelled: threading.Event) -> Event:
        """Carry out a step; raises `CallFailed`."""
        try:
            return self._operations[type(step)](step, cancelled)
        except ProtocolError as problem:
            raise CallFailed(Failure(Trouble.REJECTED, f"The server's answer: {problem}", "protocol")) from problem

    def places(self, attempt_id: int) -> Places:
        """Return where the files of an attempt are."""
        return Places(self._spool.folder(attempt_id))

    def forget(self, attempt_id: int) -> None:
        """Drop what is in memory about an attempt."""
        self.access.pop(attempt_id, None)
        self.payloads.pop(attempt_id, None)
        for key in [key for key in self._targets if key[0] == attempt_id]:
            self._targets.pop(key, None)

    def close(self) -> None:
        """Leave nothing behind that is of no use to a later pilot."""
        self._cache.close()

    # ---------------------------------------------------------------------------------- the pilot itself

    def _login(self, step: Login, _cancelled: threading.Event) -> Event:
        self._server.login()
        return events.Welcomed(0.0, step.step, self._server.beat_every)

    def _match(self, step: Match, _cancelled: threading.Event) -> Event:
        answered, self._answered = self._answered, False
        offer = wire.offer(step.free, step.held, answered=answered)
        if self._tell_more:
            offer.update(wire.more(step.free, step.whole, self._cache.warm()))
        try:
            reply = self._server.call("POST", "/match", offer, {**offer, "answered": False})
        except CallFailed as problem:
            if ("warm" in offer or "whole" in offer) and problem.failure.trouble is Trouble.REJECTED:
                self._tell_more = False  # an older server, which knows no such word
            raise
        self._answered = True
        if reply.status == 204 or reply.body is None:
            return events.NoWork(0.0, step.step, reply.retry_after(ASK_AGAIN))
        work, access = wire.assignment(reply.body)
        self.access[work.attempt_id] = access
        self._serve()
        return events.Matched(0.0, step.step, work)

    def _beat(self, step: Beat, _cancelled: threading.Event) -> Event:
        beats = [self._sign_of_life(attempt_id, state) for attempt_id, state in step.attempts]
        said: Dict[str, Any] = {"beats": beats}
        if self._heard:  # a server that numbers no commands knows no such word
            said["acknowledged"] = list(self._heard)
        answer = wire.beat_answer(self._server.call("POST", "/beat", said).body)
        self._heard = answer.commands
        return events.BeatAnswered(0.0, step.step, answer.kill, answer.ended, answer.beat_every)

    def _sign_of_life(self, attempt_id: int, state: str) -> Dict[str, Any]:
        payload = self.payloads.get(attempt_id)
        tail, size = self._tail(attempt_id).read()
        used = (0.0, 0) if payload is None else payload.used()
        return wire.beat(attempt_id, state, (tail, size), used)

    def _retire(self, step: Retire, _cancelled: threading.Event) -> Event:
        self._server.call("POST", "/retire", {"reason": step.reason})
        return events.Retired(0.0, step.step)

    # -------------------------------------------------------------------------------- before the payload

    def _refresh(self, step: Refresh, _cancelled: threading.Event) -> Event:
        work, self.access[step.attempt_id] = wire.assignment(self._call(step, "GET", "").body)
        self._serve()
        return events.Refreshed(0.0, step.step, step.attempt_id, work)

    def _unpack(self, step: Unpack, cancelled: threading.Event) -> Event:
        sandbox = self.access[step.attempt_id].sandbox
        places = self.places(step.attempt_id)
        if sandbox is not None:
            places.make()
            try:
                self._transfers.fetch_sandbox(sandbox, places.input_sandbox, cancelled)
                unpack(places.input_sandbox, places.work)
            except SandboxBroken as problem:
                raise CallFailed(Failure(Trouble.REJECTED, str(problem))) from problem
            finally:
                remove_file(places.input_sandbox)
        return events.Unpacked(0.0, step.step, step.attempt_id)

    def _fetch(self, step: Fetch, cancelled: threading.Event) -> Event:
        places = self.places(step.attempt_id)
        path = places.input(step.wanted)
        if path is None:
            raise CallFailed(Failure(Trouble.REJECTED, "its name is no path below a folder"))
        sources = self.access[step.attempt_id].sources[step.index]
        if step.source >= len(sources):
            raise CallFailed(Failure(Trouble.BROKEN, "it has no replica that this site can read"))
        places.make()
        vo = self.access[step.attempt_id].vo
        make_private_folder(os.path.dirname(path))
        if not self._cache.fill(vo, step.wanted, path):
            self._transfers.fetch(step.wanted, sources[step.source], path, cancelled)
            self._cache.keep(vo, step.wanted, path, cancelled)
        return events.Fetched(0.0, step.step, step.attempt_id)

    def _start(self, step: Start, _cancelled: threading.Event) -> Event:
        self._call(step, "POST", "/start")
        return events.StartConfirmed(0.0, step.step, step.attempt_id)

    # --------------------------------------------------------------------------------- after the payload

    def _sweep(self, step: Sweep, _cancelled: threading.Event) -> Event:
        sweep(mark(self._config.stamp), f"SANCHO_ATTEMPT_ID={step.attempt_id}")
        return events.Swept(0.0, step.step, step.attempt_id)

    def _collect(self, step: Collect, cancelled: threading.Event) -> Event:
        places = self.places(step.attempt_id)
        make_private_folder(places.folder)
        products: List[Product] = []
        missing: List[str] = []
        for output in step.outputs:
            path = inside(places.work, output.path)
            if path is None or regular_file(path) is None:
                missing.append(output.path)
                continue
            size, adler32 = examine(path, cancelled.is_set)
            products.append(Product(output.number, output.path, size, adler32))
        packed = None
        try:
            packed = pack(places.output_sandbox, places.work, places.logs, step.globs)
        except OSError:  # a full disk costs the sandbox, not the outputs
            remove_file(places.output_sandbox)
        return events.Collected(0.0, step.step, step.attempt_id, tuple(products), tuple(missing), packed)

    def _declare(self, step: Declare, _cancelled: threading.Event) -> Event:
        uploads, targets = wire.uploads(self._call(step, "POST", "/outputs", wire.outputs(step.products)).body)
        for number, target in targets.items():
            self._targets[step.attempt_id, number] = target
        return events.Declared(0.0, step.step, step.attempt_id, uploads)

    def _put(self, step: PutProduct, cancelled: threading.Event) -> Event:
        path = inside(self.places(step.attempt_id).work, step.product.path)
        if path is None or regular_file(path) is None:
            raise CallFailed(Failure(Trouble.REJECTED, f"{step.product.path} has gone"))
        target = self._targets[step.attempt_id, step.product.number]
        self._transfers.put(step.product, path, target, look_first=step.look_first, cancelled=cancelled)
        UPLOADED()
        return events.Uploaded(0.0, step.step, step.attempt_id)

    def _send_sandbox(self, step: SendSandbox, cancelled: threading.Event) -> Event:
        path = self.places(step.attempt_id).output_sandbox
        if os.path.exists(path):
            self._put_sandbox(step, step.packed, path, cancelled)
        return events.SandboxSent(0.0, step.step, step.attempt_id)

    def _put_sandbox(self, step: SendSandbox, packed: Packed, path: str, cancelled: threading.Event) -> None:
        said = self._call(step, "POST", "/sandbox", {"size": packed.size, "sha256": packed.sha256}).body
        url = wire.Fields(said, "sandbox").optional_text("url")
        if url is not None:
            self._transfers.put_sandbox(path, packed.size, url, cancelled)

    def _finish(self, step: Finish, _cancelled: threading.Event) -> Event:
        tail, size = self._tail(step.attempt_id).read()
        self._call(step, "POST", "/finish", wire.report(step.report, tail, size))
        return events.Finished(0.0, step.step, step.attempt_id)

    # --------------------------------------------------------------------------------------- mechanics

    def _serve(self) -> None:
        self._cache.serve(access.vo for access in list(self.access.values()))

    def _call(self, step: Any, method: str, path: str, body: Any = None) -> Reply:
        return self._server.call(method, f"/attempts/{step.attempt_id}{path}", body)

    def _tail(self, attempt_id: int) -> Tail:
        payload = self.payloads.get(attempt_id)
        return payload.tail if payload is not None else self.places(attempt_id).tail()


def as_failure(step: Step, failure: Failure) -> Event:
    """Return the event that says that a step failed."""
    attempt_id = getattr(step, "attempt_id", None)
    if attempt_id is None:
        return events.Failed(0.0, step.step, failure)
    return events.StepFailed(0.0, step.step, attempt_id, failure)
