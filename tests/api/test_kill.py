"""The server is killed again and again while learners answer: nothing acknowledged is lost, nothing is stored twice."""

import asyncio
import signal
import subprocess
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from api.clock import now
from api.database import Database
from api.keys import load_keys
from api.oauth.clients import create_client
from api.oauth.scopes import SCOPES
from api.oauth.tokens import sign
from api.runs.replay import prove
from api.runs.repository import facts_of
from api.settings import Settings
from api.tables import REPLY, runs
from tests.load.answers import answer_to
from tests.load.connection import Connection
from tests.load.server import free_port, start, wait_until_up

LEARNERS = 12
RUNS_EACH = 2
KILLS = 5
ANSWERS_BETWEEN_KILLS = 60


@dataclass
class Story:
    """What the learners saw."""

    acknowledged: list[tuple[str, int, str, Any]] = field(default_factory=list)
    resent: int = 0
    finished: list[str] = field(default_factory=list)


@dataclass
class Server:
    """A server that comes back on the same port after each kill."""

    database: str
    port: int
    process: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        self.process = start("api.app:from_environment", self.port, {"JALON_DATABASE": self.database}, factory=True)
        wait_until_up(self.process, self.port, "/v1/health")

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


async def post(port: int, path: str, body: Any, token: str, story: Story) -> tuple[int, Any]:
    """Post until somebody answers: what a client does when the line drops before the acknowledgement."""
    while True:
        try:
            connection = await Connection.open(port)
            try:
                return await connection.post(path, body, token)
            finally:
                connection.writer.close()
        except (OSError, asyncio.IncompleteReadError):
            story.resent += 1
            await asyncio.sleep(0.02)


async def learn(port: int, token: str, story: Story) -> None:
    """Open runs and answer them to the end."""
    for _ in range(RUNS_EACH):
        _, learner = await post(port, "/v1/learners", {}, token, story)
        _, run = await post(port, "/v1/runs", {"learner_id": learner["id"], "length": 32}, token, story)
        run_id, pending = run["id"], run["pending"]
        while pending is not None:
            item, answer = pending["item"], answer_to(pending["item"])
            body = {"position": pending["position"], "item": item["id"], "answer": answer, "seconds": 3.0}
            status, told = await post(port, f"/v1/runs/{run_id}/answers", body, token, story)
            assert status == 200, told
            story.acknowledged.append((run_id, pending["position"], item["id"], answer))
            pending = told["pending"]
        story.finished.append(run_id)


async def scenario(server: Server, token: str) -> Story:
    story = Story()
    learners = [asyncio.create_task(learn(server.port, token, story)) for _ in range(LEARNERS)]
    for kill in range(1, KILLS + 1):
        while len(story.acknowledged) < kill * ANSWERS_BETWEEN_KILLS and not all(task.done() for task in learners):
            await asyncio.sleep(0.001)
        server.kill()
        await asyncio.to_thread(server.up)
    await asyncio.gather(*learners)
    return story


def test_what_was_acknowledged_survives_every_kill(settings: Settings) -> None:
    server = Server(settings.database, free_port())
    with Database(server.database) as database:
        database.migrate()
        client_id, _ = create_client(database, "platform", SCOPES)
        token = sign(load_keys(database).access, client_id, SCOPES, 3600, now())
    server.up()
    try:
        story = asyncio.run(scenario(server, token))
    finally:
        server.kill()

    assert story.resent > 0
    assert len(story.finished) == LEARNERS * RUNS_EACH
    with Database(server.database) as database:
        with database.reading() as connection:
            stored = {run_id: facts_of(connection, run_id) for run_id in connection.scalars(select(runs.c.id))}
        replies = {
            (run_id, fact.position): (fact.item, fact.answer)
            for run_id, facts in stored.items()
            for fact in facts
            if fact.part == REPLY
        }
        for run_id, position, item, answer in story.acknowledged:
            assert replies[run_id, position] == (item, answer)
        for run_id in story.finished:
            places = [(fact.position, fact.part) for fact in stored[run_id]]
            assert places == [(place // 2, place % 2) for place in range(2 * 32 + 1)]
            assert prove(database, run_id).ok
