"""The token endpoint's work: from the credentials of a client to an access token (RFC 6749, section 4.4)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from api.context import Context
from api.identifiers import fingerprint, same
from api.oauth.repository import Client, client_of
from api.oauth.tokens import sign

_NOBODY = fingerprint("no client has this secret")


class TokenError(Exception):
    """A refusal of the token endpoint, in the words of RFC 6749, section 5.2."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description

    @property
    def status(self) -> int:
        """HTTP status: 401 when the client is not authenticated, else 400."""
        return 401 if self.error == "invalid_client" else 400


@dataclass(frozen=True)
class Credentials:
    """What a client shows."""

    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Grant:
    """What a client receives."""

    access_token: str
    expires_in: int
    scope: str


def credentials_of(authorization: str | None, form: Mapping[str, str]) -> Credentials:
    """Read the credentials from the header (HTTP Basic) or from the form, but not from both."""
    if authorization is None:
        if not form.get("client_id") or not form.get("client_secret"):
            raise TokenError("invalid_client", "Send client_id and client_secret, by HTTP Basic or in the form.")
        return Credentials(form["client_id"], form["client_secret"])
    if "client_secret" in form:
        raise TokenError("invalid_request", "Send the secret once: by HTTP Basic or in the form, not in both.")
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise TokenError("invalid_client", "Authenticate by HTTP Basic, or send the credentials in the form.")
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise TokenError("invalid_client", "The HTTP Basic credentials cannot be read: encode id:secret.") from None
    if not colon:
        raise TokenError("invalid_client", "The HTTP Basic credentials have no colon: encode id:secret.")
    return Credentials(unquote_plus(name), unquote_plus(secret))


async def grant(context: Context, credentials: Credentials, form: Mapping[str, str]) -> Grant:
    """Check the client and sign a token for the scopes that it wants, all of its own by default.

    Raises
    ------
    TokenError
        When the grant, the client or a scope is refused.
    """
    if "grant_type" not in form:
        raise TokenError("invalid_request", "The parameter grant_type is missing: send client_credentials.")
    if form["grant_type"] != "client_credentials":
        raise TokenError("unsupported_grant_type", "The only grant here is client_credentials.")
    client = await _authenticated(context, credentials)
    scopes = _granted(client, form.get("scope"))
    seconds = context.settings.access_token_seconds
    return Grant(
        sign(context.keys.access, client.id, scopes, seconds, context.clock()), seconds, " ".join(sorted(scopes))
    )


async def _authenticated(context: Context, credentials: Credentials) -> Client:
    """Return the client whose secret was shown; the comparison takes the same time when there is no such client."""
    client = None
    if credentials.client_id.isascii() and credentials.client_id.isprintable():
        client = await context.read(lambda connection: client_of(connection, credentials.client_id))
    expected = _NOBODY if client is None else client.secret_hash
    if not same(fingerprint(credentials.client_secret), expected) or client is None:
        raise TokenError("invalid_client", "The client is unknown or its secret is wrong.")
    return client


def _granted(client: Client, wanted: str | None) -> frozenset[str]:
    scopes = frozenset(client.scopes if wanted is None else wanted.split())
    if not scopes or not scopes <= set(client.scopes):
        raise TokenError("invalid_scope", f"This client may ask for: {' '.join(client.scopes)}.")
    return scopes
