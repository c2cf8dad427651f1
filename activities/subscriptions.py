"""A store's webhooks: made through its API, switched on again when the shop switched them off, and
taken away with the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import SecretStr
from temporalio import activity

from activities.errors import translated
from activities.heartbeat import heartbeating
from activities.models import StoreRef
from activities.stores import StoreOpener
from activities.sync_models import CheckSubscriptionsInput, CheckSubscriptionsResult
from db import subscriptions
from db.session import Database
from db.subscriptions import ACTIVE, MISSED, OUTDATED, TOLD, KeptSubscription
from domain.errors import StoreGoneError
from providers._kit.protocols import ManagesWebhooks, Subscription

_PATH = "/api/stores/webhooks/"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the shop should tell us of, where, and signed with what; `before` is the last look."""

    topics: Sequence[str]
    url: str
    secret: SecretStr
    before: Mapping[str, KeptSubscription]


@dataclass(slots=True)
class _Seen:
    """What a look at the shop found and did."""

    kept: list[KeptSubscription] = field(default_factory=list)
    created: int = 0
    reactivated: int = 0
    healthy: int = 0
    missed: bool = False


class SubscriptionActivities:
    """Steps that manage webhooks. `public_url` is where shops reach us; None: they cannot."""

    def __init__(self, database: Database, opener: StoreOpener, public_url: str | None) -> None:
        self._database = database
        self._opener = opener
        self._public_url = public_url

    @activity.defn
    async def check_subscriptions(self, args: CheckSubscriptionsInput) -> CheckSubscriptionsResult:
        """See to it that the shop tells us of everything: make what is missing, switch on what is
        off, take away what leads nowhere. Done twice it does nothing more."""
        with translated():
            # Before the secret: what is found outdated here is told a newer one than it has.
            async with self._database.tenant(args.tenant_id) as connection:
                before = await subscriptions.load_subscriptions(connection, args.store_id)
            try:
                held = await self._opener.open_config(args.tenant_id, args.store_id)
                store = await self._opener.open(args.tenant_id, args.store_id)
            except StoreGoneError:
                return CheckSubscriptionsResult(reason="the store is deleted or not active")
            client, webhooks = store.client, held.provider.webhooks
            if webhooks is None or not isinstance(client, ManagesWebhooks):
                return CheckSubscriptionsResult(reason="the provider has no API for webhooks")
            if self._public_url is None:
                return CheckSubscriptionsResult(reason="no public URL is configured")
            secret = held.config.webhook_secret
            if secret is None:
                return CheckSubscriptionsResult(reason="the store has no webhook secret")
            url = f"{self._public_url.rstrip('/')}{_PATH}{held.webhook_code}"
            wanted = _Wanted(webhooks.topics, url, secret, before)
            async with heartbeating():
                seen = await self._put_right(client, args, wanted)
            return CheckSubscriptionsResult(
                created=seen.created,
                reactivated=seen.reactivated,
                healthy=seen.healthy,
                missed=seen.missed,
                entities=store.manifest.entities,
            )

    async def _put_right(
        self, client: ManagesWebhooks, args: CheckSubscriptionsInput, wanted: _Wanted
    ) -> _Seen:
        look, url = activity.info().scheduled_time, wanted.url
        seen, ours = _Seen(), _ours(await client.list_subscriptions(), url)
        for topic in wanted.topics:
            known, missing = wanted.before.get(topic), Subscription("", topic, url, is_active=False)
            there = next(
                (one for one in ours if (one.topic, one.delivery_url) == (topic, url)), missing
            )
            status = MISSED if _was_silent(known, there, look) else ACTIVE
            if status == MISSED:
                # Before it is put right: a try after a kill would find it well.
                seen.missed = True
                await self._keep(args, [KeptSubscription(topic, there.external_id, MISSED, look)])
            renew = args.renew or (known is not None and known.status == OUTDATED)
            made = await _put_one_right(client, seen, there, wanted.secret, renew=renew)
            seen.kept.append(KeptSubscription(topic, made.external_id, status, look))
            # Saved one by one: what was made before a kill is known after it.
            await self._keep(args, seen.kept[-1:], renewed=renew)
            activity.heartbeat(topic)
        known_ids = {one.external_id for one in seen.kept}
        for stale in ours:
            if stale.external_id not in known_ids:
                await client.unsubscribe(stale.external_id)
        told = [replace(one, status=TOLD) for one in seen.kept if one.status == MISSED]
        await self._keep(args, told)
        return seen

    async def _keep(
        self,
        args: CheckSubscriptionsInput,
        kept: Sequence[KeptSubscription],
        *,
        renewed: bool = False,
    ) -> None:
        async with self._database.tenant(args.tenant_id) as connection:
            await subscriptions.keep_subscriptions(
                connection, args.tenant_id, args.store_id, kept, renewed=renewed
            )

    @activity.defn
    async def unsubscribe(self, args: StoreRef) -> int:
        """Take away every webhook of ours; how many there were. The store may be inactive."""
        with translated():
            held = await self._opener.open_config(args.tenant_id, args.store_id, even_inactive=True)
            store = await self._opener.open(args.tenant_id, args.store_id, even_inactive=True)
            if not isinstance(store.client, ManagesWebhooks):
                return 0
            async with heartbeating():
                listed = await store.client.list_subscriptions()
                gone = [one for one in listed if _leads_to(one, held.webhook_code)]
                for one in gone:
                    await store.client.unsubscribe(one.external_id)
            async with self._database.tenant(args.tenant_id) as connection:
                await subscriptions.forget_subscriptions(connection, args.store_id)
            return len(gone)


def _was_silent(known: KeptSubscription | None, there: Subscription, look: datetime) -> bool:
    """Whether events went by: it is off, or somebody deleted it, and nobody was told yet."""
    if known is None:
        return bool(there.external_id) and not there.is_active
    return not there.is_active or known.is_untold(look)


async def _put_one_right(
    client: ManagesWebhooks, seen: _Seen, there: Subscription, secret: SecretStr, *, renew: bool
) -> Subscription:
    """Without an id it has to be made."""
    if not there.external_id:
        seen.created += 1
        return await client.subscribe(there.topic, there.delivery_url, secret)
    if not there.is_active or renew:
        seen.reactivated += 1
        return await client.activate(there, secret)
    seen.healthy += 1
    return there


def _ours(listed: Sequence[Subscription], url: str) -> list[Subscription]:
    """Those that lead to this store, by whatever name we were reached before; oldest first."""
    code = url.rpartition("/")[2]
    ours = [one for one in listed if _leads_to(one, code)]
    return sorted(ours, key=lambda one: (len(one.external_id), one.external_id))


def _leads_to(subscription: Subscription, code: str) -> bool:
    path = f"{subscription.delivery_url.partition('?')[0].rstrip('/')}/"
    return f"{_PATH}{code}/" in path
