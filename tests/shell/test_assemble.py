"""A daemon put together from a configuration and what was kept."""

import pytest
from attrs import evolve

from albatross_client.errors import CertificateError
from albatross_client.names import Name
from autoscaler.core.group import (
    GroupId,
    Member,
    new_group,
)
from autoscaler.core.ledger import Ledger
from autoscaler.core.moments import Clocks
from autoscaler.core.policy import Policy
from autoscaler.core.snapshot import take
from autoscaler.shell.assemble import (
    make_fleet,
    make_watches,
    open_hosts,
    revive_groups,
)
from autoscaler.shell.configuration.settings import parse_settings
from autoscaler.shell.state.store import Stored
from tests.core.builders import GROUP, clone_name
from tests.shell.harness import Notebook

API = GroupId("alpha", Name(("user",), "api"))
SHOP = GroupId("alpha", Name(("shop",), "till"))
CLOCKS = Clocks(0.0, "boot", 0.0, 1000.0)
NOTHING = Stored((), {})
TEXT = """
[deployment]
name = "test"
state_dir = "state"
reconcile_interval = "17s"

[[hosts]]
name = "alpha"
address = "localhost"
server_ca = "ca.pem"
ca = "ca.pem"
ca_key = "ca.key"
stats_interval = "5s"

[[groups]]
host = "alpha"
primary = "user:web"
max_clones = 2
"""


@pytest.fixture
def settings(tmp_path):
    return parse_settings(TEXT, tmp_path / "autoscaler.toml")


async def test_a_domain_of_a_host_is_watched_once():
    watches = make_watches([GROUP, API, SHOP], {"alpha": None}, {})

    assert [(w.host, str(w.domain)) for w in watches] == [
        ("alpha", "user:"),
        ("alpha", "shop:"),
    ]


@pytest.mark.parametrize(
    ("configured", "remembered", "interval"),
    [
        pytest.param(None, {}, None, id="unknown"),
        pytest.param(None, {("alpha", GROUP.domain): 7.0}, 7.0, id="kept"),
        pytest.param(5.0, {("alpha", GROUP.domain): 7.0}, 5.0, id="configured"),
    ],
)
async def test_the_operators_interval_wins_over_the_remembered_one(
    configured, remembered, interval
):
    (watch,) = make_watches([GROUP], {"alpha": configured}, remembered)

    assert watch.feed.rhythm.interval == interval


def test_a_group_is_revived_with_the_operators_new_policy():
    old = evolve(
        new_group(GROUP, Policy(max_clones=1)),
        clones=(Member(name=clone_name(3), number=3),),
        ledger=Ledger(next_number=4),
    )

    (group, new) = revive_groups(
        {GROUP: Policy(max_clones=5), API: Policy(max_clones=2)},
        [take(old, CLOCKS)],
        CLOCKS,
    )

    assert [clone.name for clone in group.clones] == [clone_name(3)]
    assert group.ledger.next_number == 4
    assert group.policy.max_clones == 5
    assert new == new_group(API, Policy(max_clones=2))


async def test_a_fleet_has_the_groups_and_intervals_of_its_settings(settings):
    fleet = make_fleet(settings, NOTHING, Notebook(), lambda: CLOCKS)

    assert list(fleet.groups) == [GROUP]
    assert fleet.reconcile_interval == 17.0
    assert fleet.watch(GROUP).feed.rhythm.interval == 5.0


def test_hosts_whose_keys_are_missing_are_not_opened(settings):
    with pytest.raises(CertificateError, match=r"ca\.pem"):
        open_hosts(settings)
