"""Putting the pages into the application."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.pages.campaigns.routers import ROUTERS as CAMPAIGNS
from api.pages.certification.routers import ROUTERS as CERTIFICATION
from api.pages.errors import install_error_pages
from api.pages.home import router as home
from api.pages.learners.routers import ROUTERS as LEARNERS
from api.pages.organisations.routers import ROUTERS as ORGANISATIONS
from api.pages.profile import router as profile
from api.pages.question import router as question
from api.pages.results.routers import ROUTERS as RESULTS
from api.pages.start import router as start


class KeptFiles(StaticFiles):
    """Static files that a browser keeps for good, for their address changes with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file."""
        response = await super().get_response(path, scope)
        versioned = scope["query_string"].startswith(b"v=")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
        return response


def install_pages(app: FastAPI) -> None:
    """Add the pages to ``app``, whose error handlers must be there already."""
    rooms = (*CAMPAIGNS, *RESULTS, *LEARNERS, *ORGANISATIONS, *CERTIFICATION)
    for router in (home, start, question, profile, *rooms):
        app.router.routes.extend(router.routes)
    app.mount("/static", KeptFiles(directory=Path(__file__).parent / "static"), name="static")
    install_error_pages(app)
