"""What each kind of lane does with its rows, put together from its parts."""

from collections.abc import Mapping

from activities.alerts import AlertTake
from activities.inbox import InboxTake
from activities.lanes import Take, Waker
from activities.mail import Mailer
from activities.push import PushTake
from activities.stores import StoreOpener
from domain.lanes import LaneKind
from runtime.hub import Hub
from runtime.settings import Settings


def build_takes(hub: Hub, settings: Settings, waker: Waker) -> Mapping[LaneKind, Take]:
    """By kind of lane. Stores are asked through the session with the lanes' shorter deadline."""
    opener = StoreOpener(
        hub.database, hub.box, hub.registry, hub.lane_session, calls=hub.calls, logged=hub.logged
    )
    return {
        LaneKind.INBOX: InboxTake(hub.database, opener, waker),
        LaneKind.PUSH: PushTake(hub.database, opener, waker, doubt_s=settings.create_doubt_s),
        LaneKind.ALERT: AlertTake(
            hub.database,
            hub.box,
            hub.lane_session,
            Mailer(allow_private_addresses=settings.allow_private_addresses),
            public_url=settings.public_url,
        ),
    }
