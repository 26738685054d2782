"""Learners on the list of an organisation: put there by hand, found, changed, taken off."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.clock import iso
from api.context import Context
from api.idempotency import Once, created_before, remember
from api.identifiers import new_id, parsed_id
from api.oauth.tokens import Platform
from api.organisations.callers import Staff, required_organisation, who
from api.organisations.registrations.accounts import Account, account_for, required_account
from api.organisations.registrations.records import Registration
from api.organisations.registrations.repository import (
    add_registration,
    change_registration,
    divisions_of,
    registration_of,
    registrations_of,
)
from api.organisations.registrations.schemas import RegistrationChange, RegistrationRequest
from api.organisations.repository import add_deed
from api.pagination import page, parsed_cursor
from api.problems import INVALID_REQUEST, NOT_NOW, UNKNOWN_REGISTRATION, Problem

_SHOWN = (
    *("id", "learner_id", "last_name", "usual_name", "first_name", "birth_date", "ine", "external_id"),
    *("division", "status", "mef", "active"),
)


def registration_view(registration: Registration) -> dict[str, Any]:
    """Show a learner on the list; what the ministry's file says of their birth stays with the organisation."""
    off = registration.deactivated_at
    return {
        **{name: getattr(registration, name) for name in _SHOWN},
        "created_at": iso(registration.created_at),
        "changed_at": iso(registration.changed_at),
        "deactivated_at": None if off is None else iso(off),
    }


def required_registration(connection: Connection, organisation_id: str, registration_id: str) -> Registration:
    """Return a learner on the list, active or not; raise a 404 problem when there is none."""
    known = parsed_id(registration_id)
    found = None if known is None else registration_of(connection, organisation_id, known)
    if found is None:
        raise Problem(UNKNOWN_REGISTRATION, "The organisation has no learner of this id on its list: check the id.")
    return found


async def register(
    context: Context, caller: Staff, organisation_id: str, order: RegistrationRequest, once: Once | None = None
) -> dict[str, Any]:
    """Put a learner on the list; the same again when ``once`` was used before.

    Raises
    ------
    Problem
        404 unknown organisation or account; 409 when the INE or the number is on the list already; 422 without either.
    """
    if order.ine is None and order.external_id is None and order.learner_id is None:
        raise Problem(
            INVALID_REQUEST, "Give ine or external_id: it tells the learner from all others.", reason="lacks-number"
        )

    def store(connection: Connection) -> dict[str, Any]:
        organisation = required_organisation(connection, caller, organisation_id)
        before = created_before(connection, once)
        if before is not None:
            known = required_registration(connection, organisation.id, before)
            return {**registration_view(known), "apart": False}
        at, born = context.clock(), order.birth_date.isoformat()
        if order.birth_date >= at.date():
            raise Problem(INVALID_REQUEST, "The date of birth must be in the past: correct it.", reason="birth-date")
        if order.learner_id is None:
            account = account_for(connection, organisation, order.ine, born, at)
        elif isinstance(caller, Platform):
            account = Account(required_account(connection, caller, order.learner_id), apart=False)
        else:
            raise Problem(INVALID_REQUEST, "Platforms alone name accounts: leave learner_id out.", reason="account")
        values = order.model_dump(exclude={"learner_id", "birth_date"})
        made = Registration(
            id=new_id(),
            organisation_id=organisation.id,
            learner_id=account.learner_id,
            birth_date=born,
            active=True,
            created_at=at,
            changed_at=at,
            **values,
        )
        add_registration(connection, made)
        add_deed(connection, organisation.id, at, who(caller), "learner_registered", {"registration": made.id})
        remember(connection, once, made.id, at)
        return {**registration_view(made), "apart": account.apart}

    try:
        return await context.write(store)
    except IntegrityError:
        raise Problem(
            NOT_NOW, "A learner with this INE or number is on the list already: change theirs.", reason="listed"
        ) from None


async def list_registrations(
    context: Context,
    caller: Staff,
    organisation_id: str,
    cursor: str | None,
    limit: int,
    division: str | None = None,
    active: bool | None = True,
    name: str | None = None,
) -> dict[str, Any]:
    """Show the learners on the list, in the order of their coming, page by page."""
    after = parsed_cursor(cursor)

    def read(connection: Connection) -> list[Registration]:
        organisation = required_organisation(connection, caller, organisation_id)
        return registrations_of(connection, organisation.id, after, limit + 1, division, active, name)

    found = await context.read(read)
    shown, following = page(found, [one.id for one in found], limit)
    return {"items": [registration_view(one) for one in shown], "next": following}


async def find_registration(
    context: Context, caller: Staff, organisation_id: str, registration_id: str
) -> dict[str, Any]:
    """Show a learner on the list; raise a 404 problem when there is none."""

    def read(connection: Connection) -> Registration:
        organisation = required_organisation(connection, caller, organisation_id)
        return required_registration(connection, organisation.id, registration_id)

    return registration_view(await context.read(read))


async def alter_registration(
    context: Context, caller: Staff, organisation_id: str, registration_id: str, order: RegistrationChange
) -> dict[str, Any]:
    """Change a learner on the list, take them off it, or put them back with their history.

    Raises
    ------
    Problem
        404 unknown organisation or learner; 422 when something that is needed would be null.
    """
    given = order.model_dump(exclude_unset=True)
    empty = [name for name in ("last_name", "first_name", "birth_date", "active") if given.get(name, "") is None]
    if empty:
        raise Problem(INVALID_REQUEST, f"{', '.join(empty)} cannot be null: leave it out.", reason="lacks-names")
    if "birth_date" in given:
        given["birth_date"] = given["birth_date"].isoformat()

    def store(connection: Connection) -> Registration:
        organisation = required_organisation(connection, caller, organisation_id)
        registration = required_registration(connection, organisation.id, registration_id)
        changed = {name: value for name, value in given.items() if value != getattr(registration, name)}
        if changed:
            at = context.clock()
            off = {} if "active" not in changed else {"deactivated_at": None if changed["active"] else at}
            change_registration(connection, registration.id, {**changed, **off, "changed_at": at})
            data = {"registration": registration.id, "changed": sorted(changed)}
            add_deed(connection, organisation.id, at, who(caller), "learner_changed", data)
        return required_registration(connection, organisation.id, registration.id)

    return registration_view(await context.write(store))


async def list_teams(context: Context, caller: Staff, organisation_id: str) -> dict[str, Any]:
    """Show the classes of an organisation, by name, with the number of their active learners."""

    def read(connection: Connection) -> list[tuple[str | None, int]]:
        organisation = required_organisation(connection, caller, organisation_id)
        return divisions_of(connection, organisation.id)

    found = await context.read(read)
    return {"items": [{"division": division, "learners": learners} for division, learners in found]}
