"""Bodies of `/api/auth`."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, SecretStr

from api.schemas.base import Answer, Body, example
from db.passwords import LONGEST_PASSWORD
from db.refresh_tokens import LONGEST_TOKEN
from domain.roles import Role

_ANN: dict[str, Any] = {"id": 7, "email": "ann@example.com", "name": "Ann", "role": "owner"}
_ACCESS = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjRmIiwidHlwIjoiYXQrand0In0.eyJzaWQiOjEyfQ.c2lnbmF0dXJl"
_SCHEME: Final = "Bearer"
_REFRESH = "er_0mQhfFYlF6vTOTCr1vQ2bJQ3nJmQmDq1cFqQf1Hn2rM"
_LOGIN: dict[str, Any] = {
    "accessToken": _ACCESS,
    "tokenType": "Bearer",
    "expiresIn": 900,
    "refreshToken": _REFRESH,
    "refreshExpiresIn": 2_592_000,
    "user": _ANN,
}

RefreshToken = Annotated[
    SecretStr,
    Field(min_length=1, max_length=LONGEST_TOKEN, description="The newest one of the session"),
]


class LoginBody(Body):
    """Who logs in."""

    model_config = Body.model_config | example(
        {"email": "ann@example.com", "password": "four words in a row"}
    )

    email: Annotated[str, Field(min_length=1, max_length=254)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=LONGEST_PASSWORD)]


class RefreshBody(Body):
    """What carries a session on."""

    model_config = Body.model_config | example({"refreshToken": _REFRESH})

    refresh_token: RefreshToken


class LogoutBody(Body):
    """Which session to end, where the request's own token does not say."""

    model_config = Body.model_config | example({"refreshToken": _REFRESH})

    refresh_token: RefreshToken | None = None


class UserAnswer(Answer):
    """Who logged in."""

    model_config = Answer.model_config | example(_ANN)

    id: int
    email: str
    name: str
    role: Role


class LoginAnswer(Answer):
    """A session's tokens. Neither is shown again."""

    model_config = Answer.model_config | example(_LOGIN)

    access_token: str = Field(repr=False, description="For `Authorization: Bearer`")
    token_type: Literal["Bearer"] = _SCHEME
    expires_in: int = Field(description="Seconds that the access token is good for")
    refresh_token: str = Field(
        repr=False, description="For POST /api/auth/refresh, once: its answer has the next one"
    )
    refresh_expires_in: int = Field(description="Seconds that the session lasts unused")
    user: UserAnswer


class CallerAnswer(Answer):
    """Who is calling: a person, or an API key."""

    model_config = Answer.model_config | example(
        {
            "kind": "user",
            "id": 7,
            "name": "Ann",
            "email": "ann@example.com",
            "role": "operator",
            "permissions": ["records:read", "stores:read", "syncs:read"],
            "organizationId": "org_0a1b2c3d4e5f60718293a4b5",
        }
    )

    kind: Literal["user", "key"]
    id: int
    name: str
    email: str | None = Field(description="Of a person")
    role: Role | None = Field(description="Of a person")
    permissions: list[str] = Field(description="What the caller may do; `*` is everything")
    organization_id: str
