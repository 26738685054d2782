"""A campaign of many learners at once: how long they wait, and whether everything they were told is stored.

    python -m tests.load.campaign [--learners 2000] [--every 20] [--within 120] [--items 30]
                                  [--server 1] [--database URL]

Learners of a list come within two minutes, read what the code opens, enter, start, answer an item every 20 seconds on
average (exponential pauses, one item in seven skipped) and send their results, each on a connection of their own, while
a teacher looks at the follow-up. Everything runs on this machine: these learners, the server, and PostgreSQL with its
ordinary durable settings, started in a temporary folder unless a database is named. It ends with status 1 when a
request failed, an answer is lost or stored twice, or the p99 of any kind of request is 500 ms or more.
"""

import argparse
import asyncio
import json
import random
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from typing import Any

from api.campaigns.repository import participation_of
from api.clock import now
from api.database import Database
from api.identifiers import new_id
from api.keys import load_keys
from api.learners.repository import Learner as Account
from api.learners.repository import add_learner
from api.oauth.clients import create_client
from api.oauth.scopes import SCOPES
from api.oauth.tokens import sign
from api.organisations.registrations.records import Registration
from api.organisations.registrations.repository import add_registration
from api.runs.repository import facts_of
from api.tables import REPLY
from tests.load.figures import Figures
from tests.load.learner import Browser, Learner
from tests.load.postgresql import postgresql
from tests.load.server import running

TARGET = 0.5
"""Seconds under which 99 requests of 100 are answered."""
LOOKS = 10.0
"""Seconds between two looks of the teacher."""
DAY = 86_400


def person(number: int) -> dict[str, str]:
    born = date(2009, 1, 1) + timedelta(days=number % 365)
    return {"first_name": f"Prénom {number}", "last_name": "Élève", "birth_date": born.isoformat()}


def register(database: Database, client_id: str, organisation_id: str, count: int) -> None:
    """Put learners on the list of an organisation, in classes of 30."""
    at = now()
    with database.writing() as connection:
        for number in range(count):
            account = Account(new_id(), client_id, None, at)
            add_learner(connection, account)
            registration = Registration(
                id=new_id(),
                organisation_id=organisation_id,
                learner_id=account.id,
                active=True,
                created_at=at,
                changed_at=at,
                external_id=f"E{number}",
                division=f"2{number // 30}",
                **person(number),
            )
            add_registration(connection, registration)


async def prepare(port: int, database: Database, arguments: argparse.Namespace) -> tuple[str, Any]:
    """Make the organisation, its list and its campaign; a token of the platform, and the campaign."""
    client_id, _ = create_client(database, "load", SCOPES)
    token = sign(load_keys(database).access, client_id, SCOPES, DAY, now())
    browser = Browser(port, Figures())
    organisation = await browser.call("", "POST", "/v1/organisations", {"name": "Lycée"}, token)
    register(database, client_id, organisation["id"], arguments.learners)
    framework = await browser.call("", "GET", "/v1/framework")
    codes = [competence["code"] for domain in framework["domains"] for competence in domain["competences"]]
    order = {"title": "Rentrée", "competences": codes, "length": arguments.items}
    path = f"/v1/organisations/{organisation['id']}/campaigns"
    campaign = await browser.call("", "POST", path, order, token)
    browser.leave()
    return token, campaign


async def look(browser: Browser, campaign_id: str, token: str) -> None:
    """Look at how far the learners are, again and again."""
    while True:
        told = await browser.call("follow-up", "GET", f"/v1/campaigns/{campaign_id}/follow-up", None, token)
        print("  ".join(f"{name} {told[name]}" for name in ("started", "finished", "sent")), flush=True)
        await asyncio.sleep(LOOKS)


async def hold(port: int, database: Database, arguments: argparse.Namespace) -> tuple[Figures, list[Learner]]:
    """Hold the campaign, from the first learner who comes to the last who sends."""
    token, campaign = await prepare(port, database, arguments)
    figures = Figures()
    learners = [
        Learner(person(number), Browser(port, figures), random.Random(number)) for number in range(arguments.learners)
    ]
    teacher = asyncio.create_task(look(Browser(port, figures), campaign["id"], token))
    code = campaign["access_code"]
    await asyncio.gather(*(learner.take_part(code, arguments.within, arguments.every) for learner in learners))
    teacher.cancel()
    return figures, learners


def faults(database: Database, learners: list[Learner]) -> Counter[str]:
    """Compare what is stored with what the learners were told."""
    found: Counter[str] = Counter()
    with database.reading() as connection:
        for learner in learners:
            replies = [fact for fact in facts_of(connection, learner.run_id) if fact.part == REPLY]
            stored = Counter(_reply(fact.position, fact.item, fact.answer) for fact in replies)
            told = Counter(_reply(*reply) for reply in learner.acknowledged)
            found["answers lost"] += (told - stored).total()
            found["answers stored that nobody was told of"] += (stored - told).total()
            sent = participation_of(connection, learner.participation_id)
            found["learners who have not sent"] += learner.snapshot is None
            if learner.snapshot is not None:
                found["snapshots lost"] += sent is None or sent.sent_at is None or sent.snapshot != learner.snapshot
    return +found


def _reply(position: int, item: str | None, answer: Any) -> str:
    return json.dumps([position, item, answer])


def report(figures: Figures, found: Counter[str], learners: list[Learner]) -> bool:
    """Print what was measured; whether it is as it must be."""
    print(*figures.lines(), sep="\n")
    print(f"{sum(len(one.acknowledged) for one in learners)} answers acknowledged, {figures.errors.total()} errors")
    for what, count in (found + figures.errors).most_common():
        print(f"NOT AS IT MUST BE: {what}: {count}")
    if figures.slowest >= TARGET:
        print(f"NOT AS IT MUST BE: the p99 of a kind of request is {1000 * figures.slowest:.0f} ms")
    return not found and not figures.errors and figures.slowest < TARGET


@contextmanager
def database_url(given: str | None) -> Iterator[str]:
    with ExitStack() as ending:
        yield given or ending.enter_context(postgresql())


def open_many_files(learners: int) -> None:
    """Let this process, and the server that it starts, have a connection for each learner."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = learners + 256
    if most != resource.RLIM_INFINITY and most < wanted:
        sys.exit(f"This machine allows {most} open files and {wanted} are needed: raise it with ulimit -n.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--learners", type=int, default=2000)
    parser.add_argument("--every", type=float, default=20.0, help="seconds between two answers of a learner")
    parser.add_argument("--within", type=float, default=120.0, help="seconds in which all of them come")
    parser.add_argument("--items", type=int, default=30, help="questions for each: ten minutes, at one in 20 seconds")
    parser.add_argument("--server", type=int, default=1, help="processes of the server")
    parser.add_argument("--database", help="URL; a PostgreSQL server of its own when left out")
    arguments = parser.parse_args()
    open_many_files(arguments.learners)
    with database_url(arguments.database) as url, Database(url) as database:
        database.migrate()
        environment = {"JALON_DATABASE": url}
        application = "api.app:from_environment"
        with running(application, "/v1/health", environment, factory=True, workers=arguments.server) as port:
            figures, learners = asyncio.run(hold(port, database, arguments))
        served = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"{database.dialect}: the server used {served.ru_utime + served.ru_stime:.0f} s of processor")
        good = report(figures, faults(database, learners), learners)
    sys.exit(not good)


if __name__ == "__main__":
    main()
