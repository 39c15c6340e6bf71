"""Say in time that a certificate will expire."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from attrs import define, field

from albatross_client.certificates import Validity, rfc3339
from autoscaler.shell.log import Log

# Days ahead of the end at which it is said, once each; 0: it is over.
TOLD_AT = (0, 1, 7, 30)
A_DAY = timedelta(days=1)


@define
class Expiry:
    """Remembers what was said of the certificates of one host.

    Attributes:
        host: The host's name in the configuration.
        log: Told.
    """

    host: str
    log: Log
    _told: dict[Validity, int] = field(factory=dict, init=False)

    def look(self, dates: Iterable[Validity], now: datetime) -> None:
        """Say which of *dates* end soon, once for each of `TOLD_AT`."""
        told, self._told = self._told, {}
        for each in dates:
            days = days_ahead(each, now)
            if days is None:
                continue
            # A clock that was stepped back makes nothing new of it.
            self._told[each] = min(days, told.get(each, days))
            if each not in told or days < told[each]:
                self._tell(each, now)

    def _tell(self, each: Validity, now: datetime) -> None:
        self.log.event(
            "certificate_expired" if now >= each.ends else "certificate_expiring",
            host=self.host,
            certificate=each.subject,
            ends=rfc3339(each.ends),
            days_left=round((each.ends - now) / A_DAY, 1),
        )


def days_ahead(validity: Validity, now: datetime) -> int | None:
    """Return which of `TOLD_AT` is due at *now*, aware; None: none yet."""
    left = validity.ends - now
    return next((days for days in TOLD_AT if left <= days * A_DAY), None)
