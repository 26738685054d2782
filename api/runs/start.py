"""Opening a run: pin the bank and the design, take earlier evidence in, ask the first item; one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.context import Context
from api.idempotency import Once, created_before, remember
from api.identifiers import fingerprint, learner_token, new_access_code, new_id, new_seed
from api.learners.repository import Learner, add_learner
from api.learners.service import required_learner
from api.problems import (
    INVALID_REQUEST,
    NOTHING_TO_ASK,
    SELF_SERVICE_OFF,
    UNAVAILABLE,
    UNKNOWN_COMPETENCE,
    Problem,
)
from api.runs.beginning import Beginning
from api.runs.earlier import comparable, replied_items
from api.runs.facts import Fact, Run
from api.runs.live import Live, ending, live_after, question
from api.runs.lookup import unknown_run
from api.runs.pinned import Bank, PinnedTest
from api.runs.repository import (
    add_facts,
    add_run,
    facts_of,
    finish_run,
    finished_runs,
    pin,
    replies_of,
    run_of,
)
from api.runs.results import told_result
from engine.designs import to_dict
from engine.errors import BankError, DesignError
from engine.stopping import Reason
from itembank.positioning import positioning_design

ATTEMPTS = 3
Also = Callable[[Connection, Run], None]
"""What is stored with a new run."""


@dataclass(frozen=True)
class Order:
    """What run is wanted.

    Parameters
    ----------
    competences : tuple of codes or None
        All competences when None.
    locale : str
        Language of the items.
    accessible : tuple of flags
        Only items that suit all of them: ``blind``, ``colour_blind``, ``deaf``.
    length : int or None
        Items asked; the design's own default when None.
    seed : int or None
        Of the draws; drawn at random when None.
    skip : {"unknown", "incorrect", "ignored"}
        What a skip says.
    counts : bool
        Whether earlier runs are taken in, and whether later ones and the profile take this one in.
    """

    competences: tuple[str, ...] | None = None
    locale: str = "fr"
    accessible: tuple[str, ...] = ()
    length: int | None = None
    seed: int | None = None
    skip: str = "unknown"
    counts: bool = True


@dataclass(frozen=True)
class Opened:
    """A run just opened, and the learner's token for it."""

    live: Live
    token: str


async def open_run(
    context: Context, client_id: str, learner_id: str, order: Order, once: Once | None = None, also: Also | None = None
) -> Opened:
    """Open a run for a platform's learner; the same again when ``once`` was used before.

    Parameters
    ----------
    context : Context
    client_id, learner_id : str
    order : Order
    once : Once, optional
        The same request sent again opens nothing.
    also : function of (connection, run), optional
        Stores what belongs to the new run, in its transaction.

    Raises
    ------
    Problem
        404 unknown learner; 422 unknown competence, nothing to ask, or a length that does not suit.
    """

    def prepare(connection: Connection) -> Live:
        return _prepared(context, connection, required_learner(connection, client_id, learner_id), order)

    for _ in range(ATTEMPTS):
        before = await context.read(lambda connection: created_before(connection, once))
        if before is not None:
            return await _as_opened(context, before)
        live = await context.read(prepare)
        try:
            stored = await context.write(partial(_store, context, live, once, also))
        except IntegrityError:
            continue
        return _kept(context, live) if stored == live.run.id else await _as_opened(context, stored)
    raise Problem(UNAVAILABLE, "The run could not be opened: send the request again.", headers={"Retry-After": "1"})


async def open_own_run(context: Context, order: Order, address: str, before: Run | None = None) -> Opened:
    """Open a run for a visitor, a learner of no platform.

    Parameters
    ----------
    context : Context
    order : Order
    address : str
        Where the request came from: so many runs are allowed to each.
    before : Run, optional
        The run that the visitor took before: the same learner goes on, and its answers count. Not that of a platform.

    Raises
    ------
    Problem
        403 when self-service is off; 429 after too many runs; 422 as for a platform's run.
    """
    if not context.settings.self_service:
        raise Problem(SELF_SERVICE_OFF, "Runs are opened by a platform here: enter the access code that it gave.")
    context.start_limit.try_once(address)
    known = before.learner_id if before is not None and before.client_id is None else None
    learner = Learner(known or new_id(), None, None, context.clock())
    live = await context.read(lambda connection: _prepared(context, connection, learner, order))

    def store(connection: Connection) -> str:
        if known is None:
            add_learner(connection, learner)
        return _store(context, live, None, None, connection)

    await context.write(store)
    return _kept(context, live)


def _kept(context: Context, live: Live) -> Opened:
    context.live_runs.put(live.run.id, live)
    return Opened(live, learner_token(context.keys.learner, live.run.id))


async def _as_opened(context: Context, run_id: str) -> Opened:
    """Return a run as it was when it was opened, for a request that is sent again."""

    def read(connection: Connection) -> Live:
        run = run_of(connection, run_id)
        if run is None:
            raise unknown_run()
        first = facts_of(connection, run_id)[:1]
        live = live_after(connection, context.pins, run, first)
        return live if live.pending is None else replace(live, run=replace(run, finished_at=None))

    live = await context.read(read)
    return Opened(live, learner_token(context.keys.learner, run_id))


def _prepared(context: Context, connection: Connection, learner: Learner, order: Order) -> Live:
    """Decide everything about a new run, and store nothing."""
    at = context.clock()
    test = _test(context, order)
    bank = test.bank
    before = finished_runs(connection, learner.id) if order.counts else []
    finished = comparable(connection, context.pins, bank, before)
    allowed = bank.snapshot.allowed(order.accessible, (), order.competences)
    latest = finished[: context.retaking.fresh_runs]
    seen = replied_items(replies_of(connection, [run.id for run in latest]), latest)
    run = Run(
        id=new_id(),
        learner_id=learner.id,
        client_id=learner.client_id,
        snapshot_hash=bank.snapshot.hash,
        design_hash=test.design_hash,
        seed=new_seed() if order.seed is None else order.seed,
        locale=order.locale,
        competences=order.competences or bank.snapshot.framework.codes,
        accessible=order.accessible,
        earlier=context.retaking.weights(finished, at),
        excluded=context.retaking.excluded(bank, allowed, seen),
        access_code=new_access_code(),
        created_at=at,
        counts=order.counts,
    )
    beginning = Beginning.of(connection, context.pins, run)
    state, decision = beginning.first(run.seed)
    if not decision.done:
        return Live(run, test, state, 0, int(decision.item), at, beginning.replied)
    if int(decision.reason) == Reason.NOTHING_LEFT:
        raise Problem(
            NOTHING_TO_ASK, "The bank has no item that suits this run: ask for more competences, or fewer limits."
        )
    live = Live(replace(run, finished_at=at), test, state, 0, None, at, beginning.replied)
    return replace(live, ended=ending(live, int(decision.reason), at, told_result(live)))


def _test(context: Context, order: Order) -> PinnedTest:
    bank = _bank(context, order.locale)
    framework = bank.snapshot.framework
    for code in order.competences or ():
        if code not in framework.codes:
            raise Problem(
                UNKNOWN_COMPETENCE, f"There is no competence {code!r}: the codes are {', '.join(framework.codes)}."
            )
    try:
        return context.pins.ready(bank, positioning_design(framework, order.competences, order.length, skip=order.skip))
    except DesignError as error:
        raise Problem(INVALID_REQUEST, str(error)) from None


def _bank(context: Context, locale: str) -> Bank:
    try:
        return context.served.bank(locale)
    except BankError:
        raise Problem(NOTHING_TO_ASK, f"The bank has no item in the language {locale!r}: ask for another.") from None


def _store(context: Context, live: Live, once: Once | None, also: Also | None, connection: Connection) -> str:
    """Store a new run with its first question; return its id, or that of the run that ``once`` opened before."""
    before = created_before(connection, once)
    if before is not None:
        return before
    run, snapshot = live.run, live.test.snapshot
    at: datetime = run.created_at
    pin(
        connection,
        (run.snapshot_hash, snapshot.to_json),
        (run.design_hash, to_dict(live.test.design)),
        at,
    )
    add_run(connection, run, fingerprint(learner_token(context.keys.learner, run.id)))
    first: Fact = live.ended if live.ended is not None else question(live, at)
    add_facts(connection, (first,))
    if live.ended is not None:
        finish_run(connection, run.id, at)
    if also is not None:
        also(connection, run)
    remember(connection, once, run.id, at)
    return run.id
