"""Logging in, carrying a session on, and ending it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from api.auth import CHALLENGE, Principal
from api.problems import UNAUTHENTICATED, ProblemError
from api.rate_limits import address_of, network_of
from api.schemas.auth import LoginAnswer, UserAnswer
from api.services import ApiServices, now
from api.throttle import Throttle
from api.tokens import key_times, sign
from db import logins, refresh_tokens
from db.audit import Actor, ActorKind, record_audit
from db.logins import Ended, NewSession
from db.passwords import is_outdated
from db.refresh_tokens import Lifetime, Refused, Renewed
from db.signing_keys import take_signing_key
from db.users import Account, find_account, get_user, is_email, set_password

_log = structlog.get_logger(__name__)

_LONGEST_CLIENT: Final = 200
_WRONG: Final = "The e-mail address or the password is wrong, or the account is closed."
_NOT_RENEWED: Final = (
    "The refresh token is not accepted: it was used before, has expired, or its session has ended. "
    "Log in again with POST /api/auth/login."
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Where a login comes from, for the session and the audit trail."""

    address: str
    client: str
    request_id: str

    @classmethod
    def of(cls, request: Request) -> "Sender":
        """That of this request."""
        agent = request.headers.get("user-agent", "")[:_LONGEST_CLIENT]
        return cls(
            address_of(request),
            "".join(char if char.isprintable() else " " for char in agent),
            getattr(request.state, "request_id", ""),
        )

    def actor(self, user_id: int, email: str) -> Actor:
        """The person, here."""
        return Actor(ActorKind.USER, user_id, email, self.address, self.request_id)


class LoginFailedError(ProblemError):
    """A login that is refused; `account` is whose it would have been, if anybody's. With `closed`
    that is what it is answered, see `Throttle.login`."""

    def __init__(
        self, account: Account | None, reason: str, closed: ProblemError | None = None
    ) -> None:
        if closed is None:
            super().__init__(UNAUTHENTICATED, _WRONG, headers=CHALLENGE)
        else:
            super().__init__(closed.kind, closed.detail, headers=closed.headers)
        self.account = account
        self.reason = reason


async def log_in(
    services: ApiServices, sender: Sender, email: str, password: SecretStr
) -> LoginAnswer:
    """Check a password and open a session.

    Raises:
        LoginFailedError: the same for an unknown address, a wrong password and a closed account,
            after the same work. When too many failed everywhere it says 429, and nothing tells
            whether this is a place that the account's person logs in from.
        ProblemError: 429, too many failed here; 503, too many at once.
    """
    throttle = Throttle.of(services)
    services.passwords.check_room()  # a try that nobody looks at is no guess
    async with throttle.login(sender.address, email) as closed:
        try:
            answer = await _checked(services, sender, email, password, closed)
        except LoginFailedError as failed:
            await throttle.login_failed(sender.address)
            _log.warning("login_failed", address=sender.address, reason=failed.reason)
            raise
        await throttle.login_succeeded(sender.address, email, was_closed=closed is not None)
        return answer


async def _checked(
    services: ApiServices,
    sender: Sender,
    email: str,
    password: SecretStr,
    closed: ProblemError | None,
) -> LoginAnswer:
    account, is_known_here = await _find(services, sender, email)
    is_right = await services.passwords.matches(
        password, account.password_hash if account else None
    )
    if closed is not None and not is_known_here:
        raise LoginFailedError(None, "throttled", closed)
    reason = _reason(account, is_right=is_right)
    if account is None or reason:
        raise LoginFailedError(account, reason, closed)
    outdated = is_outdated(account.password_hash)
    better = await services.passwords.hash(password) if outdated else None
    answer = await _open(services, sender, account, better)
    if answer is None:
        raise LoginFailedError(account, "changed", closed)
    return answer


async def _find(services: ApiServices, sender: Sender, email: str) -> tuple[Account | None, bool]:
    """Whose address it is, and whether they logged in from here lately. The same statements
    whether there is such a person or not."""
    account = None
    if is_email(email):
        async with services.database.lookup() as connection:
            account = await find_account(connection, email)
    tenant_id, user_id = (account.tenant_id, account.id) if account else (0, 0)
    async with services.database.tenant(tenant_id) as connection:
        network = network_of(sender.address)
        return account, await logins.knows_network(connection, user_id, network, now())


def _reason(account: Account | None, *, is_right: bool) -> str:
    """Why a login fails; empty when it does not."""
    if account is None:
        return "unknown"
    if not is_right:
        return "password"
    return "" if account.is_active else "disabled"


async def note_failed_login(
    services: ApiServices, sender: Sender, failed: LoginFailedError
) -> None:
    """Put a failed login into the audit trail of the tenant whose person was meant.

    Called after the answer was sent: written before, it would tell by its time which addresses
    exist. A process killed in between leaves the line in the log.
    """
    if failed.account is None:
        return
    tenant_id, user_id = failed.account.tenant_id, failed.account.id
    actor = sender.actor(user_id, failed.account.email)
    try:
        async with services.database.tenant(tenant_id) as connection:
            subject = f"user/{user_id}"
            await record_audit(
                connection, tenant_id, actor, "login.failed", subject, reason=failed.reason
            )
    except SQLAlchemyError as error:  # nobody is there any more to be told
        _log.error("audit_not_written", action="login.failed", error_type=type(error).__name__)


async def _open(
    services: ApiServices, sender: Sender, account: Account, better_hash: str | None
) -> LoginAnswer | None:
    """Open the session; None when the account changed while the password was checked."""
    moment, tenant_id = now(), account.tenant_id
    until = _lifetime(services).first_end(moment)
    network = network_of(sender.address)
    new = NewSession(moment, until, sender.address, sender.client, network)

    async def work(connection: AsyncConnection) -> LoginAnswer | None:
        session_id = await logins.begin_session(connection, account, new)
        if session_id is None:
            return None
        if better_hash is not None:
            await set_password(connection, account.id, better_hash)
        actor, subject = sender.actor(account.id, account.email), f"user/{account.id}"
        await record_audit(
            connection, tenant_id, actor, "login.succeeded", subject, session=session_id
        )
        session = Renewed(session_id, account.id, until)
        return await _tokens(services, connection, tenant_id, session, moment)

    return await services.database.transact(tenant_id, work)


async def renew(services: ApiServices, sender: Sender, token: SecretStr) -> LoginAnswer:
    """Use a refresh token up for the session's next pair.

    A process killed before the answer leaves a client with a used token, which has to log in again.

    Raises:
        ProblemError: 401, or 429 after too many of them.
    """
    moment = now()
    async with services.database.lookup() as connection:
        tenant_id = await refresh_tokens.find_tokens_tenant(connection, token)
    if tenant_id is not None:
        owner = tenant_id

        async def work(connection: AsyncConnection) -> LoginAnswer | Refused | None:
            lifetime = _lifetime(services)
            outcome = await refresh_tokens.spend_refresh_token(connection, token, moment, lifetime)
            if isinstance(outcome, Renewed):
                return await _tokens(services, connection, owner, outcome, moment, token)
            if outcome.ended is not None:
                await _audit_end(connection, owner, sender, outcome.ended, "login.reused")
            return outcome

        answer = await services.database.transact(owner, work)
        if isinstance(answer, LoginAnswer):
            return answer
        reason = answer.why.value if answer else "disabled"
        _log.warning("refresh_refused", address=sender.address, reason=reason)
    await Throttle.of(services).refused(sender.address)
    raise ProblemError(UNAUTHENTICATED, _NOT_RENEWED, headers=CHALLENGE)


async def log_out(
    services: ApiServices, sender: Sender, principal: Principal | None, token: SecretStr | None
) -> None:
    """End the session of the caller and that of a refresh token. One that has ended is no error.

    Raises:
        ProblemError: 429, after too many tokens that there never were.
    """
    if principal is not None and principal.session_id is not None:
        tenant_id = principal.tenant_id
        async with services.database.tenant(tenant_id) as connection:
            ended = await logins.end_session(connection, principal.session_id, now())
            if ended is not None:
                await _audit_end(connection, tenant_id, sender, ended, "logout")
    if token is None:
        return
    async with services.database.lookup() as connection:
        owner = await refresh_tokens.find_tokens_tenant(connection, token)
    if owner is None:
        await Throttle.of(services).refused(sender.address)
        return
    async with services.database.tenant(owner) as connection:
        ended = await refresh_tokens.end_token_session(connection, token, now())
        if ended is not None:
            await _audit_end(connection, owner, sender, ended, "logout")


async def _audit_end(
    connection: AsyncConnection, tenant_id: int, sender: Sender, ended: Ended, action: str
) -> None:
    user = await get_user(connection, ended.user_id)
    actor = sender.actor(ended.user_id, user.email if user else "")
    subject = f"user/{ended.user_id}"
    await record_audit(connection, tenant_id, actor, action, subject, session=ended.session_id)


async def _tokens(
    services: ApiServices,
    connection: AsyncConnection,
    tenant_id: int,
    session: Renewed,
    moment: datetime,
    before: SecretStr | None = None,
) -> LoginAnswer | None:
    """A session's next pair of tokens, after its refresh token `before`; None when its person may
    not come in any more."""
    people = services.config.people
    user = await get_user(connection, session.user_id)
    if user is None or not user.is_active:
        return None
    until = session.expires_at
    refresh = await refresh_tokens.add_refresh_token(
        connection, tenant_id, session.session_id, expires_at=until, before=before
    )
    key = await take_signing_key(connection, tenant_id, services.secrets, key_times(people), moment)
    return LoginAnswer(
        access_token=sign(key, people, user_id=user.id, session_id=session.session_id, now=moment),
        expires_in=people.access_token_s,
        refresh_token=refresh.get_secret_value(),
        refresh_expires_in=int((until - moment).total_seconds()),
        user=UserAnswer.model_validate(user),
    )


def _lifetime(services: ApiServices) -> Lifetime:
    people = services.config.people
    return Lifetime(timedelta(seconds=people.refresh_token_s), timedelta(seconds=people.session_s))
