"""Questions to a sandbox host, and its answers."""

from albatross_client import commands as c
from albatross_client.names import Name
from albatross_client.sandbox.host import (
    handle,
    new_host,
)
from albatross_client.sandbox.live import DEFAULT_ROOT_POLICY
from albatross_client.sandbox.state import Close, Request, Send
from albatross_client.values import (
    Config,
    Timestamp,
)
from albatross_client.wire import decode, encode
from tests.sandbox_fixtures import IMAGE, USER, USER_POLICY

NOW = Timestamp(1_700_000_000_000)
LATER = Timestamp(1_700_000_060_000)
TEAM = Name(("user", "team"))
CREATE = c.UnikernelCreate(Config(image=IMAGE))


def a_host(*names):
    host = new_host(DEFAULT_ROOT_POLICY, {USER: USER_POLICY})
    for name in names:
        host, _ = handle(host, ask(name, CREATE), NOW)
    return host


def ask(name, command, caller=1, policies=(), upload=None):
    return Request(
        caller=caller, name=name, command=command, policies=policies, upload=upload
    )


def replies(effects):
    """Return the wires sent, each held to the codec on its way."""
    wires = [effect.wire for effect in effects if isinstance(effect, Send)]
    for wire in wires:
        assert decode(encode(wire)) == wire
    return wires


def reply(host, name, command, **more):
    _, effects = handle(host, ask(name, command, **more), LATER)
    (wire,) = replies(effects)
    assert effects[-1] == Close(1)
    return wire


SOLO = Name((), "solo")
JOB = Name(("user", "team"), "job")
