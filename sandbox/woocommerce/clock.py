"""Time as a WooCommerce shop in Berlin writes it: site-local and GMT, both without an offset.

Source: WooCommerce REST docs, introduction (`date_x` is site-local, `date_x_gmt` is UTC, neither
carries a zone); the captured samples come from a shop in Europe/Berlin.
"""

import calendar
import time
from functools import lru_cache

SITE_TIMEZONE = "Europe/Berlin"
_WINTER_S = 3600
_SUMMER_S = 7200
_HOUR_S = 3600
_DAY_S = 86400
_WEEK_DAYS = 7


@lru_cache(maxsize=128)
def _last_sunday(year: int, month: int) -> int:
    last = calendar.monthrange(year, month)[1]
    weekday = calendar.weekday(year, month, last)
    day = last - (weekday + 1) % _WEEK_DAYS
    return calendar.timegm((year, month, day, 1, 0, 0))


@lru_cache(maxsize=50_000)
def _offset_of_hour(hour: int) -> int:
    epoch = hour * _HOUR_S
    year = time.gmtime(epoch).tm_year
    summer = _last_sunday(year, 3) <= epoch < _last_sunday(year, 10)
    return _SUMMER_S if summer else _WINTER_S


def offset_s(epoch: int) -> int:
    """Seconds that Berlin is ahead of UTC at `epoch` (directive 2000/84/EC: summer time runs from
    the last Sunday of March to that of October, switching at 01:00 UTC)."""
    return _offset_of_hour(epoch // _HOUR_S)


@lru_cache(maxsize=10_000)
def _date(day: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(day * _DAY_S))


@lru_cache(maxsize=1440)
def _minute(minute: int) -> str:
    return f"T{minute // 60:02d}:{minute % 60:02d}:"


def gmt(epoch: int) -> str:
    """`2026-11-21T00:56:16`, UTC."""
    day, second = divmod(epoch, _DAY_S)
    minute, second = divmod(second, 60)
    return f"{_date(day)}{_minute(minute)}{second:02d}"


def local(epoch: int) -> str:
    """`2026-11-21T01:56:16`, Berlin."""
    return gmt(epoch + offset_s(epoch))


def epoch_of_gmt(text: str) -> int:
    """The epoch second of a naive UTC `YYYY-MM-DDTHH:MM:SS`."""
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


def epoch_of_local(text: str) -> int:
    """The epoch second of a naive Berlin `YYYY-MM-DDTHH:MM:SS`."""
    naive = epoch_of_gmt(text)
    return naive - offset_s(naive - _WINTER_S)


def http_date(epoch: float) -> str:
    """An IMF-fixdate for the `Date` header (RFC 9110, 5.6.7)."""
    t = time.gmtime(epoch)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[t.tm_wday]
    month = "JanFebMarAprMayJunJulAugSepOctNovDec"[3 * t.tm_mon - 3 : 3 * t.tm_mon]
    hour = f"{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d}"
    return f"{day}, {t.tm_mday:02d} {month} {t.tm_year} {hour} GMT"
