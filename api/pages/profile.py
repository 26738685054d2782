"""The profile at the end of a run."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.context import context_of
from api.identifiers import written_access_code
from api.pages.campaigns.own import shown_entry
from api.pages.cookie import own_run
from api.pages.page import go, page, words_for
from api.pages.portrait import portrait
from api.pages.question import open_until

router = APIRouter(include_in_schema=False)


@router.get("/profile")
async def profile(request: Request) -> Response:
    """Show the result of the run, as a picture and in words; a run that goes on goes on."""
    live = await own_run(request)
    ended = live.ended
    if ended is None or ended.result is None:
        return go("/run")
    words, framework = words_for(request), live.test.snapshot.framework
    return page(
        request,
        "profile.html",
        portrait=portrait(words, framework, ended.result),
        framework=framework,
        reason=f"reason.{ended.reason}",
        finished=words.day(ended.at),
        code=written_access_code(live.run.access_code),
        until=words.day(open_until(request, live)),
        self_service=context_of(request).settings.self_service,
        run_id=live.run.id,
        entry=await shown_entry(request),
    )
