"""The certificate as an Open Badges 3.0 credential: a Verifiable Credential signed as a JSON Web Token.

The payload is the credential itself with the registered claims that repeat parts of it; the header names the key by its
thumbprint and holds its public half. What the holder does not show is not in it: without the name, the subject is
identified by a salted hash of it, which somebody who knows the name can compute.

References
----------
1EdTech, Open Badges Specification 3.0, 2024. W3C, Verifiable Credentials Data Model 2.0, 2025.
"""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid5

from api.certification.certificates.held import Held
from api.certification.certificates.signing import Signer
from itembank.framework import title

CONTEXT: Final = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
)
_LEVEL: Final = "PerformanceLevel"


def credential_of(read: Held, public_url: str, key: bytes) -> dict[str, Any]:
    """Write a certificate as an Open Badges 3.0 AchievementCredential.

    Parameters
    ----------
    read : Held
    public_url : str
        Identifies the issuer.
    key : bytes
        Of the server: the salt of a hashed name is derived from it.

    Returns
    -------
    dict
        Without its proof.
    """
    certificate, locale = read.certificate, read.candidate.locale
    name = title(read.framework.title, locale)
    shown = read.levels if certificate.shows_levels else []
    achievement: dict[str, Any] = {
        "id": f"urn:uuid:{uuid5(UUID(certificate.id), 'achievement')}",
        "type": ["Achievement"],
        "achievementType": "Certification",
        "name": name,
        "description": _DESCRIPTION.get(locale, _DESCRIPTION["en"]).format(framework=name),
        "criteria": {
            "narrative": _CRITERIA.get(locale, _CRITERIA["en"]).format(
                minutes=round(read.rules.minutes), share=round(100 * read.rules.probability)
            )
        },
        "inLanguage": locale,
    }
    subject: dict[str, Any] = {
        "id": f"urn:uuid:{uuid5(UUID(certificate.id), 'holder')}",
        "type": ["AchievementSubject"],
        "identifier": [_identity(read, key)],
        "achievement": achievement,
    }
    if shown:
        levels = [str(level) for level in range(read.framework.levels + 1)]
        achievement["resultDescription"] = [
            {
                "id": _result_id(certificate.id, told["competence"]),
                "type": ["ResultDescription"],
                "name": f"{told['competence']} {title(told['title'], locale)}",
                "resultType": _LEVEL,
                "allowedValue": levels,
            }
            for told in shown
        ]
        subject["result"] = [
            {
                "type": ["Result"],
                "resultDescription": _result_id(certificate.id, told["competence"]),
                "value": str(told["level"]),
            }
            for told in shown
        ]
    return {
        "@context": list(CONTEXT),
        "id": f"urn:uuid:{certificate.id}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": name,
        "issuer": {"id": public_url, "type": ["Profile"], "name": read.organisation.name, "url": public_url},
        "validFrom": _second(certificate.issued_at),
        "validUntil": _second(certificate.expires_at),
        "credentialSubject": subject,
        "evidence": [
            {
                "id": read.address,
                "type": ["Evidence"],
                "name": "Check",
                "description": "Whether the certificate still holds: it may be revoked or replaced.",
            }
        ],
    }


def signed_credential(read: Held, signer: Signer, public_url: str, key: bytes) -> str:
    """Sign the credential of a certificate as a compact JSON Web Token (VC-JWT)."""
    credential = credential_of(read, public_url, key)
    claims = {
        "iss": credential["issuer"]["id"],
        "jti": credential["id"],
        "sub": credential["credentialSubject"]["id"],
        "nbf": int(read.certificate.issued_at.timestamp()),
        "exp": int(read.certificate.expires_at.timestamp()),
    }
    return signer.sign(credential | claims, public_url)


def _identity(read: Held, key: bytes) -> dict[str, Any]:
    """Say who the holder is: by name, or by a hash of the name with a salt."""
    if read.certificate.shows_name:
        return {"type": "IdentityObject", "hashed": False, "identityHash": read.name, "identityType": "name"}
    salt = hmac.new(key, f"credential-salt:{read.certificate.id}".encode(), hashlib.sha256).hexdigest()[:32]
    digest = hashlib.sha256(f"{read.name}{salt}".encode()).hexdigest()
    return {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": f"sha256${digest}",
        "identityType": "name",
        "salt": salt,
    }


def _result_id(certificate_id: str, competence: str) -> str:
    return f"urn:uuid:{uuid5(UUID(certificate_id), competence)}"


def _second(moment: datetime) -> str:
    """Write a moment to the second, as the claims of the token count."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_DESCRIPTION: Final = {
    "fr": "Niveaux certifiés par un test personnel surveillé : {framework}.",
    "en": "Levels certified by a personal, supervised test: {framework}.",
}
_CRITERIA: Final = {
    "fr": "Test adaptatif surveillé d'au plus {minutes} minutes, hors temps majoré. Un niveau est certifié quand les "
    "réponses donnent une probabilité d'au moins {share} % à une compétence égale ou supérieure, sans dépasser celui "
    "du positionnement.",
    "en": "A supervised adaptive test of at most {minutes} minutes, extra time aside. A level is certified when the "
    "answers give a probability of at least {share}% to a competence at or above it, and never above the positioning.",
}
