"""What every service receives: the settings, the database, the secrets, the bank and the memory of one process."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from api.certification.certificates.signing import Signer
from api.clock import Clock
from api.database import Database
from api.keys import Keys
from api.oauth.tokens import Platform, RunLearner
from api.rates import RateLimit
from api.recent import Recent
from api.runs.earlier import Retaking
from api.runs.live import Live
from api.runs.pinned import Pins, Served
from api.runs.stepper import Stepper
from api.settings import Settings
from api.writer import Writer
from engine.certification import CertificationDesign
from itembank.courses import Course

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Context:
    """One per process, made by the application's lifespan and found by ``context_of``."""

    settings: Settings
    clock: Clock
    database: Database
    writer: Writer
    keys: Keys
    token_limit: RateLimit
    code_limit: RateLimit
    entry_limit: RateLimit
    sign_in_limit: RateLimit
    start_limit: RateLimit
    check_limit: RateLimit
    signer: Signer
    platforms: Recent[str, Platform]
    run_learners: Recent[str, RunLearner]
    served: Served
    certification: CertificationDesign
    courses: tuple[Course, ...]
    pins: Pins
    retaking: Retaking
    live_runs: Recent[str, Live]
    stepper: Stepper

    def forget_doors(self) -> None:
        """Forget which tokens and codes open which run: those of somebody who was erased open none."""
        self.run_learners.clear()
        self.live_runs.clear()

    async def read(self, job: Callable[[Connection], Result]) -> Result:
        """Run ``job`` in a transaction that reads, away from the event loop."""

        def work() -> Result:
            with self.database.reading() as connection:
                return job(connection)

        return await run_in_threadpool(work)

    async def write(self, job: Callable[[Connection], Result]) -> Result:
        """Run ``job`` in a transaction that writes, and return its value once that is committed."""
        return await self.writer.submit(job)


def context_of(request: HTTPConnection) -> Context:
    """Return the context of the application that serves ``request``."""
    context: Context = request.app.state.context
    return context
