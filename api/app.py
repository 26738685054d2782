"""The application: settings in, an ASGI application out. Nothing else reads settings or knows a global."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.concurrency import run_in_threadpool
from threadpoolctl import threadpool_limits

from api.body_limit import BodyLimit
from api.campaigns.routers import ROUTERS as CAMPAIGNS
from api.certification.certificates.signing import load_signer
from api.certification.routers import ROUTERS as CERTIFICATION
from api.clock import Clock, SteadyClock
from api.context import Context
from api.database import Database
from api.description import described
from api.errors import install_error_handlers
from api.framework.endpoints import router as framework
from api.headers import SecurityHeaders
from api.keys import load_keys
from api.learners.endpoints import router as learners
from api.oauth.endpoints import router as oauth
from api.organisations.routers import ROUTERS as ORGANISATIONS
from api.pages.install import install_pages
from api.privacy.endpoints import of_organisation as registration_data
from api.privacy.endpoints import router as privacy
from api.rates import RateLimit
from api.recent import Recent
from api.runs.earlier import Retaking
from api.runs.endpoints import router as runs
from api.runs.pinned import Pins, Served
from api.runs.stepper import Stepper
from api.settings import Settings
from api.writer import Writer
from engine.errors import SettingError
from itembank.bank import ItemBank
from itembank.certification import load_certification
from itembank.courses import load_courses
from itembank.files import load_bank, shipped_bank

_TOKENS = 4_096


def create_app(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """Make the application; its database is opened and migrated when it starts, and closed when it stops.

    Time comes from ``clock`` alone; the server's own when left out.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        context = await run_in_threadpool(open_context, settings, clock or SteadyClock())
        app.state.context = context
        try:
            with threadpool_limits(limits=1, user_api="blas"):  # products here are small, and threads cost more
                yield
        finally:
            await context.writer.close()
            context.database.close()

    app = FastAPIOffline(  # its documentation page needs no other host
        title="Jalon",
        summary="Adaptive positioning on the CRCN.",
        version=_version(),
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
        redirect_slashes=False,
    )
    privately = (privacy, registration_data)
    rooms = (runs, *CAMPAIGNS, learners, framework, oauth, *privately, *ORGANISATIONS, *CERTIFICATION)
    ours = [route for router in rooms for route in router.routes]
    app.router.routes[:0] = ours  # flat, for an included router is searched twice; the hot path first
    install_error_handlers(app)
    install_pages(app)
    app.openapi = partial(described, app)  # type: ignore[method-assign]
    app.add_middleware(BodyLimit, limit=settings.body_limit, import_limit=settings.import_limit, routes=app.routes)
    app.add_middleware(SecurityHeaders, https=settings.https)
    return app


def from_environment() -> FastAPI:
    """Make the application from ``JALON_`` variables, for ``uvicorn --factory api.app:from_environment``."""
    return create_app(Settings())


def prepare(settings: Settings) -> None:
    """Migrate the database and read the bank once, before any worker starts; what is wrong is told here."""
    _bank(settings)
    load_certification(settings.bank)
    load_courses(settings.bank)
    with Database(settings.database) as database:
        database.migrate()
        load_keys(database)
        load_signer(settings, database)


def open_context(settings: Settings, clock: Clock) -> Context:
    """Open what the services need: the migrated database, its writer, the secrets and the bank."""
    bank = _bank(settings)
    database = Database(settings.database)
    try:
        database.migrate()
        keys, signer = load_keys(database), load_signer(settings, database)
    except SettingError:
        database.close()
        raise
    pins = Pins()
    writer = Writer(database, settings.write_batch)
    return Context(
        settings=settings,
        clock=clock,
        database=database,
        writer=writer,
        keys=keys,
        token_limit=RateLimit("token", settings.token_rate),
        code_limit=RateLimit("code", settings.code_rate),
        entry_limit=RateLimit("entry", settings.entry_rate),
        sign_in_limit=RateLimit("sign-in", settings.sign_in_rate),
        start_limit=RateLimit("start", settings.start_rate),
        check_limit=RateLimit("check", settings.check_rate),
        signer=signer,
        platforms=Recent(_TOKENS),
        run_learners=Recent(_TOKENS),
        served=Served(bank, pins),
        certification=load_certification(settings.bank),
        courses=load_courses(settings.bank),
        pins=pins,
        retaking=Retaking(
            half_life_days=settings.evidence_half_life_days,
            fresh_runs=settings.fresh_runs,
            least_items=settings.fresh_items,
        ),
        live_runs=Recent(settings.live_runs),
        stepper=Stepper(writer.when_answered),
    )


def _bank(settings: Settings) -> ItemBank:
    return shipped_bank() if settings.bank is None else load_bank(settings.bank)


def _version() -> str:
    try:
        return version("jalon")
    except PackageNotFoundError:
        return "0"
