"""Slows down whoever guesses passwords and keys.

Passwords can be guessed, so after too many failures from one address a login from there is refused
before its password is looked at, right or wrong. After too many from everywhere an account is
closed to strangers: a right password opens only where its person logged in lately, so nobody else
can keep them out of where they work. What the others are answered tells them nothing of this.
Keys and tokens are 256 random bits, which nobody guesses: there a right one always passes, and only
what is refused anyway is told to wait. Whoever knows a key's public half could lock its owner out
otherwise, and so could one misconfigured client behind a proxy that everybody comes through.
"""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Self

import structlog

from api.config import PeopleConfig
from api.limits import Allowance, Limits, Rate
from api.password_checks import PasswordChecks
from api.problems import TOO_MANY_REQUESTS, ProblemError
from api.rate_limits import counted_address
from api.services import ApiServices

_log = structlog.get_logger(__name__)

_ADDRESSES_OF_ONE_GUESSER = 5
"""From fewer addresses than this nobody can close a person's account to strangers."""
_LOGINS = "Too many logins failed."


@dataclass(frozen=True, slots=True)
class Throttle:
    """Counts failures per address and per account, over a sliding window."""

    limits: Limits
    people: PeopleConfig
    passwords: PasswordChecks

    @classmethod
    def of(cls, services: ApiServices) -> Self:
        """That of this API."""
        return cls(services.limits, services.config.people, services.passwords)

    @asynccontextmanager
    async def login(self, address: str, email: str) -> AsyncIterator[ProblemError | None]:
        """Where a password is checked, and `login_failed` or `login_succeeded` told.

        A try is counted before it is looked at: those sent all at once count one by one. Of an
        address only failures count, and until they have, each that is under way stands for one.

        Yields what to answer when the account is closed to strangers: too many failed from
        everywhere, and only from where its person logged in lately may a password still be right.

        Raises:
            ProblemError: 429, too many failed from here.
        """
        with self.passwords.under_way(counted_address(address)) as others:
            yield await self._begin(address, email, others)

    async def _begin(self, address: str, email: str, others: int) -> ProblemError | None:
        place, account = counted_address(address), email.lower()
        per_address, pair, everywhere = self._login_rates()
        allowance = await self.limits.look(per_address, "login", "address", place)
        allowance = replace(allowance, is_allowed=allowance.remaining > others)
        # What an address is refused does not count for the account: it would close it to all.
        if allowance.is_allowed:
            allowance = await self.limits.take(pair, "login", "pair", account, place)
        if not allowance.is_allowed:
            _log.warning("login_throttled", address=address)
            raise _wait(allowance, _LOGINS)
        allowance = await self.limits.take(everywhere, "login", "account", account)
        return None if allowance.is_allowed else _wait(allowance, _LOGINS)

    async def login_failed(self, address: str) -> None:
        """Count a failure of this address."""
        await self.limits.take(self._login_rates()[0], "login", "address", counted_address(address))

    async def login_succeeded(self, address: str, email: str, *, was_closed: bool) -> None:
        """Forget what was counted of the account: from here alone when it is closed to strangers,
        to whom it stays closed. The address's failures stay too: whoever has one account of their
        own could guess at others for ever otherwise."""
        place, account = counted_address(address), email.lower()
        _, pair, everywhere = self._login_rates()
        await self.limits.clear(pair, "login", "pair", account, place)
        if not was_closed:
            await self.limits.clear(everywhere, "login", "account", account)

    async def refused(self, address: str, account: str = "") -> None:
        """Count a key or a token that is not accepted.

        Args:
            account: the key, if there is such a key; made-up ones would only fill the memory.

        Raises:
            ProblemError: 429, in place of another 401.
        """
        rate = Rate(self.people.failed_keys, self.people.throttle_s)
        allowance = await self.limits.take(rate, "key", "address", counted_address(address))
        if allowance.is_allowed and account:
            allowance = await self.limits.take(rate, "key", "account", account)
        if not allowance.is_allowed:
            _log.warning("keys_throttled", address=address)
            raise _wait(allowance, "Too many keys or tokens were refused.")

    def _login_rates(self) -> tuple[Rate, Rate, Rate]:
        """Of an address, of an account from one address, of an account from anywhere."""
        people = self.people
        return (
            Rate(people.failed_logins_per_address, people.throttle_s),
            Rate(people.failed_logins_per_account, people.throttle_s),
            Rate(people.failed_logins_per_account * _ADDRESSES_OF_ONE_GUESSER, people.throttle_s),
        )


def _wait(allowance: Allowance, what: str) -> ProblemError:
    seconds = max(1, math.ceil(allowance.reset_s))
    return ProblemError(
        TOO_MANY_REQUESTS,
        f"{what} Try again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )
