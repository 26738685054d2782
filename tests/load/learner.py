"""A learner in a campaign, as a browser is: enters with the code, answers at their pace, sends the results."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Any

from tests.load.answers import answer_to
from tests.load.connection import Connection
from tests.load.figures import Figures

ATTEMPTS = 3
"""Times that a request is sent whose connection breaks off."""
PATIENCE = 60.0
"""Seconds after which nobody waits any more."""
SKIPS = 0.15
"""Share of the items that learners skip."""


class RefusedError(Exception):
    """The server did not do what was asked: the learner stops there."""


@dataclass
class Browser:
    """One connection, opened again when the server has closed it, which it does after seconds of silence."""

    port: int
    figures: Figures
    connection: Connection | None = None

    async def call(self, kind: str, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """Send a request and give the body of its answer; its time counts from the first attempt."""
        begun = time.perf_counter()
        for _ in range(ATTEMPTS):
            kept = self._kept()
            try:
                async with asyncio.timeout(PATIENCE):
                    status, told = await (await self._open()).call(method, path, body, token)
            except (OSError, asyncio.IncompleteReadError) as error:  # a time-out is an OSError too
                if kept and not isinstance(error, TimeoutError):
                    self.figures.crossed += 1
                else:
                    self.figures.errors[f"{kind}: {type(error).__name__}"] += 1
                self.leave()
                continue
            self.figures.seconds[kind].append(time.perf_counter() - begun)
            if status >= 400:
                self.figures.errors[f"{kind}: {status} {told['detail']}"] += 1
                raise RefusedError(told["detail"])
            return told
        raise RefusedError(f"{kind}: no answer after {ATTEMPTS} attempts")

    def leave(self) -> None:
        """Close the connection."""
        if self.connection is not None:
            self.connection.writer.close()
            self.connection = None

    def _kept(self) -> bool:
        """Whether the connection of the last request may serve again."""
        if self.connection is not None and self.connection.reader.at_eof():
            self.figures.reopened += 1
            self.leave()
        return self.connection is not None

    async def _open(self) -> Connection:
        if self.connection is None:
            self.connection = await Connection.open(self.port)
        return self.connection


@dataclass
class Learner:
    """Somebody on the list, what they do, and what they were told."""

    who: dict[str, str]
    browser: Browser
    draw: random.Random
    run_id: str = ""
    acknowledged: list[tuple[int, str, Any]] = field(default_factory=list)
    """Position, item and answer of every reply of which the server said that it is stored."""
    participation_id: str = ""
    snapshot: Any = None
    """What was sent, as the server told it."""

    async def take_part(self, code: str, within: float, pause: float) -> None:
        """Come some time within ``within`` seconds, and think for ``pause`` seconds on average before each reply."""
        await asyncio.sleep(within * self.draw.random())
        try:
            await self._take_part(code, pause)
        except RefusedError:  # counted by the browser
            pass
        finally:
            self.browser.leave()

    async def _take_part(self, code: str, pause: float) -> None:
        browser = self.browser
        await browser.call("read code", "GET", f"/v1/campaign-codes/{code}")
        entered = await browser.call("enter", "POST", "/v1/participations", {"code": code} | self.who)
        self.participation_id, token = entered["id"], entered["token"]
        path = f"/v1/participations/{entered['id']}"
        run = (await browser.call("start", "POST", f"{path}/start", {}, token))["run"]
        self.run_id, pending = run["id"], run["pending"]
        while pending is not None:
            seconds = self.draw.expovariate(1 / pause)
            await asyncio.sleep(seconds)
            pending = await self._reply(pending, seconds, run["learner_token"])
        self.snapshot = (await browser.call("send", "POST", f"{path}/send", None, token))["snapshot"]

    async def _reply(self, pending: Any, seconds: float, token: str) -> Any:
        position, item = pending["position"], pending["item"]
        answer = None if self.draw.random() < SKIPS else answer_to(item)
        reply = {"skipped": True} if answer is None else {"answer": answer}
        body = {"position": position, "item": item["id"], "seconds": seconds} | reply
        told = await self.browser.call("answer", "POST", f"/v1/runs/{self.run_id}/answers", body, token)
        self.acknowledged.append((position, item["id"], answer))
        return told["pending"]
