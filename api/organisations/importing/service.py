"""Lists of learners: read, shown as a difference, and only then applied."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import IO, Any, Final

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.certification.texts import LONGEST
from api.clock import iso
from api.context import Context
from api.identifiers import new_id, parsed_id
from api.organisations.callers import Staff, required_organisation, who
from api.organisations.importing.columns import FREGATA
from api.organisations.importing.faults import IDENTIFIER_UNIQUE, Fault
from api.organisations.importing.layout import Layout
from api.organisations.importing.mapping import Mapping, layout_of
from api.organisations.importing.reader import Row, read
from api.organisations.importing.repository import (
    LearnerImport,
    add_import,
    add_import_rows,
    applied_since,
    apply,
    change_import,
    differences,
    drop_import_rows,
    expired_imports,
    import_of,
    look_at_rows,
    match,
    repeated,
)
from api.organisations.importing.uai import uai_of
from api.organisations.records import Organisation
from api.organisations.repository import add_deed
from api.pages.certification.moments import local
from api.problems import CONFIRMATION_NEEDED, INVALID_REQUEST, INVALID_ROWS, NOT_NOW, UNKNOWN_IMPORT, Problem

AT_ONCE: Final = 1_000
"""Rows put beside the list in one transaction: short, so that the answers of learners do not wait."""
MOST_TOLD: Final = 1_000
"""Faults told of one file; how many there are in all is told beside them."""
KINDS: Final = ("new", "changed", "back", "deactivated", "unchanged")
_KEYS: Final = ("ine", "external_id")


@dataclass
class _Found:
    """What reading a file found: how many rows, and what is wrong."""

    rows: int = 0
    total: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add(self, faults: Sequence[Fault]) -> None:
        self.total += len(faults)
        self.faults += faults[: max(0, MOST_TOLD - len(self.faults))]


def import_view(one: LearnerImport) -> dict[str, Any]:
    """Show a list: what it would change, or has changed."""
    told = {name: value for name, value in (one.told or {}).items() if name != "fields"}
    return {
        "id": one.id,
        "file_name": one.file_name,
        "state": one.state,
        "rows": one.rows,
        "difference": told or None,
        "created_at": iso(one.created_at),
        "expires_at": iso(one.expires_at),
        "applied_at": None if one.applied_at is None else iso(one.applied_at),
    }


async def read_list(
    context: Context,
    caller: Staff,
    organisation_id: str,
    file: IO[bytes],
    file_name: str,
    mapping: Mapping | None = None,
) -> dict[str, Any]:
    """Read a file beside the list, and show what it would change. Nothing of the list changes.

    Parameters
    ----------
    context : Context
    caller : Platform or Member
    organisation_id : str
    file : IO[bytes]
        Seekable.
    file_name : str
        As the client named it: a UAI in it must be the organisation's.
    mapping : Mapping, optional
        Which column holds what; the ministry's export when left out.

    Raises
    ------
    Problem
        404 unknown organisation; 422 when the file is another school's, or something is wrong in it: the member
        ``errors`` names each with line, column and code, at most 1,000 of ``total``.
    """
    organisation = await context.read(lambda connection: required_organisation(connection, caller, organisation_id))
    _check_school(organisation, file_name)
    layout = FREGATA if mapping is None else layout_of(mapping)
    fields = sorted({column.field for column in layout.columns})
    keys = [key for key in _KEYS if key in fields]
    at = context.clock()
    new = LearnerImport(
        id=new_id(),
        organisation_id=organisation.id,
        who=who(caller),
        file_name=file_name[:LONGEST],
        key=keys[0] if len(keys) == 1 else "both",
        state="reading",
        rows=0,
        told=None,
        created_at=at,
        expires_at=at + timedelta(hours=context.settings.import_hours),
    )

    def begin(connection: Connection) -> None:
        drop_import_rows(connection, expired_imports(connection, organisation.id, at))
        add_import(connection, new)

    await context.write(begin)
    found = await _stage(context, new, layout, file)
    if found.total:
        await context.write(partial(_refuse, import_id=new.id, rows=found.rows))
        raise _invalid(found)

    def check(connection: Connection) -> LearnerImport:
        match(connection, new, organisation.client_id)
        told = differences(connection, new, organisation.client_id, fields) | {"fields": fields}
        change_import(connection, new.id, {"state": "checked", "rows": found.rows, "told": told})
        checked = import_of(connection, organisation.id, new.id)
        assert checked is not None
        return checked

    return import_view(await context.write(check))


async def find_import(context: Context, caller: Staff, organisation_id: str, import_id: str) -> dict[str, Any]:
    """Show a list that was read; raise a 404 problem when there is none."""

    def read_one(connection: Connection) -> LearnerImport:
        organisation = required_organisation(connection, caller, organisation_id)
        return _required(connection, organisation, import_id)

    return import_view(await context.read(read_one))


async def apply_list(
    context: Context, caller: Staff, organisation_id: str, import_id: str, confirm: bool = False
) -> dict[str, Any]:
    """Make the list of the organisation what the file says, in one transaction; doing it again changes nothing.

    Raises
    ------
    Problem
        404 unknown organisation or list; 409 when too many would be deactivated without confirmation, or the list
        changed since the difference was shown.
    """

    def store(connection: Connection) -> LearnerImport:
        organisation = required_organisation(connection, caller, organisation_id)
        new = _required(connection, organisation, import_id, lock=True)
        at = context.clock()
        if new.state == "applied":
            return new
        told = new.told or {}
        if new.state != "checked" or at >= new.expires_at or applied_since(connection, new):
            raise Problem(
                NOT_NOW, "This list waited too long, or another was applied: read it again.", reason="list-old"
            )
        fields = told["fields"]
        match(connection, new, organisation.client_id)
        now = differences(connection, new, organisation.client_id, fields)
        if [now[kind] for kind in KINDS] != [told[kind] for kind in KINDS]:
            raise Problem(
                NOT_NOW,
                "The list changed since the difference was shown: read the file again.",
                reason="list-old",
            )
        if not confirm:
            _check_share(context, now)
        apply(connection, new, organisation.client_id, fields, at)
        counts = {kind: told[kind] for kind in KINDS}
        add_deed(connection, organisation.id, at, who(caller), "list_applied", {"import": new.id, **counts})
        return _required(connection, organisation, new.id)

    return import_view(await context.write(store))


def too_many(context: Context, difference: dict[str, Any]) -> bool:
    """Tell whether a difference deactivates so many that it asks for a confirmation."""
    active = difference["active"]
    return bool(active and difference["deactivated"] > context.settings.deactivated_share * active)


def _check_share(context: Context, difference: dict[str, Any]) -> None:
    if too_many(context, difference):
        gone, active = difference["deactivated"], difference["active"]
        raise Problem(
            CONFIRMATION_NEEDED,
            f"This list would deactivate {gone} of {active} learners: check that it is complete, then send confirm.",
            deactivated=gone,
            active=active,
        )


async def _stage(context: Context, new: LearnerImport, layout: Layout, file: IO[bytes]) -> _Found:
    """Put the rows of a file beside the list, and find what is wrong."""
    today = local(new.created_at, context.settings.campaign_zone).date()
    reading = await run_in_threadpool(read, file, layout, today)
    found = _Found()
    found.add(reading.faults)
    while batch := await run_in_threadpool(_batch, reading.rows):
        rows = [one for one in batch if isinstance(one, Row)]
        found.rows += len(rows)
        found.add([one for one in batch if isinstance(one, Fault)])
        if not found.total:
            await context.write(partial(add_import_rows, import_id=new.id, rows=rows))
    if not found.total:
        await context.write(look_at_rows)
        found.add(await context.read(partial(_twice, layout=layout, import_id=new.id)))
    return found


def _batch(rows: Iterator[Row | Fault]) -> list[Row | Fault]:
    return list(islice(rows, AT_ONCE))


def _twice(connection: Connection, layout: Layout, import_id: str) -> list[Fault]:
    faults = []
    for key in _KEYS:
        header = layout.header_of(key)
        for name, line, first in repeated(connection, import_id, key, MOST_TOLD):
            sentence = f"{header} {name!r} of line {line} is that of line {first} too: keep one of them."
            faults.append(Fault(line, header, IDENTIFIER_UNIQUE, sentence, {"first": first}))
    return sorted(faults, key=lambda fault: fault.line)


def _refuse(connection: Connection, import_id: str, rows: int) -> None:
    change_import(connection, import_id, {"state": "refused", "rows": rows})
    drop_import_rows(connection, [import_id])


def _invalid(found: _Found) -> Problem:
    errors = [fault.told() for fault in found.faults]
    count = f"{found.total} errors" if found.total > 1 else "one error"
    detail = f"The file has {count}, and nothing was changed: {errors[0]['sentence']}"
    return Problem(INVALID_ROWS, detail, errors=errors, total=found.total)


def _check_school(organisation: Organisation, file_name: str) -> None:
    named = uai_of(file_name)
    if named is not None and organisation.uai is not None and named != organisation.uai:
        raise Problem(
            INVALID_REQUEST,
            f"The file is named after the school {named}, and this one is {organisation.uai}: check which file it is.",
            reason="other-school",
            named=named,
            own=organisation.uai,
        )


def _required(connection: Connection, organisation: Organisation, import_id: str, lock: bool = False) -> LearnerImport:
    known = parsed_id(import_id)
    found = None if known is None else import_of(connection, organisation.id, known, lock)
    if found is None:
        raise Problem(UNKNOWN_IMPORT, "The organisation has no list of this id that was read: check the id.")
    return found
