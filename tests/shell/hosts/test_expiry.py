"""Certificates that end are said in time, and once each time."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from albatross_client.certificates import Validity
from autoscaler.shell.hosts.expiry import Expiry, days_ahead
from autoscaler.shell.log import Log

ENDS = datetime(2026, 6, 30, tzinfo=UTC)
OURS = Validity("CN=user", ENDS - timedelta(days=365), ENDS)
A_DAY, AN_HOUR = timedelta(days=1), timedelta(hours=1)


class Told:
    def __init__(self):
        self.events = []
        # So far apart that no warning is folded into another.
        moments = itertools.count(step=3600)
        log = Log(
            lambda _level, name, fields: self.write(name, fields),
            lambda: float(next(moments)),
        )
        self.expiry = Expiry("alpha", log)

    def write(self, name, fields):
        self.events.append((name, fields["certificate"], fields["days_left"]))

    def look(self, *before_end, dates=(OURS,)):
        for left in before_end:
            self.expiry.look(dates, ENDS - left)


@pytest.mark.parametrize(
    ("left", "days"),
    [
        (31 * A_DAY, None),
        (30 * A_DAY, 30),
        (8 * A_DAY, 30),
        (7 * A_DAY, 7),
        (2 * A_DAY, 7),
        (A_DAY, 1),
        (AN_HOUR, 1),
        (-AN_HOUR, 0),
    ],
)
def test_it_is_due_thirty_days_seven_days_and_a_day_ahead(left, days):
    due = days_ahead(OURS, ENDS - left)

    assert due == days


def test_it_is_said_once_each_time_however_often_it_is_looked_at():
    told = Told()

    told.look(*(hours * AN_HOUR for hours in range(40 * 24, -48, -1)))

    assert [name for name, _, _ in told.events] == [
        "certificate_expiring",
        "certificate_expiring",
        "certificate_expiring",
        "certificate_expired",
    ]
    assert [round(days) for _, _, days in told.events] == [30, 7, 1, 0]


def test_a_clock_that_is_stepped_to_and_fro_says_nothing_again():
    told = Told()

    told.look(*[7 * A_DAY - AN_HOUR, 7 * A_DAY + AN_HOUR] * 5)

    assert len(told.events) == 1


def test_the_certificate_that_takes_its_place_is_another():
    told = Told()
    longer = Validity("CN=user", OURS.begins, ENDS + 300 * A_DAY)

    told.look(A_DAY)
    told.look(A_DAY, dates=(longer,))
    told.look(A_DAY)

    assert len(told.events) == 2


def test_each_certificate_of_a_host_is_said():
    told = Told()
    server = Validity("CN=server", OURS.begins, ENDS)

    told.look(A_DAY, dates=(OURS, server))

    assert [subject for _, subject, _ in told.events] == ["CN=user", "CN=server"]
