"""Whatever is asked of the pure host, in whatever order."""

from hypothesis import given, settings
from hypothesis import strategies as st

from albatross_client import commands as c
from albatross_client.names import ROOT, Name
from albatross_client.sandbox.host import exited, handle, new_host
from albatross_client.sandbox.live import DEFAULT_ROOT_POLICY
from albatross_client.sandbox.state import Close, Request, Send, Start, Stop
from albatross_client.values import (
    Arguments,
    BlockDevice,
    Config,
    Interface,
    Quit,
    ResourcePolicy,
    RestartOnExit,
    Timestamp,
)
from albatross_client.wire import decode, encode
from tests.sandbox_fixtures import IMAGE

LABELS = ("a", "b", "disk")
PATHS = ((), ("org",), ("org", "team"))

names = st.builds(Name, st.sampled_from(PATHS), st.sampled_from((*LABELS, None)))
policies = st.builds(
    ResourcePolicy,
    cpuids=st.frozensets(st.integers(0, 3), max_size=4),
    unikernels=st.integers(0, 4),
    memory=st.integers(0, 200),
    block=st.none() | st.integers(0, 5),
    bridges=st.frozensets(st.sampled_from(["service", "priv"])),
)
resources = {
    "memory": st.integers(0, 100),
    "cpuids": st.frozensets(st.integers(0, 3), max_size=2),
    "fail_behaviour": st.sampled_from([Quit(), RestartOnExit()]),
    "interfaces": st.sampled_from([(), (Interface("service"),), (Interface("priv"),)]),
    "blocks": st.sampled_from([(), (BlockDevice("x", "disk"),)]),
    "argv": st.sampled_from([None, (), ("--x",)]),
    "add_name": st.booleans(),
}
configs = st.builds(Config, image=st.sampled_from([IMAGE, b"MZ"]), **resources)
commands = st.one_of(
    st.builds(c.UnikernelCreate, configs),
    st.builds(c.UnikernelForceCreate, configs),
    st.builds(c.UnikernelRestart, st.none() | st.builds(Arguments, **resources)),
    st.builds(c.BlockAdd, st.integers(0, 2)),
    st.builds(c.BlockSet, st.booleans()),
    st.builds(c.UnikernelGet, st.integers(-1, 10)),
    st.builds(c.ConsoleSubscribe, st.integers(0, 3)),
    st.sampled_from(
        [
            c.UnikernelInfo(),
            c.OldUnikernelInfo4(),
            c.OldUnikernelInfo5(),
            c.UnikernelDestroy(),
            c.PolicyInfo(),
            c.BlockInfoAsked(),
            c.BlockRemove(),
            c.StatsSubscribe(),
            c.ConsoleListInactive(),
        ]
    ),
)
chains = st.lists(policies, max_size=2)


@st.composite
def asked(draw):
    """Return a name, a command and the policies of a chain for that name."""
    name = draw(names)
    depths = range(1, len(name.path) + 1)
    chain = [(Name(name.path[:depth]), draw(policies)) for depth in depths]
    return name, draw(commands), tuple(chain)


@settings(max_examples=200)
@given(st.lists(asked() | st.integers(1, 9), min_size=1, max_size=25))
def test_a_host_stays_whole_and_says_only_what_the_codec_knows(steps):
    host = new_host(DEFAULT_ROOT_POLICY, {})
    alive: set[int] = set()

    for caller, step in enumerate(steps):
        if isinstance(step, int):
            host, effects = exited(host, step, 1, Timestamp(caller))
            alive.discard(step)
        else:
            name, command, chain = step
            request = Request(caller=caller, name=name, command=command, policies=chain)
            host, effects = handle(host, request, Timestamp(caller))
        for effect in effects:
            match effect:
                case Start(unikernel):
                    alive.add(unikernel.process)
                case Stop(unikernel):
                    alive.remove(unikernel.process)
                case Send(_, wire):
                    assert decode(encode(wire)) == wire
                case Close():
                    pass

        assert {each.process for each in host.unikernels.values()} == alive
        assert host.policies[ROOT] == DEFAULT_ROOT_POLICY
        assert_no_device_is_used_twice(host)
        assert_policies_hold(host)


def assert_no_device_is_used_twice(host):
    used = [
        Name(name.path, block.device)
        for name, unikernel in host.unikernels.items()
        for block in unikernel.config.blocks
    ]
    assert len(used) == len(set(used))
    assert set(used) <= set(host.devices)


def assert_policies_hold(host):
    """Of their own path's limits no unikernel is beyond one but by a parent."""
    for domain, policy in host.policies.items():
        own = [
            each for name, each in host.unikernels.items() if name.path == domain.path
        ]
        for unikernel in own:
            assert unikernel.config.cpuids <= policy.cpuids
        assert sum(each.config.memory for each in own) <= policy.memory
        assert len(own) <= policy.unikernels
