"""Forms are accepted from these pages only, so that no other site acts in a learner's name.

The cookie is SameSite=Lax already; this second lock also covers opening a run, which needs no cookie. A browser says
where a form comes from in Sec-Fetch-Site, Origin or Referer, in that order of trust; a form from nowhere is refused.
"""

from urllib.parse import urlsplit

from starlette.requests import Request

from api.pages.problems import FOREIGN_FORM
from api.problems import Problem


async def from_our_pages(request: Request) -> None:
    """Raise a 403 problem unless the form was sent from a page of this host: a dependency of every POST."""
    headers = request.headers
    site = headers.get("sec-fetch-site")
    if site is not None:
        own = site in ("same-origin", "none")
    else:
        own = _host_of(headers.get("origin") or headers.get("referer") or "") == headers.get("host", "").lower()
    if not own:
        raise Problem(FOREIGN_FORM, "This form was not sent from a page of this server: go back to its home page.")


def _host_of(address: str) -> str | None:
    """Host and port of an address, None when it has none, as in ``null``.

    >>> _host_of("https://Jalon.example:8000/run"), _host_of("null")
    ('jalon.example:8000', None)
    """
    try:
        return urlsplit(address).netloc.lower() or None
    except ValueError:
        return None
