"""What the API shows of a run: plain data, built without validation because the answer path is hot."""

from typing import Any

from api.clock import iso
from api.identifiers import written_access_code
from api.runs.facts import Fact, Run
from api.runs.live import Live
from api.runs.pinned import Bank

OPEN, FINISHED = "open", "finished"


def pending_view(bank: Bank, position: int, row: int | None) -> dict[str, Any] | None:
    """Show the item that waits for a reply, without its key."""
    return None if row is None else {"position": position, "item": bank.views[row]}


def live_pending(live: Live) -> dict[str, Any] | None:
    """Show the item that waits for a reply in a run."""
    return pending_view(live.test.bank, live.position, live.pending)


def progress_view(live: Live, position: int) -> dict[str, int]:
    """Show how far a run is after ``position`` replies."""
    return {"answered": position, "at_most": live.at_most}


def run_view(live: Live) -> dict[str, Any]:
    """Show a run where it stands, with its result when it is finished."""
    return {
        **run_summary(live.run),
        "pending": live_pending(live),
        "progress": progress_view(live, live.position),
        "reason": None if live.ended is None else live.ended.reason,
        "result": None if live.ended is None else live.ended.result,
    }


def run_summary(run: Run) -> dict[str, Any]:
    """Show a run in a list."""
    return {
        "id": run.id,
        "learner_id": run.learner_id,
        "state": OPEN if run.finished_at is None else FINISHED,
        "created_at": iso(run.created_at),
        "finished_at": None if run.finished_at is None else iso(run.finished_at),
        "locale": run.locale,
        "competences": list(run.competences),
        "accessible": list(run.accessible),
        "access_code": written_access_code(run.access_code),
    }


def reply_view(live: Live, reply: Fact, row: int | None) -> dict[str, Any]:
    """Show what became of a reply: the same at once and when it is sent again later.

    Parameters
    ----------
    live : Live
        The run, at any later position.
    reply : Fact
        The reply.
    row : int or None
        The item that was asked next; None when the run ended.
    """
    following = reply.position + 1
    return {
        "run_id": reply.run_id,
        "position": reply.position,
        "item": reply.item,
        "outcome": reply.kind,
        "at": iso(reply.at),
        "state": FINISHED if row is None else OPEN,
        "pending": pending_view(live.test.bank, following, row),
        "progress": progress_view(live, following),
    }
