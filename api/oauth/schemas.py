"""Bodies of the token endpoint."""

from typing import Literal

from pydantic import BaseModel, Field


class TokenRequest(BaseModel):
    """What a client posts, as a form; the credentials go here or in HTTP Basic."""

    grant_type: Literal["client_credentials"] = Field(description="The only grant there is.")
    scope: str | None = Field(None, description="Scopes wanted, separated by spaces; all of the client's by default.")
    client_id: str | None = Field(None, description="Left out with HTTP Basic.")
    client_secret: str | None = Field(None, description="Left out with HTTP Basic.")


class TokenResponse(BaseModel):
    """An access token (RFC 6749, section 5.1)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds that the token lives.")
    scope: str = Field(description="Scopes granted, separated by spaces.")


class TokenErrorResponse(BaseModel):
    """A refusal (RFC 6749, section 5.2)."""

    error: Literal["invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope"]
    error_description: str
