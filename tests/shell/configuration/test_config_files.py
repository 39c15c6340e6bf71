"""The files under config/: complete, right, and as they are described."""

import re
import tomllib
from pathlib import Path

import attrs
import pytest
from attrs import evolve

from albatross_client.hosts import HOST_KEYS
from albatross_client.names import Name
from albatross_client.solo5 import Architecture
from albatross_client.values import Interface
from autoscaler.core.activation import ActivatorSettings
from autoscaler.core.backend import Place as Listening
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.group import GroupId
from autoscaler.core.idle import IdlePolicy
from autoscaler.core.lint import lint
from autoscaler.core.policy import Mode, Policy
from autoscaler.core.serving import ServePolicy, WeightPolicy
from autoscaler.shell.configuration.group_tables import OF_MANAGED, PERIOD, WHOSE
from autoscaler.shell.configuration.host_tables import OUR_KEYS
from autoscaler.shell.configuration.http_table import HttpSettings
from autoscaler.shell.configuration.notify_table import NotifySettings
from autoscaler.shell.configuration.recipes import Recipe
from autoscaler.shell.configuration.request_tables import TABLE
from autoscaler.shell.configuration.settings import Deployment, load_settings
from autoscaler.shell.configuration.traffic_tables import (
    TRAFFIC_KEYS,
    BalancerSettings,
)
from autoscaler.shell.traffic.runtime_socket import UnixSocket
from tests.shell.configuration.files import ALL, CONFIG, EXAMPLE


def written_keys():
    """Return the keys of each table, also those that are commented out."""
    keys: dict[str, list[str]] = {}
    table = ""
    for line in EXAMPLE.read_text().splitlines():
        if found := re.match(r"\[+([\w.]+)\]+(\s+#|$)", line):
            table = found[1]
        elif found := re.match(r"#?(\w+) = ", line):
            keys.setdefault(table, []).append(found[1])
    return keys


def lines_of_keys():
    return [
        line for line in EXAMPLE.read_text().splitlines() if re.match(r"#?\w+ = ", line)
    ]


def test_the_example_has_every_key_and_no_other():
    keys = written_keys()
    policy = {field.name for field in attrs.fields(Policy)}

    assert set(keys["deployment"]) == {f.name for f in attrs.fields(Deployment)}
    assert keys["http"] == [f.name for f in attrs.fields(HttpSettings)]
    assert set(keys["notify"]) == {f.name for f in attrs.fields(NotifySettings)}
    assert set(keys["hosts"]) == {*HOST_KEYS, *OUR_KEYS}
    own = {"max_clones", "address_pool"}
    assert set(keys["defaults"]) == (policy - own - {TABLE, "serving"}) | {PERIOD}
    assert set(WHOSE) | own | set(OF_MANAGED) <= set(keys["groups"])
    assert keys["groups.requests"] == [f.name for f in attrs.fields(RequestPolicy)]
    for table, known in TRAFFIC_KEYS.items():
        assert set(keys[f"groups.{table}"]) == set(known)


def test_the_example_tells_each_key_once_in_a_table():
    keys = written_keys()

    for table in ("deployment", "http", "hosts", "defaults"):
        assert len(keys[table]) == len(set(keys[table]))


def test_the_example_shows_the_defaults():
    settings = load_settings(EXAMPLE)
    shown = tomllib.loads(EXAMPLE.read_text())["deployment"]

    plain = Deployment(name=shown["name"], state_dir=CONFIG / shown["state_dir"])
    assert settings.deployment == plain
    assert settings.http == HttpSettings(listen=Listening("127.0.0.1", 9090))
    assert settings.groups[0].policy == Policy(max_clones=4)


def test_what_the_example_comments_out_can_be_written(tmp_path):
    text = EXAMPLE.read_text()
    commented = re.compile(r"^#(?=\w+ = )", re.MULTILINE)
    file = tmp_path / "all.toml"
    # Where there are two ways to say it, the other one is commented out.
    one_way = re.sub(
        r"^image = .*\n|^#(hooks|address_hook|on_event) = .*\n",
        "",
        text,
        flags=re.MULTILINE,
    )
    file.write_text(commented.sub("", one_way))

    settings = load_settings(file)

    assert len(commented.findall(text)) == 20
    assert settings.hosts[0].architecture is Architecture.X86_64
    assert settings.hosts[0].stats_interval == 10
    assert settings.hosts[0].access.policies != {}
    assert settings.groups[0].policy.address_pool is not None


def test_each_key_of_the_example_has_a_comment():
    own = lines_of_keys()
    groups = own.index(next(line for line in own if line.startswith("max_clones")))

    assert all(re.search(r"\s# \w", line) for line in own[: groups + 1])


def test_the_example_shows_the_defaults_of_requests():
    shop = load_settings(EXAMPLE).groups[2].policy

    assert shop.requests == RequestPolicy(target_in_flight=10)
    plain = evolve(shop, max_clones=4, requests=None, serving=None, poll_interval=10.0)
    assert shop.serving == ServePolicy(port=8080, weights=WeightPolicy())
    same = {"address_pool", "argument_template"}
    standard = Policy(max_clones=4)
    assert attrs.asdict(plain, filter=lambda a, _: a.name not in same) == attrs.asdict(
        evolve(standard, max_actions_per_hour=400, max_reversals_per_6h=400),
        filter=lambda a, _: a.name not in same,
    )


def test_the_example_shows_the_defaults_of_a_managed_group():
    blog = load_settings(EXAMPLE).groups[3]

    assert blog.id == GroupId("west", Name(("user",), "blog"), is_managed=True)
    assert blog.recipe == Recipe(
        image=CONFIG / "images/blog.hvt", bridges=(Interface("service", "service"),)
    )
    assert (blog.policy.min_clones, blog.policy.max_clones) == (0, 6)


def test_the_example_shows_the_defaults_of_traffic():
    blog = load_settings(EXAMPLE).groups[3].traffic

    assert blog is not None
    socket = UnixSocket(Path("/run/haproxy/admin.sock"))
    assert blog.balancer == BalancerSettings(socket=socket, backend="blog", port=8080)
    assert blog.activator == ActivatorSettings(listen=Listening("127.0.0.1", 9001))
    assert blog.idle == IdlePolicy()


def test_the_example_shows_a_service_with_bursts():
    bursty = load_settings(EXAMPLE).groups[1].policy

    assert bursty.scale_up_threshold_percent == 80
    assert bursty.scale_down_trigger_ticks == 30


@pytest.mark.parametrize("name", ALL)
def test_each_file_can_be_used(name):
    settings = load_settings(CONFIG / name)

    assert settings.hosts
    assert settings.groups


@pytest.mark.parametrize("name", ALL[1:])
def test_nothing_is_to_be_said_about_the_deployments(name):
    settings = load_settings(CONFIG / name)
    intervals = {host.name: host.stats_interval for host in settings.hosts}

    for group in settings.groups:
        assert lint(group.policy, intervals[group.id.host]) == ()


def test_the_sandbox_is_quick():
    [group] = load_settings(CONFIG / "sandbox.toml").groups

    assert group.policy == Policy(
        max_clones=4,
        poll_interval=1.0,
        scale_up_threshold_percent=90.0,
        scale_up_trigger_ticks=3,
        scale_down_threshold_percent=40.0,
        scale_down_trigger_ticks=3,
        cooldown_up=4.0,
        cooldown_down=6.0,
        warmup=2.0,
        death_timeout=60.0,
        boot_timeout=10.0,
    )


def test_a_production_begins_by_observing():
    settings = load_settings(CONFIG / "production.toml")

    assert len(settings.hosts) == 2
    assert {group.policy.mode for group in settings.groups} == {Mode.OBSERVE}
