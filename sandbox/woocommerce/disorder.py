"""Deliveries gone wrong on demand: late, out of order, many times over, forged."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from sandbox.woocommerce.deliveries import Courier, Parcel, signature

_SIGNATURE = "X-WC-Webhook-Signature"


def _sign_wrongly(parcel: Parcel) -> Parcel:
    """Signed by somebody who does not know the secret."""
    forged = signature(parcel.body, "not the secret")
    return replace(parcel, headers=parcel.headers | {_SIGNATURE: forged})


def _change_body(parcel: Parcel) -> Parcel:
    """The signature of another body."""
    return replace(parcel, body=parcel.body.replace(b"{", b'{"forged":true,', 1))


def _unsigned(parcel: Parcel) -> Parcel:
    """No signature at all."""
    kept = {name: value for name, value in parcel.headers.items() if name != _SIGNATURE}
    return replace(parcel, headers=kept)


FORGERIES: dict[str, Callable[[Parcel], Parcel]] = {
    "signature": _sign_wrongly,
    "body": _change_body,
    "unsigned": _unsigned,
}
ORDERS = ("same", "reverse", "shuffle")


async def act(courier: Courier, data: dict[str, Any]) -> dict[str, Any]:
    """Do what a control request asks: one or more of

    - `latency_s`: how long events gather before they are delivered;
    - `hold`: true: build deliveries but keep them; false: send what was kept, and go on as usual;
    - `release`: `{order, times, seed}`: send what was kept, and go on keeping;
    - `resend`: `{last, topic, times, forge}`: send past deliveries once more.

    Raises:
        ValueError: it asks for something else.
    """
    unknown = data.keys() - {"latency_s", "hold", "release", "resend"}
    if unknown:
        raise ValueError(f"unknown members {sorted(unknown)}")
    statuses: list[int] = []
    if "latency_s" in data:
        courier.latency_s = float(data["latency_s"])
    if "release" in data:
        statuses += await _release(courier, **data["release"])
    if data.get("hold") is True and courier.held is None:
        courier.held = []
    if data.get("hold") is False and courier.held is not None:
        statuses += await _release(courier)
        courier.held = None
    if "resend" in data:
        statuses += await _resend(courier, **data["resend"])
    return {"statuses": statuses, "held": len(courier.held or ())}


async def _release(
    courier: Courier, order: str = "same", times: int = 1, seed: int = 1
) -> list[int]:
    """Send what was kept, each `times` times, in an order of its own."""
    if order not in ORDERS:
        raise ValueError(f"order must be one of {', '.join(ORDERS)}")
    if courier.held is None:
        raise ValueError("nothing is held: ask with hold first")
    parcels = [parcel for parcel in courier.held for _ in range(times)]
    courier.held.clear()
    if order == "reverse":
        parcels.reverse()
    if order == "shuffle":
        Random(seed).shuffle(parcels)
    return await courier.send(parcels)


async def _resend(
    courier: Courier, last: int = 1, topic: str = "", times: int = 1, forge: str = ""
) -> list[int]:
    """Send the last signed deliveries again, oldest first, forged if asked for."""
    if forge and forge not in FORGERIES:
        raise ValueError(f"forge must be one of {', '.join(FORGERIES)}")
    past = [
        Parcel(
            one["webhook_id"],
            one["topic"],
            one["record_id"],
            one["url"],
            one["headers"],
            one["body"].encode(),
        )
        for one in courier.sent
        if one["record_id"] and topic in ("", one["topic"])
    ][-last:]
    change = FORGERIES[forge] if forge else None
    parcels = [change(parcel) if change else parcel for parcel in past for _ in range(times)]
    return await courier.send(parcels)
