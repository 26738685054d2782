"""The Ed25519 keys that sign credentials: from a folder, from the environment, or drawn and kept in the database.

Keys rotate by adding a file: the private key whose file name comes last signs, and every key stays published, for
credentials signed with it are still to be verified. A file may hold a public key alone.

References
----------
RFC 7517 (JSON Web Key), RFC 7638 (thumbprints), RFC 8037 (Ed25519 in JOSE).
"""

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from sqlalchemy import Connection, select

from api.clock import now
from api.database import Database
from api.settings import Settings
from api.storage import insert_missing
from api.tables import signing_keys
from engine.errors import SettingError

ALGORITHM = "EdDSA"
_PURPOSE = "credential"

Key = Ed25519PrivateKey | Ed25519PublicKey


@dataclass(frozen=True, eq=False, repr=False)
class Signer:
    """The key that signs, and the public keys that are published.

    Parameters
    ----------
    private : Ed25519PrivateKey
    published : tuple of mappings
        Public keys as JSON Web Keys, the one that signs first.
    """

    private: Ed25519PrivateKey
    published: tuple[Mapping[str, str], ...]

    @classmethod
    def of(cls, private: Ed25519PrivateKey, others: Iterable[Key] = ()) -> "Signer":
        """Publish the key that signs and others, each once."""
        keys = {key["kid"]: key for key in map(public_jwk, (private, *others))}
        return cls(private, tuple(keys.values()))

    def addressed(self, public_url: str) -> tuple[dict[str, str], ...]:
        """Return the published keys, named by their addresses, the one that signs first."""
        return tuple({**key, "kid": key_address(public_url, key["kid"])} for key in self.published)

    def sign(self, claims: Mapping[str, Any], public_url: str) -> str:
        """Sign claims as a compact JSON Web Token whose header holds the public key, and its address as its name.

        Open Badges 3.0 (section 8.2) wants a ``kid`` under which a stranger finds the key.
        """
        key = self.addressed(public_url)[0]
        bare = {name: key[name] for name in ("kty", "crv", "x")}
        return jwt.encode(dict(claims), self.private, algorithm=ALGORITHM, headers={"kid": key["kid"], "jwk": bare})


def key_address(public_url: str, thumbprint: str) -> str:
    """Address of a public key, which is its name for those who verify.

    >>> key_address("https://jalon.example", "kPrK")
    'https://jalon.example/v1/keys/kPrK'
    """
    return f"{public_url}/v1/keys/{thumbprint}"


def public_jwk(key: Key) -> dict[str, str]:
    """Write the public half of a key as a JSON Web Key, named by its thumbprint (RFC 7638)."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    needed = {"crv": "Ed25519", "kty": "OKP", "x": _base64(raw)}
    canonical = json.dumps(needed, sort_keys=True, separators=(",", ":"))
    return {**needed, "kid": _base64(hashlib.sha256(canonical.encode()).digest()), "alg": ALGORITHM, "use": "sig"}


def load_signer(settings: Settings, database: Database) -> Signer:
    """Read the keys; when none is configured, that of the database, drawn at the first start.

    Raises
    ------
    SettingError
        When a key cannot be read, or there is none that signs.
    """
    given = None if settings.credential_key is None else _given(settings.credential_key.get_secret_value())
    files = () if settings.credential_keys is None else _in_folder(settings.credential_keys)
    if given is not None:
        return Signer.of(given, (*reversed(files), *_kept(database)))
    if settings.credential_keys is None:
        kept = _kept(database) or [_drawn(database)]
        return Signer.of(kept[0], kept)
    private = [key for key in files if isinstance(key, Ed25519PrivateKey)]
    if not private:
        raise SettingError(
            f"The folder {settings.credential_keys} has no private key; make one with jalon key create "
            f"{settings.credential_keys}."
        )
    return Signer.of(private[-1], (*reversed(files), *_kept(database)))


def create_key(folder: Path, at: datetime | None = None) -> Path:
    """Draw a key into a folder, where it signs from the next start on; return its file.

    Parameters
    ----------
    folder : Path
        Made when it is not there.
    at : datetime, optional
        Names the file, so that the newest key is the last by name; now when left out.

    Raises
    ------
    SettingError
        When the folder cannot be written, or a key in it has a later name.
    """
    file = folder / f"{at or now():%Y-%m-%dT%H%M%S.%fZ}.pem"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        later = [other.name for other in _files(folder) if other.name >= file.name]
        if later:
            raise SettingError(f"The folder {folder} has the key {later[-1]}, which would still sign; rename it first.")
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(pem)
    except OSError as error:
        raise SettingError(f"No key can be written to {folder} ({error.strerror}); choose another folder.") from error
    return file


def _in_folder(folder: Path) -> tuple[Key, ...]:
    """Keys of the PEM files of a folder, by name."""
    if not folder.is_dir():
        raise SettingError(f"There is no folder {folder}; make a key in it with jalon key create {folder}.")
    found: list[Key] = []
    for file in _files(folder):
        try:
            pem = file.read_bytes()
        except OSError as error:
            raise SettingError(f"The key {file} cannot be read ({error.strerror}); correct its rights.") from error
        found.append(_key(pem, f"The file {file}"))
    return tuple(found)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.pem"), key=lambda file: file.name)


def _given(text: str) -> Ed25519PrivateKey:
    """Key of the environment, where line ends may be written as backslash n."""
    key = _key(text.replace("\\n", "\n").encode(), "The setting credential_key")
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingError("The setting credential_key is a public key, which cannot sign; give the private key.")
    return key


def _key(pem: bytes, what: str) -> Key:
    key: object
    try:
        if b"PUBLIC KEY" in pem:
            key = load_pem_public_key(pem)
        else:
            key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingError(f"{what} is no key in PEM form without a password; give another.") from error
    if not isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
        raise SettingError(f"{what} is not an Ed25519 key; make one with jalon key create FOLDER.")
    return key


def _kept(database: Database) -> list[Ed25519PrivateKey]:
    """Keys of the database, the newest first."""
    with database.reading() as connection:
        return _read(connection)


def _drawn(database: Database) -> Ed25519PrivateKey:
    drawn = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    with database.writing() as connection:
        row = {"purpose": _PURPOSE, "version": 1, "secret": drawn, "created_at": now()}
        insert_missing(connection, signing_keys, row)  # another process may have been first: its key holds
        return _read(connection)[0]


def _read(connection: Connection) -> list[Ed25519PrivateKey]:
    query = select(signing_keys.c.secret).where(signing_keys.c.purpose == _PURPOSE)
    rows = connection.scalars(query.order_by(signing_keys.c.version.desc()))
    return [Ed25519PrivateKey.from_private_bytes(bytes(secret)) for secret in rows]


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
