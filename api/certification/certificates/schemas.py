"""Bodies about certificates."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from api.certification.decisions.schemas import Said

CertificateStatus = Literal["valid", "expired", "replaced", "revoked"]


class SharingRequest(BaseModel):
    """What the public check shows besides the status and the dates."""

    model_config = ConfigDict(extra="forbid", strict=True)

    shows_name: bool | None = None
    shows_levels: bool | None = None


class HolderView(BaseModel):
    """Whom a certificate was awarded to."""

    first_name: str
    last_name: str
    birth_date: str


class FrameworkName(BaseModel):
    """What a certificate is about."""

    code: str
    title: dict[str, str]


class LevelView(BaseModel):
    """A certified level."""

    competence: str
    title: dict[str, str]
    level: int = Field(description="0 when the competence is not certified.")
    status: Literal["not_certified", "lowered", "confirmed"]
    probability: float | None = Field(description="Of an ability at or above the level; null when not certified.")
    words: Said
    meaning: Said | None


class CertificateView(BaseModel):
    """A certificate, to those who may read all of it."""

    id: str
    candidate_id: str
    status: CertificateStatus
    holder: HolderView
    framework: FrameworkName
    organisation: str
    date: str = Field(description="Of the test.")
    scoring: int
    levels: list[LevelView]
    uncertainty: Said = Field(description="What a level and its probability mean.")
    issued_at: str
    expires_at: str
    revoked_at: str | None
    revoked_why: str | None
    replaced_by: str | None
    code: str = Field(description="By which anybody may check the certificate.")
    check: str = Field(description="Address of the public check.")
    shows_name: bool
    shows_levels: bool


class CheckView(BaseModel):
    """A certificate, to anybody."""

    status: CertificateStatus
    framework: Said
    issued_at: str
    expires_at: str
    revoked_at: str | None
    holder: str | None = Field(description="Name, when the holder chose to show it.")
    levels: list[LevelView] | None = Field(description="Shown when the holder chose so.")


class CredentialView(BaseModel):
    """A signed credential."""

    format: Literal["vc+jwt"]
    credential: str = Field(description="Open Badges 3.0 credential as a compact JSON Web Token.")


class KeyView(BaseModel):
    """A public key (RFC 7517, RFC 8037)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str
    kid: str = Field(description="Address of the key, which credentials name in their header.")
    alg: Literal["EdDSA"]
    use: Literal["sig"]


class KeySetView(BaseModel):
    """Public keys (RFC 7517)."""

    keys: list[KeyView]
