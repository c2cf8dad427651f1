"""No token but a good one of this hub opens anything."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from api.throttle import Throttle
from db.signing_keys import retire_signing_keys
from tests.api.hub import Hub
from tests.api.people import Person, add_person, bearer, parts_of, secret_of

Claims = dict[str, Any]
Headers = dict[str, Any]


@pytest.fixture
async def ann(hub: Hub) -> Person:
    person = await add_person(hub)
    await person.log_in()
    return person


def encoded_text(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def encoded(value: object) -> str:
    return encoded_text(json.dumps(value))


def after(**difference: float) -> int:
    return int((datetime.now(UTC) + timedelta(**difference)).timestamp())


OTHER_CLAIMS: tuple[Claims, ...] = (
    {"iss": "another"},
    {"iss": ["entrepot"]},
    {"aud": "another"},
    {"aud": ["entrepot"]},
    {"aud": ["entrepot", "another"]},
    {"sub": "0"},
    {"sub": "1 or 1"},
    {"sid": "1"},
    {"sid": True},
    {"sid": 0},
    {"sid": 2**63},
    {"sid": 1.5},
    {"exp": after(seconds=-11)},
    {"exp": "soon"},
    {"nbf": after(hours=1)},
    {"iat": after(hours=1)},
    *({name: None} for name in ("iss", "aud", "sub", "sid", "iat", "nbf", "exp")),
)
OTHER_HEADERS: tuple[Headers, ...] = (
    {"typ": "JWT"},
    {"typ": None},
    {"kid": None},
    {"kid": "0" * 24},
    {"kid": "../../etc/passwd"},
    {"kid": "' or true --"},
    {"kid": 7},
    {"crit": ["b64"], "b64": False},
    {"alg": "none"},
    {"alg": "None"},
    {"alg": "RS256"},
    {"alg": "ES256"},
)
ALTERED = (
    "{header}.{claims}.",
    "{header}.{claims}",
    "{header}..{signature}",
    ".{claims}.{signature}",
    "{header}.{claims}.{signature}.{signature}",
    "{header}.{claims}.{backwards}",
    "{header}.{shortened}AA.{signature}",
    "{header}.{claims}.{signature}\u00e9",
    f"{{header}}.{encoded([])}.{{signature}}",
    f"{{header}}.{encoded('x')}.{{signature}}",
    f"{encoded([])}.{{claims}}.{{signature}}",
    f"{{header}}.{'A' * 5_000}.{{signature}}",
    f"{{header}}.{encoded_text('[' * 500)}.{{signature}}",
    f"{{header}}.{encoded_text('9' * 500)}.{{signature}}",
    "x" * 10_000,
    "x",
)


async def status(hub: Hub, token: str) -> int:
    answer = await hub.http.get("/api/stores", headers=bearer(token))
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"] == 'ApiKey, Bearer error="invalid_token"'
        assert answer.json()["type"] == "urn:entrepot:problem:unauthenticated"
        assert "/api/auth/refresh" in answer.json()["detail"]
    return answer.status_code


async def forged(
    hub: Hub, ann: Person, claims: Claims | None = None, *, algorithm: str = "HS256"
) -> str:
    """Ann's token, signed anew by somebody who has the key; None leaves a claim out."""
    kid, secret = await secret_of(hub, ann.tenant)
    own_headers, own = parts_of(ann.tokens["accessToken"])
    said = {name: value for name, value in {**own, **(claims or {})}.items() if value is not None}
    sent = {"typ": own_headers["typ"], "kid": kid}
    return jwt.PyJWS().encode(json.dumps(said).encode(), secret, algorithm, sent)


async def test_a_token_says_who_made_it_for_whom_and_which_session(hub: Hub, ann: Person) -> None:
    headers, claims = parts_of(ann.tokens["accessToken"])
    kid, secret = await secret_of(hub, ann.tenant)
    ((session,),) = await hub.execute(ann.tenant, "select id from login_sessions")
    assert (headers, len(secret)) == ({"alg": "HS256", "typ": "at+jwt", "kid": kid}, 32)
    assert claims == {
        "iss": "entrepot",
        "aud": "entrepot",
        "sub": str(ann.id),
        "sid": session,
        "iat": claims["iat"],
        "nbf": claims["iat"],
        "exp": claims["iat"] + 900,
    }
    assert await status(hub, await forged(hub, ann)) == 200


async def test_other_claims_are_refused_though_the_signature_is_right(
    hub: Hub, ann: Person
) -> None:
    for claims in OTHER_CLAIMS:
        assert (claims, await status(hub, await forged(hub, ann, claims))) == (claims, 401)


async def test_clocks_may_differ_by_a_few_seconds(hub: Hub, ann: Person) -> None:
    for claims in ({"exp": after(seconds=-2)}, {"nbf": after(seconds=5), "iat": after(seconds=5)}):
        assert await status(hub, await forged(hub, ann, claims)) == 200


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
@pytest.mark.filterwarnings("ignore:The HMAC key is")
async def test_another_algorithm_is_refused(hub: Hub, ann: Person, algorithm: str) -> None:
    token = await forged(hub, ann, algorithm=algorithm)
    assert await status(hub, token) == 401
    # The header may say what it likes: what is signed otherwise does not verify.
    _, claims, signature = token.split(".")
    own_header = ann.tokens["accessToken"].split(".")[0]
    assert await status(hub, f"{own_header}.{claims}.{signature}") == 401


async def test_other_headers_are_refused(hub: Hub, ann: Person) -> None:
    own, claims, _ = ann.tokens["accessToken"].split(".")
    _, secret = await secret_of(hub, ann.tenant)
    hmac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    for headers in OTHER_HEADERS:
        said = {**parts_of(ann.tokens["accessToken"])[0], **headers}
        header = encoded({name: value for name, value in said.items() if value is not None})
        assert own != header
        signature = hmac.sign(f"{header}.{claims}".encode(), secret)
        told = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
        for end in (told, "", "AA"):
            token = f"{header}.{claims}.{end}"
            assert (headers, end, await status(hub, token)) == (headers, end, 401)


async def test_what_was_altered_is_refused(hub: Hub, ann: Person) -> None:
    header, claims, signature = ann.tokens["accessToken"].split(".")
    parts = {"header": header, "claims": claims, "signature": signature}
    for altered in ALTERED:
        told = altered.format(**parts, backwards=signature[::-1], shortened=claims[:-2])
        raw = [(b"Authorization", f"Bearer {told}".encode("latin-1"))]
        answer = await hub.http.get("/api/stores", headers=raw)
        assert (altered, answer.status_code) == (altered, 401)


async def test_a_higher_role_or_another_session_cannot_be_written_into_a_token(
    hub: Hub, ann: Person
) -> None:
    bob = await add_person(hub, tenant=ann.tenant)
    await bob.log_in()
    header, _, signature = ann.tokens["accessToken"].split(".")
    theirs = bob.tokens["accessToken"].split(".")[1]
    assert await status(hub, f"{header}.{theirs}.{signature}") == 401


async def test_no_tenants_key_speaks_for_anothers_people(hub: Hub, ann: Person) -> None:
    eve = await add_person(hub)
    await eve.log_in()
    eves_kid, eves_secret = await secret_of(hub, eve.tenant)
    our_kid, our_secret = await secret_of(hub, ann.tenant)
    header, claims = parts_of(ann.tokens["accessToken"])
    for kid, secret in (
        (eves_kid, eves_secret),
        (our_kid, eves_secret),
        (eves_kid, our_secret),
    ):
        token = jwt.encode(claims, secret, headers={**header, "kid": kid})
        assert await status(hub, token) == 401
    assert await status(hub, jwt.encode(claims, our_secret, headers=header)) == 200


async def test_tokens_of_the_key_before_are_believed_until_they_end(hub: Hub, ann: Person) -> None:
    old_kid, _ = await secret_of(hub, ann.tenant)
    await hub.execute(ann.tenant, "update signing_keys set signs_until = now()")
    renewed = (await ann.refresh()).json()["accessToken"]
    assert (await secret_of(hub, ann.tenant))[0] == parts_of(renewed)[0]["kid"] != old_kid
    assert [await status(hub, one) for one in (ann.tokens["accessToken"], renewed)] == [200, 200]
    statement = "update signing_keys set verifies_until = now() where kid = :kid"
    await hub.execute(ann.tenant, statement, kid=old_kid)
    assert [await status(hub, one) for one in (ann.tokens["accessToken"], renewed)] == [401, 200]


async def test_nothing_signed_with_a_retired_key_is_believed_and_people_stay_logged_in(
    hub: Hub, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a process that believed it a moment ago; and honest clients do not pass for guessers."""
    kid, secret = await secret_of(hub, ann.tenant)
    claims = parts_of(ann.tokens["accessToken"])[1]
    made_later = jwt.encode(
        {**claims, "exp": after(days=30)}, secret, headers={"kid": kid, "typ": "at+jwt"}
    )
    dead = [ann.tokens["accessToken"], made_later]
    assert [await status(hub, one) for one in dead] == [200, 200]
    for is_first in (True, False):
        async with hub.database.tenant(ann.tenant.id) as connection:
            count = await retire_signing_keys(connection, datetime.now(UTC))
        assert count == (1 if is_first else 0)
    guesses: list[str] = []

    async def count_guess(_self: Throttle, address: str) -> None:
        guesses.append(address)

    with monkeypatch.context() as patch:
        patch.setattr(Throttle, "refused", count_guess)
        assert [await status(hub, one) for one in dead] == [401, 401]
        # A new key forgets what is past, but not the one whose tokens clients still send.
        renewed = (await ann.refresh()).json()["accessToken"]
        assert [await status(hub, one) for one in (*dead, renewed)] == [401, 401, 200]
        assert guesses == []
        assert await status(hub, f"{made_later[:-8]}AAAAAAAA") == 401
        assert guesses == ["127.0.0.1"]
    old = "update signing_keys set signs_until = signs_until - interval '8 days'"
    await hub.execute(ann.tenant, old)
    await ann.log_in()
    kids = await hub.execute(ann.tenant, "select kid from signing_keys")
    assert (kid,) not in kids


async def test_a_refresh_token_opens_nothing_itself(hub: Hub, ann: Person) -> None:
    assert await status(hub, ann.tokens["refreshToken"]) == 401
    assert (await ann.refresh(ann.tokens["accessToken"][:100])).status_code == 401
