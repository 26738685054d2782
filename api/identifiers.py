"""Identifiers and secrets: sortable ids, unguessable codes and tokens, and how secrets are kept."""

import hashlib
import hmac
import secrets
from uuid import UUID

import uuid_utils

CODE_ALPHABET = "2346789BCDFGHJKMPQRTVWXY"
CODE_LENGTH = 9
CERTIFICATE_CODE_LENGTH = 12
LEARNER_TOKEN_PREFIX = "jlt_"
MEMBER_TOKEN_PREFIX, CANDIDATE_TOKEN_PREFIX, PARTICIPANT_TOKEN_PREFIX = "jmt_", "jct_", "jpt_"


def new_id() -> str:
    """Draw a UUIDv7: unique, and sorted by the time of its creation."""
    return str(uuid_utils.uuid7())


def parsed_id(text: str) -> str | None:
    """Return the canonical form of a UUID, or None when ``text`` is not one.

    >>> parsed_id("0190A1B2-0000-7000-8000-000000000000")
    '0190a1b2-0000-7000-8000-000000000000'
    """
    try:
        return str(UUID(text))
    except ValueError:
        return None


def new_seed() -> int:
    """Draw the seed of a run: 63 bits, so that it fits a signed database integer."""
    return secrets.randbits(63)


def new_secret() -> str:
    """Draw a secret of 256 bits, written in URL-safe base 64."""
    return secrets.token_urlsafe(32)


def new_member_token() -> str:
    """Draw the token of a member of an organisation."""
    return MEMBER_TOKEN_PREFIX + new_secret()


def new_candidate_token() -> str:
    """Draw the token of the device on which a candidate sits."""
    return CANDIDATE_TOKEN_PREFIX + new_secret()


def new_access_code() -> str:
    """Draw an access code from letters and digits that nobody confuses."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def parsed_access_code(text: str) -> str | None:
    """Return the code that a person typed, or None when it cannot be one: case, spaces and dashes do not matter.

    >>> parsed_access_code(" bcd-fgh-jkm ")
    'BCDFGHJKM'
    """
    return _parsed_code(text, CODE_LENGTH)


def certificate_code(key: bytes, certificate_id: str) -> str:
    """Derive the verification code of a certificate: unguessable, and the same whenever it is printed."""
    return _code(hmac.new(key, f"certificate-code:{certificate_id}".encode(), hashlib.sha256).digest())


def parsed_certificate_code(text: str) -> str | None:
    """Return the verification code that a person typed, or None when it cannot be one.

    >>> parsed_certificate_code("bcd fgh jkm 234")
    'BCDFGHJKM234'
    """
    return _parsed_code(text, CERTIFICATE_CODE_LENGTH)


def written_access_code(code: str) -> str:
    """Write a code for people, in groups of three.

    >>> written_access_code("BCDFGHJKM")
    'BCD-FGH-JKM'
    """
    return "-".join(code[start : start + 3] for start in range(0, len(code), 3))


def fingerprint(secret: str) -> str:
    """Hash a secret of full entropy for storage (SHA-256, hexadecimal)."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare two fingerprints in constant time."""
    return hmac.compare_digest(one, other)


def learner_token(key: bytes, run_id: str) -> str:
    """Derive the learner's token of a run: opaque, unguessable, and the same whenever it is asked for."""
    digest = hmac.new(key, f"learner-token:{run_id}".encode(), hashlib.sha256).hexdigest()
    return f"{LEARNER_TOKEN_PREFIX}{digest}"


def _parsed_code(text: str, length: int) -> str | None:
    code = "".join(character for character in text.upper() if character not in " -\t\u00a0\u2011\u2013")
    return code if len(code) == length and set(code) <= set(CODE_ALPHABET) else None


def member_token(key: bytes, member_id: str) -> str:
    """Derive the token of a member, told once: when they are made, or when that request is sent again."""
    digest = hmac.new(key, f"member-token:{member_id}".encode(), hashlib.sha256).hexdigest()
    return f"{MEMBER_TOKEN_PREFIX}{digest}"


def participant_token(key: bytes, participation_id: str) -> str:
    """Derive the token of a participation in a campaign: the same whenever its learner comes back."""
    digest = hmac.new(key, f"participant-token:{participation_id}".encode(), hashlib.sha256).hexdigest()
    return f"{PARTICIPANT_TOKEN_PREFIX}{digest}"


def invitation_code(key: bytes, invitation_id: str) -> str:
    """Derive the code of an invitation, told once: when it is made, or when that request is sent again."""
    return _code(hmac.new(key, f"invitation-code:{invitation_id}".encode(), hashlib.sha256).digest())


def _code(digest: bytes, length: int = CERTIFICATE_CODE_LENGTH) -> str:
    """Write a number of 256 bits as a code that people read."""
    number, code = int.from_bytes(digest), ""
    for _ in range(length):
        number, sign = divmod(number, len(CODE_ALPHABET))
        code += CODE_ALPHABET[sign]
    return code
