"""The signed credential: Open Badges 3.0, Ed25519, keys that rotate, verified with what is published alone."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from fastapi.testclient import TestClient

from api.app import create_app
from api.certification.certificates.signing import create_key
from api.settings import Settings, chosen
from engine.errors import SettingError
from tests.api.conftest import World
from tests.certification.decided import Sitting, certified, holder
from tests.certification.school import School

Check = Callable[..., Any]


def key_set(world: World) -> dict[str, Any]:
    response = world.client.get("/.well-known/jwks.json")
    assert response.status_code == 200
    return {key["kid"]: key for key in response.json()["keys"]}


def credential(school: School, sitting: Sitting) -> str:
    token = holder(school, sitting)
    certificate = school.done("GET", "/v1/certificate", token)
    told = school.done("GET", f"/v1/certificates/{certificate['id']}/credential", token)
    assert told["format"] == "vc+jwt"
    signed: str = told["credential"]
    return signed


def verified(signed: str, keys: dict[str, Any]) -> Any:
    """Payload of a credential, verified as a stranger would: by the published key that the header names."""
    header = jwt.get_unverified_header(signed)
    key = jwt.PyJWK(keys[header["kid"]])
    return jwt.decode(signed, key, algorithms=["EdDSA"], options={"verify_nbf": False})


def thumbprint(key: Any) -> str:
    """RFC 7638, section 3, by hand."""
    text = f'{{"crv":"{key["crv"]}","kty":"{key["kty"]}","x":"{key["x"]}"}}'
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


@contextmanager
def served(settings: Settings, school: School) -> Iterator[World]:
    with TestClient(create_app(settings, school.world.clock), raise_server_exceptions=False) as client:
        yield World(client, settings, school.world.clock)


def test_a_stranger_verifies_the_credential(school: School) -> None:
    _, _, sitting = certified(school)
    signed = credential(school, sitting)
    certificate = school.done("GET", "/v1/certificate", holder(school, sitting))
    header = jwt.get_unverified_header(signed)
    keys = key_set(school.world)
    assert (header["alg"], header["typ"]) == ("EdDSA", "JWT")
    assert thumbprint(keys[header["kid"]]) == thumbprint(header["jwk"])
    assert header["kid"] == f"http://localhost:8000/v1/keys/{thumbprint(header['jwk'])}"
    found = school.world.client.get(header["kid"].removeprefix("http://localhost:8000"))
    assert found.json() == keys[header["kid"]]
    assert set(header["jwk"]) == {"kty", "crv", "x"}
    told = verified(signed, keys)
    assert told["@context"] == [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    ]
    assert told["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert told["id"] == told["jti"] == f"urn:uuid:{certificate['id']}"
    assert told["issuer"]["id"] == told["iss"] == "http://localhost:8000"
    assert told["issuer"]["type"] == ["Profile"]
    assert told["credentialSubject"]["id"] == told["sub"]
    assert told["validFrom"] == certificate["issued_at"].replace(".000000Z", "Z")
    assert told["validUntil"] == certificate["expires_at"].replace(".000000Z", "Z")
    assert datetime.fromtimestamp(told["nbf"], UTC) == datetime.fromisoformat(told["validFrom"])
    assert datetime.fromtimestamp(told["exp"], UTC) == datetime.fromisoformat(told["validUntil"])
    achievement = told["credentialSubject"]["achievement"]
    assert achievement["type"] == ["Achievement"]
    assert {"id", "name", "description", "criteria"} <= set(achievement)
    assert "120 minutes" in achievement["criteria"]["narrative"]
    assert told["evidence"][0]["id"] == certificate["check"]


def test_a_key_that_is_not_there_is_told_as_such(school: School, problem: Check) -> None:
    problem(school.world.client.get(f"/v1/keys/{'x' * 43}"), 404, "unknown-key", "/.well-known/jwks.json")


def test_nothing_is_shown_that_the_holder_does_not_show(school: School) -> None:
    _, _, sitting = certified(school)
    signed = credential(school, sitting)
    told = verified(signed, key_set(school.world))
    assert "Martin" not in json.dumps(told)
    assert "result" not in told["credentialSubject"]
    (identity,) = told["credentialSubject"]["identifier"]
    digest = hashlib.sha256(f"Camille Martin 1{identity['salt']}".encode()).hexdigest()
    assert identity == {
        "type": "IdentityObject",
        "hashed": True,
        "identityHash": f"sha256${digest}",
        "identityType": "name",
        "salt": identity["salt"],
    }
    assert credential(school, sitting) == signed


def test_what_the_holder_shows_is_signed(school: School) -> None:
    _, row, sitting = certified(school)
    token = holder(school, sitting)
    certificate = school.done("GET", "/v1/certificate", token)
    body = {"shows_name": True, "shows_levels": True}
    school.done("PATCH", f"/v1/certificates/{certificate['id']}", token, json=body)
    subject = verified(credential(school, sitting), key_set(school.world))["credentialSubject"]
    assert subject["identifier"] == [
        {"type": "IdentityObject", "hashed": False, "identityHash": "Camille Martin 1", "identityType": "name"}
    ]
    described = {one["id"]: one for one in subject["achievement"]["resultDescription"]}
    assert len(described) == len(subject["result"]) == len(row["competences"])
    for result, told in zip(subject["result"], row["competences"], strict=True):
        description = described[result["resultDescription"]]
        assert result["value"] == str(told["level"])
        assert description["name"].startswith(told["competence"])
        assert (description["resultType"], description["allowedValue"][-1]) == ("PerformanceLevel", "8")


def test_an_altered_credential_is_refused(school: School) -> None:
    _, _, sitting = certified(school)
    head, body, signature = credential(school, sitting).split(".")
    payload = json.loads(base64.urlsafe_b64decode(body + "=="))
    payload["validUntil"] = "2099-01-01T00:00:00Z"
    forged = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    with pytest.raises(jwt.InvalidSignatureError):
        verified(f"{head}.{forged}.{signature}", key_set(school.world))


def test_a_revoked_certificate_is_not_signed_any_more(school: School, problem: Check) -> None:
    session, row, sitting = certified(school)
    token = holder(school, sitting)
    certificate = school.done("GET", "/v1/certificate", token)
    school.done("POST", f"/v1/sessions/{session['id']}/candidates/{row['candidate_id']}/revoke", json={"why": "x"})
    refused = school.call("GET", f"/v1/certificates/{certificate['id']}/credential", token)
    assert problem(refused, 409, "not-now", "revoked")["status"] == 409


def test_the_drawn_key_is_kept(school: School) -> None:
    keys = key_set(school.world)
    assert len(keys) == 1
    with served(school.world.settings, school) as again:
        assert key_set(again) == keys
    (key,) = keys.values()
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    assert "d" not in key


def test_keys_rotate_and_old_credentials_are_still_verified(school: School, tmp_path: Path) -> None:
    _, _, sitting = certified(school)
    folder = tmp_path / "keys"
    drawn = credential(school, sitting)
    first = create_key(folder, datetime(2027, 1, 1, tzinfo=UTC))
    with served(school.world.settings.model_copy(update={"credential_keys": folder}), school) as world:
        school.world = world
        by_first = credential(school, sitting)
        assert len(key_set(world)) == 2
    create_key(folder, datetime(2028, 1, 1, tzinfo=UTC))
    private = load_pem_private_key(first.read_bytes(), None)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    first.write_bytes(public)
    with served(school.world.settings.model_copy(update={"credential_keys": folder}), school) as world:
        school.world = world
        by_second, keys = credential(school, sitting), key_set(world)
        assert len(keys) == 3
        told = [verified(signed, keys) for signed in (drawn, by_first, by_second)]
        assert told[0] == told[1] == told[2]
        kids = [jwt.get_unverified_header(signed)["kid"] for signed in (drawn, by_first, by_second)]
        assert len(set(kids)) == 3
        assert next(iter(keys)) == kids[2]


def test_a_key_of_the_environment_signs(school: School, tmp_path: Path) -> None:
    _, _, sitting = certified(school)
    folder = tmp_path / "keys"
    create_key(folder)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for written in (pem, pem.replace("\n", "\\n")):
        given = Settings(database=school.world.settings.database, credential_keys=folder, credential_key=written)
        assert "PRIVATE" not in repr(given)
        with served(given, school) as world:
            school.world = world
            signed = credential(school, sitting)
            assert len(key_set(world)) == 3
            jwt.decode(signed, key.public_key(), algorithms=["EdDSA"], options={"verify_nbf": False})


def pem_of(kind: str) -> str:
    if kind == "public":
        public = Ed25519PrivateKey.generate().public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    if kind == "rsa":
        key = generate_private_key(65537, 2048)
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("kind", "words"), [("public", "cannot sign"), ("rsa", "not an Ed25519 key"), ("broken", "PEM form")]
)
def test_a_key_that_cannot_sign_is_told_at_the_start(settings: Settings, kind: str, words: str) -> None:
    given = Settings(database=settings.database, credential_key=pem_of(kind))
    with pytest.raises(SettingError, match=words), TestClient(create_app(given)):
        pass


@pytest.mark.parametrize(
    ("kind", "words"),
    [("public", "no private key"), ("rsa", "not an Ed25519 key"), ("broken", "PEM form"), ("none", "no private key")],
)
def test_a_folder_that_cannot_sign_is_told_at_the_start(
    settings: Settings, tmp_path: Path, kind: str, words: str
) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    if kind != "none":
        (folder / "one.pem").write_text(pem_of(kind))
    given = Settings(database=settings.database, credential_keys=folder)
    with pytest.raises(SettingError, match=words), TestClient(create_app(given)):
        pass
    missing = Settings(database=settings.database, credential_keys=tmp_path / "elsewhere")
    with pytest.raises(SettingError, match="jalon key create"), TestClient(create_app(missing)):
        pass


def test_a_key_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "keys"
    file = create_key(folder, datetime(2027, 1, 11, 8, 30, tzinfo=UTC))
    assert file.name == "2027-01-11T083000.000000Z.pem"
    assert (file.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    with pytest.raises(SettingError, match="rename"):
        create_key(folder, datetime(2026, 1, 1, tzinfo=UTC))
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="choose another folder"):
        create_key(tmp_path / "file")


@pytest.mark.parametrize("address", ["jalon.example", "ftp://jalon.example", "https://", "https://a?b=c", "https://[x"])
def test_a_public_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(SettingError, match="public_url"):
        chosen(public_url=address)
    assert chosen(public_url="https://jalon.example/sub/").public_url == "https://jalon.example/sub"
