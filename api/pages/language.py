"""Which language a visitor reads: what they chose, else what their browser prefers, else French."""

from typing import Final

from starlette.requests import Request

from api.pages.words import LANGUAGES

COOKIE: Final = "jalon-lang"


def language_of(request: Request) -> str:
    """Return one of LANGUAGES."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if chosen in LANGUAGES:
            return chosen
    return preferred(request.headers.get("accept-language", ""))


def preferred(header: str) -> str:
    """Return the language that an Accept-Language header likes best.

    >>> preferred("de, en-GB;q=0.8, fr;q=0.5"), preferred("de"), preferred("en;q=x")
    ('en', 'fr', 'fr')
    """
    liked = [(_weight(part), part.strip().split(";")[0].split("-")[0].lower()) for part in header.split(",")]
    best = max((pair for pair in liked if pair[1] in LANGUAGES), default=(0.0, LANGUAGES[0]), key=lambda pair: pair[0])
    return best[1] if best[0] > 0 else LANGUAGES[0]


def _weight(part: str) -> float:
    _, found, weight = part.replace(" ", "").partition(";q=")
    if not found:
        return 1.0
    try:
        return float(weight)
    except ValueError:
        return 0.0
