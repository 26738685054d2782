"""How many answers a second are posted durably, as a share of a bare FastAPI endpoint in the same run.

    python -m tests.load.answers [--connections 32] [--runs 6] [--rounds 3] [--database URL]

Every connection answers runs of 48 items one after the other; both servers are uvicorn with one worker, each in turn.
An answer is counted when its response has come, which is after COMMIT (SQLite: synchronous = FULL).
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from api.database import Database
from api.oauth.clients import create_client
from api.oauth.scopes import SCOPES
from tests.load.connection import Connection
from tests.load.server import running


def answer_to(item: dict[str, Any]) -> Any:
    """Any answer of the right shape."""
    codes = [choice["code"] for choice in item.get("choices", ())]
    match item["kind"]:
        case "single_choice":
            return codes[0]
        case "multiple_choice":
            return codes[:1]
        case "ordering":
            return codes
        case "matching":
            return dict.fromkeys(codes, item["options"][0]["code"])
        case "number":
            return 42
        case _:
            return "texte"


async def open_runs(port: int, credentials: tuple[str, str], count: int) -> tuple[str, list[dict[str, Any]]]:
    """Open runs, each for a learner of its own; not measured."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    form = f"grant_type=client_credentials&client_id={credentials[0]}&client_secret={credentials[1]}".encode()
    writer.write(
        b"POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(form) + form
    )
    token = (await reader.read()).decode().partition('"access_token":"')[2].partition('"')[0]
    writer.close()
    connection = await Connection.open(port)
    runs = []
    for _ in range(count):
        _, learner = await connection.post("/v1/learners", {}, token)
        status, run = await connection.post("/v1/runs", {"learner_id": learner["id"]}, token)
        if status != 201:
            raise RuntimeError(f"no run was opened: {run}")
        runs.append(run)
    await connection.close()
    return token, runs


async def answer_runs(port: int, token: str, runs: list[dict[str, Any]]) -> list[float]:
    """Answer runs to their end on one connection; seconds of each answer."""
    connection = await Connection.open(port)
    latencies = []
    for run in runs:
        pending, run_id = run["pending"], run["id"]
        while pending is not None:
            item = pending["item"]
            body = {"position": pending["position"], "item": item["id"], "answer": answer_to(item), "seconds": 20.0}
            begun = time.perf_counter()
            status, answer = await connection.post(f"/v1/runs/{run_id}/answers", body, token)
            latencies.append(time.perf_counter() - begun)
            if status != 200:
                raise RuntimeError(f"an answer was refused: {answer}")
            pending = answer["pending"]
    await connection.close()
    return latencies


async def call_bare(port: int, count: int) -> list[float]:
    """Call the bare endpoint on one connection; seconds of each call."""
    connection = await Connection.open(port)
    body = {"position": 0, "item": "crcn-1.1-01", "answer": "a", "seconds": 20.0}
    latencies = []
    for _ in range(count):
        begun = time.perf_counter()
        await connection.post("/bare", body)
        latencies.append(time.perf_counter() - begun)
    await connection.close()
    return latencies


async def measured(work: Callable[[int], Awaitable[list[float]]], connections: int) -> tuple[float, list[float]]:
    """Requests a second and their latencies, over all connections at once."""
    begun = time.perf_counter()
    each = await asyncio.gather(*(work(number) for number in range(connections)))
    latencies = [seconds for one in each for seconds in one]
    return len(latencies) / (time.perf_counter() - begun), latencies


async def measure(arguments: argparse.Namespace, database: str, credentials: tuple[str, str]) -> None:
    connections, runs = arguments.connections, arguments.runs
    environment = {"JALON_DATABASE": database, "JALON_TOKEN_RATE": "1000/minute"}
    rates: dict[str, list[float]] = {"bare": [], "answers": []}
    waits: list[float] = []
    with (
        running("tests.load.bare:app", "/openapi.json", {}) as bare,
        running("api.app:from_environment", "/v1/health", environment, factory=True) as api,
    ):
        for number in range(1, arguments.rounds + 1):
            rate, _ = await measured(lambda _: call_bare(bare, runs * 120), connections)
            rates["bare"].append(rate)
            token, opened = await open_runs(api, credentials, connections * runs)
            shares = [opened[first::connections] for first in range(connections)]
            rate, latencies = await measured(
                lambda place, token=token, shares=shares: answer_runs(api, token, shares[place]), connections
            )
            rates["answers"].append(rate)
            waits += latencies
            print(f"round {number}: bare {rates['bare'][-1]:.0f}/s, answers {rate:.0f}/s", flush=True)
    ratio = statistics.median(answers / bare for answers, bare in zip(rates["answers"], rates["bare"], strict=True))
    cuts = statistics.quantiles(waits, n=100)
    print(f"answers {len(waits)}, median {statistics.median(rates['answers']):.0f}/s, ratio to bare {ratio:.2f}")
    print(f"latency p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, max {max(waits) * 1000:.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--runs", type=int, default=6, help="runs of each connection in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", help="SQLite file of its own when left out")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = arguments.database or f"sqlite:///{Path(folder) / 'load.db'}"
        with Database(url) as database:
            database.migrate()
            credentials = create_client(database, "load", SCOPES)
        asyncio.run(measure(arguments, url, credentials))


if __name__ == "__main__":
    main()
