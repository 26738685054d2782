"""Access tokens of platforms: signed JSON Web Tokens that live one hour by default."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from api.identifiers import new_id

_ALGORITHM, _ISSUER = "HS256", "jalon"


@dataclass(frozen=True)
class Platform:
    """A platform that showed a valid access token."""

    client_id: str
    scopes: frozenset[str]
    expires_at: datetime


@dataclass(frozen=True)
class RunLearner:
    """A learner who showed the token of a run."""

    run_id: str
    expires_at: datetime


Caller = Platform | RunLearner


def sign(key: bytes, client_id: str, scopes: Iterable[str], seconds: int, issued: datetime) -> str:
    """Make an access token for ``client_id`` that lives ``seconds`` from the moment ``issued``."""
    claims = {
        "iss": _ISSUER,
        "aud": _ISSUER,
        "sub": client_id,
        "scope": " ".join(sorted(scopes)),
        "iat": issued,
        "exp": issued + timedelta(seconds=seconds),
        "jti": new_id(),
    }
    return jwt.encode(claims, key, algorithm=_ALGORITHM)


def verified(key: bytes, token: str) -> Platform | None:
    """Return the platform that ``token`` was signed for, or None when it is forged or malformed.

    Whether it expired is for the caller to compare with the server's clock.
    """
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            issuer=_ISSUER,
            audience=_ISSUER,
            options={"require": ["exp", "iat", "sub", "scope"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        return None
    expires_at = datetime.fromtimestamp(claims["exp"], tz=UTC)
    return Platform(claims["sub"], frozenset(claims["scope"].split()), expires_at)
