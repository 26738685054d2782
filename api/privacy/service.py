"""Everything about a learner, its erasure, and who saw it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from api.campaigns.callers import organisation_of_campaign
from api.campaigns.repository import campaign_of
from api.certification.certificates.issue import withdraw_certificates
from api.certification.happening import happen, standing
from api.certification.states import UNDER_WAY, VALIDATED, Kind, Phase
from api.clock import iso
from api.context import Context
from api.learners.service import required_learner
from api.organisations.callers import Staff, required_organisation, who
from api.organisations.deeds import LEARNER_ERASED, LEARNER_EXPORTED
from api.organisations.registrations.service import required_registration
from api.organisations.repository import add_accesses, add_deed
from api.pagination import page, parsed_cursor
from api.privacy.repository import (
    accesses_of,
    candidates_of_learner,
    erase,
    everything,
    is_known,
    organisations_of_learner,
    states_of_candidate,
)
from api.problems import NOT_NOW, Problem

_KEPT = {phase.value for phase in UNDER_WAY | {Phase.ENROLLED, Phase.ENDED, Phase.DECIDED}}
_WHY = "The learner was erased."


def plain(value: Any) -> Any:
    """Write what a database holds as JSON does."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return iso(value) if isinstance(value, datetime) else value


async def learner_data(context: Context, client_id: str, learner_id: str) -> dict[str, Any]:
    """Give everything that is kept of a platform's learner, and note in their log that it was given.

    Raises
    ------
    Problem
        404 unknown learner.
    """

    def read(connection: Connection) -> tuple[str, dict[str, Any]]:
        learner = required_learner(connection, client_id, learner_id)
        return learner.id, plain(everything(connection, learner.id))

    known, told = await context.read(read)
    await context.write(
        lambda connection: add_accesses(connection, [known], None, context.clock(), f"platform:{client_id}", "data")
    )
    return {"learner_id": known, **told}


async def registration_data(
    context: Context, caller: Staff, organisation_id: str, registration_id: str
) -> dict[str, Any]:
    """Give what an organisation holds of a learner: the registration, and what was sent to its campaigns.

    Raises
    ------
    Problem
        404 unknown organisation or learner.
    """

    def read(connection: Connection) -> tuple[str, str, dict[str, Any]]:
        organisation = required_organisation(connection, caller, organisation_id)
        registration = required_registration(connection, organisation.id, registration_id)
        parts = everything(connection, registration.learner_id)
        own = []
        for one in parts["participations"]:
            campaign = campaign_of(connection, one["campaign_id"])
            if campaign is not None and organisation_of_campaign(connection, campaign).id == organisation.id:
                own.append(one if one["sent_at"] is not None else one | {"run_id": None})
        listed = [one for one in parts["registrations"] if one["organisation_id"] == organisation.id]
        seen = [one for one in parts["accesses"] if one["organisation_id"] == organisation.id]
        told = {"registrations": listed, "participations": own, "accesses": seen}
        return organisation.id, registration.learner_id, plain(told)

    organisation, learner, told = await context.read(read)

    def log(connection: Connection) -> None:
        at, by = context.clock(), who(caller)
        add_accesses(connection, [learner], organisation, at, by, "data")
        add_deed(connection, organisation, at, by, LEARNER_EXPORTED, {"registration": registration_id})

    await context.write(log)
    return told


async def erase_learner(context: Context, client_id: str, learner_id: str) -> None:
    """Forget who a platform's learner is; answers and results stay, and lead to nobody. There is no way back.

    Raises
    ------
    Problem
        404 unknown learner; 409 until the outcome of a session that they are enrolled in is published.
    """

    def store(connection: Connection) -> None:
        learner = required_learner(connection, client_id, learner_id)
        forget(connection, learner.id, context.clock(), f"platform:{client_id}")

    await context.write(store)
    context.forget_doors()


def forget(connection: Connection, learner_id: str, at: datetime, by: str) -> None:
    """Forget who a learner is, in a transaction that writes; raise a 409 problem while a session needs to know it.

    Their certificates are revoked by a fact, as any other, so that what is left of a sitting can still be proved.
    """
    is_known(connection, learner_id, lock=True)
    check_erasable(connection, learner_id)
    for candidate_id in candidates_of_learner(connection, learner_id):
        now = standing(connection, candidate_id, lock=True)
        if now.state.phase is Phase.PUBLISHED and now.state.outcome == VALIDATED and not now.state.revoked:
            now = happen(connection, now, Kind.REVOKED, at, by, _WHY)
            withdraw_certificates(connection, candidate_id, now.state.at, _WHY)
    for organisation_id in organisations_of_learner(connection, learner_id):
        add_deed(connection, organisation_id, at, by, LEARNER_ERASED)
    erase(connection, learner_id)


def check_erasable(connection: Connection, learner_id: str) -> None:
    """Raise a 409 problem while a session needs to know who somebody is."""
    if states_of_candidate(connection, learner_id) & _KEPT:
        raise Problem(
            NOT_NOW,
            "The learner is enrolled in a session: take them off its list, or publish its outcomes first.",
            reason="enrolled",
        )


async def list_accesses(
    context: Context, client_id: str, learner_id: str, cursor: str | None, limit: int
) -> dict[str, Any]:
    """Show who saw what of a platform's learner, the latest first, page by page."""
    after = parsed_cursor(cursor)

    def read(connection: Connection) -> list[dict[str, Any]]:
        return accesses_of(connection, required_learner(connection, client_id, learner_id).id, after, limit + 1)

    found = await context.read(read)
    shown, following = page(found, [one["id"] for one in found], limit)
    names = ("at", "who", "what", "organisation_id")
    return {"items": [plain({name: one[name] for name in names}) for one in shown], "next": following}
