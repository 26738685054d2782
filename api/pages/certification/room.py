"""The invigilator's room: everybody with their clock, and what can be done for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.certification.callers import required_session
from api.certification.records import Session
from api.certification.sessions.incidents import note_incident
from api.certification.sitting import invigilate
from api.certification.sitting.room import room_view
from api.certification.states import UNDER_WAY, Phase
from api.context import Context, context_of
from api.identifiers import written_access_code
from api.organisations.records import Member
from api.pages.certification.doors import own_member
from api.pages.certification.moments import local
from api.pages.certification.refusals import refusal
from api.pages.origin import from_our_pages
from api.pages.page import go, page, words_for
from api.pages.words import Words
from api.problems import NOT_NOW, TIME_IS_UP, Problem

router = APIRouter(include_in_schema=False)
Here = Annotated[Member, Depends(own_member)]

NEED_WORDS: Final = frozenset({"accept", "dismiss", "end", "incident"})
DONE: Final = "done"
_PERHAPS: Final = dict.fromkeys(("document", "table", "code", "unit", "limit", "choices", "options"))
_LONGEST: Final = 1_000


@dataclass(frozen=True)
class Wish:
    """What a form of the room asks for."""

    act: str = ""
    candidate: str = ""
    why: str = ""
    end: str = ""
    device: str | None = None


@router.get("/team/sessions/{session_id}/room")
async def room(request: Request, session_id: str, member: Here) -> Response:
    """Show everybody in the room."""
    return await _room(request, member, session_id)


@router.post("/team/sessions/{session_id}/room", dependencies=[Depends(from_our_pages)])
async def act(request: Request, session_id: str, member: Here) -> Response:
    """Do something for one candidate, or for all."""
    async with request.form(max_files=0, max_fields=16) as form:
        texts = {name: str(form.get(name, ""))[:_LONGEST].strip() for name in ("act", "candidate", "why", "end")}
        wish = Wish(**texts, device=str(form["device"])[:16] if form.get("device") else None)
    context, words, address = context_of(request), words_for(request), f"/team/sessions/{session_id}/room"
    if wish.act in ("pause_all", "resume_all"):
        count = await _all(context, member, session_id, wish.act)
        return await _room(request, member, session_id, said=words("room.done_all", count=count))
    if wish.act == "incident" and not wish.candidate and wish.why:
        await note_incident(context, member, session_id, wish.why, None)
        return await _room(request, member, session_id, said=words("room.done_incident_session"))
    if (wish.act in NEED_WORDS and not wish.why) or (wish.act == "end" and wish.end not in invigilate.ENDS):
        fault = words("room.lacks_end" if wish.act == "end" and wish.why else "room.lacks_why")
        return await _room(request, member, session_id, 422, fault=fault, refused=wish)
    if wish.act not in _ACTS:
        return go(address)
    name = await _name(context, member, session_id, wish.candidate)
    try:
        await _ACTS[wish.act](context, member, session_id, wish)
    except Problem as problem:
        if problem.kind not in (NOT_NOW, TIME_IS_UP):
            raise
        match problem.members.get("reason", "state"):
            case "other-device":
                fault = words("room.other_device", name=name)
            case "state":
                fault = words("room.overtaken", name=name)
            case _:
                fault = refusal(request, problem)
        return await _room(request, member, session_id, 409, fault=fault, refused=wish)
    return await _room(request, member, session_id, said=words(f"room.done_{wish.act}", name=name))


async def _authorise(context: Context, member: Member, session_id: str, wish: Wish) -> None:
    await invigilate.authorise(context, member, session_id, wish.candidate, wish.device)


async def _pause(context: Context, member: Member, session_id: str, wish: Wish) -> None:
    await invigilate.pause(context, member, session_id, wish.candidate)


async def _resume(context: Context, member: Member, session_id: str, wish: Wish) -> None:
    await invigilate.resume(context, member, session_id, wish.candidate)


async def _accept(context: Context, member: Member, session_id: str, wish: Wish) -> None:
    await invigilate.accept(context, member, session_id, wish.candidate, wish.why)


async def _dismiss(context: Context, member: Member, session_id: str, wish: Wish) -> None:
    await invigilate.dismiss(context, member, session_id, wish.candidate, wish.why)


async def _end(context: Context, member: Member, session_id: str, wish: Wish) -> None:
    await invigilate.end_test(context, member, session_id, wish.candidate, wish.end, wish.why)


async def _incident(context: Context, member: Member, session_id: str, wish: Wish) -> None:
    await note_incident(context, member, session_id, wish.why, wish.candidate)


_ACTS: Final = {
    "authorise": _authorise,
    "pause": _pause,
    "resume": _resume,
    "accept": _accept,
    "dismiss": _dismiss,
    "end": _end,
    "incident": _incident,
}


async def _all(context: Context, member: Member, session_id: str, wish: str) -> int:
    """Pause every test under way, or let every paused one go on; how many did."""
    phase, work = (Phase.RUNNING, invigilate.pause) if wish == "pause_all" else (Phase.PAUSED, invigilate.resume)
    count = 0
    for seat in (await room_view(context, member, session_id))["candidates"]:
        if seat["phase"] != phase:
            continue
        try:
            await work(context, member, session_id, seat["id"])
            count += 1
        except Problem as problem:  # it ended, or changed, meanwhile: the page shows how it stands
            if problem.kind not in (NOT_NOW, TIME_IS_UP):
                raise
    return count


async def _name(context: Context, member: Member, session_id: str, candidate_id: str) -> str:
    seats = (await room_view(context, member, session_id))["candidates"]
    return next((f"{seat['first_name']} {seat['last_name']}" for seat in seats if seat["id"] == candidate_id), "")


async def _room(
    request: Request,
    member: Member,
    session_id: str,
    status: int = 200,
    *,
    said: str | None = None,
    fault: str | None = None,
    refused: Wish | None = None,
) -> Response:
    context, words = context_of(request), words_for(request)
    view = await room_view(context, member, session_id)
    session = await context.read(lambda connection: required_session(connection, member, session_id))
    seats = [_seat(words, session, seat) for seat in view["candidates"]]
    return page(
        request,
        "certification/room.html",
        status,
        live=True,
        member=member,
        session=session,
        where=where(words, session),
        code=written_access_code(session.access_code),
        entry=f"{context.settings.public_url}/session",
        updated=words.hour(_local(view["at"], session.zone)),
        seats=seats,
        counts=_counts(seats),
        said=said,
        fault=fault,
        refused=refused or Wish(),
    )


def where(words: Words, session: Session) -> str:
    """Say when and where a session is held."""
    day = words.day(date.fromisoformat(session.date))
    hour = words.hour(datetime.strptime(session.time, "%H:%M"))
    return words("room.where", date=day, hour=hour, place=session.place, room=session.room)


def _seat(words: Words, session: Session, seat: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the template shows of a candidate."""
    clock, report = seat["clock"], seat["report"]
    under_way = seat["phase"] in UNDER_WAY
    needs = "report" if report else "authorise" if seat["waiting"] and not seat["authorised"] else ""

    def hour(moment: str | None) -> str | None:
        return None if moment is None else words.hour(_local(moment, session.zone))

    return {
        **seat,
        "born": words.day(date.fromisoformat(seat["birth_date"])),
        "extra_time": words.number(seat["extra_time"]) if seat["extra_time"] else None,
        "started": clock["started_at"] is not None,
        "under_way": under_way,
        "deadline": hour(clock["deadline"]),
        "authorised_until": hour(seat["authorised_until"]),
        "ended_at": hour(seat["ended_at"]) if seat["end"] else None,
        "report": None if report is None else {**report, "item": {**_PERHAPS, **report["item"]}},
        "needs": needs,
    }


def _counts(seats: list[dict[str, Any]]) -> dict[str, int]:
    phases = [seat["phase"] for seat in seats]
    return {
        "waiting": sum(seat["needs"] == "authorise" for seat in seats),
        "reports": sum(seat["report"] is not None for seat in seats),
        "enrolled": len(seats),
        "running": phases.count(Phase.RUNNING),
        "stopped": phases.count(Phase.PAUSED) + phases.count(Phase.FROZEN),
        "ended": sum(seat["end"] is not None for seat in seats),
    }


def _local(moment: str, zone: str) -> datetime:
    return local(datetime.fromisoformat(moment), zone)
