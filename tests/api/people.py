"""People of a tenant, and what a test does in their name."""

from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

import httpx
import jwt
from pydantic import SecretStr

from db.crypto import Sealed
from db.passwords import hash_password
from db.signing_keys import signing_key_context
from db.tenants import Tenant
from db.users import NewUser, create_user
from domain.roles import Role
from tests.api.hub import Caller, Hub

PASSWORD = "four words in a row"
HASH = hash_password(SecretStr(PASSWORD))
AGENT = "Tests/1.0"


@dataclass
class Person:
    """Somebody who can log in."""

    hub: Hub
    tenant: Tenant
    id: int
    email: str
    http: httpx.AsyncClient
    tokens: dict[str, Any] = field(default_factory=dict)

    async def try_login(self, password: str = PASSWORD) -> httpx.Response:
        body = {"email": self.email, "password": password}
        return await self.http.post("/api/auth/login", json=body, headers={"User-Agent": AGENT})

    async def log_in(self) -> Caller:
        """A client with the access token of a new login."""
        answer = await self.try_login()
        assert answer.status_code == 200, answer.text
        self.tokens = answer.json()
        return Caller(self.tenant, self.http, bearer(self.tokens["accessToken"]))

    async def refresh(self, token: str | None = None) -> httpx.Response:
        body = {"refreshToken": token or self.tokens["refreshToken"]}
        return await self.http.post("/api/auth/refresh", json=body)

    async def change(self, assignment: str, **params: Any) -> None:
        """Change the person behind the API's back."""
        statement = f"update users set {assignment} where id = :id"
        await self.hub.execute(self.tenant, statement, id=self.id, **params)

    async def audit(self) -> list[tuple[Any, ...]]:
        """The audit trail of the tenant: action, actor, subject, address, details."""
        return await self.hub.execute(
            self.tenant,
            "select action, actor_kind, actor_id, actor_name, subject, address, details"
            " from audit_log order by id",
        )


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def add_person(hub: Hub, role: Role = Role.OWNER, *, tenant: Tenant | None = None) -> Person:
    """A person of a tenant, a new one unless told."""
    tenant = tenant or await hub.new_tenant()
    new = NewUser(f"ann.{uuid4().hex}@example.test", "Ann", role)
    async with hub.database.tenant(tenant.id) as connection:
        user = await create_user(connection, tenant.id, new, HASH)
    return Person(hub, tenant, user.id, user.email, hub.http)


def client_at(hub: Hub, address: str) -> httpx.AsyncClient:
    """A client of the same API that comes from another address."""
    app = cast("httpx.ASGITransport", hub.http._transport).app
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://hub.internal")


async def secret_of(hub: Hub, tenant: Tenant) -> tuple[str, bytes]:
    """The name and the secret of a tenant's newest signing key."""
    ((kid, *sealed),) = await hub.execute(
        tenant,
        "select kid, encrypted_data, iv, tag, key_id from signing_keys order by id desc limit 1",
    )
    return kid, hub.services.secrets.open(Sealed(*sealed), context=signing_key_context(kid))


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims of a token."""
    read = jwt.decode_complete(token, options={"verify_signature": False})
    return read["header"], read["payload"]
