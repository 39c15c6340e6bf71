"""The sandbox's TLS endpoint, seen by a client without manners.

It speaks through the standard library's `ssl` alone, so that what is promised
here does not lean on the client that is tested elsewhere.
"""

import ssl
from datetime import timedelta

import pytest
import trio
from attrs import evolve
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from albatross_client import commands as c
from albatross_client import replies as r
from albatross_client.names import ROOT, Name
from albatross_client.sandbox.authority import (
    ca_files,
    delegate,
    make_ca,
)
from albatross_client.values import Config, ResourcePolicy
from albatross_client.wire import encode_command
from tests.client.sandbox.leaves import (
    INFO,
    NOW,
    Leaf,
    a_ca,
    connect,
    load_client_context,
    talk,
)
from tests.sandbox_fixtures import IMAGE, USER, USER_POLICY

POLICIES = x509.ObjectIdentifier("2.5.29.32")


def reason(refusal):
    """Return what OpenSSL says of the alert that *refusal* is."""
    assert isinstance(refusal.value.__cause__, ssl.SSLError)
    return refusal.value.__cause__.reason


@pytest.mark.parametrize(
    "make_key",
    [
        pytest.param(ed25519.Ed25519PrivateKey.generate, id="Ed25519"),
        pytest.param(lambda: ec.generate_private_key(ec.SECP256R1()), id="P-256"),
        pytest.param(lambda: ec.generate_private_key(ec.SECP384R1()), id="P-384"),
        pytest.param(lambda: ec.generate_private_key(ec.SECP521R1()), id="P-521"),
        pytest.param(lambda: rsa.generate_private_key(65537, 2048), id="RSA"),
    ],
)
async def test_leafs_of_these_keys_are_taken(tls_sandbox, make_key):
    leaf = Leaf(key=make_key())

    wires = await talk(tls_sandbox, leaf.sign(a_ca(tls_sandbox)))

    assert wires == [r.Wire(r.Header(ROOT, 0), r.Infos(()))]


@pytest.mark.parametrize(
    ("change", "alert"),
    [
        pytest.param(
            {"key": ed448.Ed448PrivateKey.generate()}, "BAD_CERTIFICATE", id="Ed448"
        ),
        pytest.param(
            {"extensions": (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),)},
            "BAD_CERTIFICATE",
            id="for servers only",
        ),
        pytest.param(
            {"extensions": (x509.BasicConstraints(ca=True, path_length=None),)},
            "BAD_CERTIFICATE",
            id="CA",
        ),
        pytest.param({"critical": True}, "BAD_CERTIFICATE", id="critical"),
        pytest.param(
            # OpenSSL doesn't look into this one.
            {"extensions": (x509.UnrecognizedExtension(POLICIES, b"rubbish"),)},
            "BAD_CERTIFICATE",
            id="rubbish in an extension",
        ),
        pytest.param(
            {"ends": NOW - timedelta(seconds=5)}, "CERTIFICATE_EXPIRED", id="expired"
        ),
        pytest.param(
            {"begins": NOW + timedelta(minutes=50)},
            "CERTIFICATE_EXPIRED",
            id="not yet valid",
        ),
    ],
)
async def test_a_leaf_that_hosts_refuse_gets_their_alert_at_the_first_read(
    tls_sandbox, change, alert
):
    leaf = Leaf(**change)
    stream = await connect(tls_sandbox, leaf.sign(a_ca(tls_sandbox)))

    await stream.do_handshake()
    with pytest.raises(trio.BrokenResourceError) as refusal:
        await stream.receive_some()

    assert alert in reason(refusal)
    await trio.aclose_forcefully(stream)


async def test_a_leaf_of_another_ca_is_a_bad_certificate(tls_sandbox):
    signer = Leaf().sign(make_ca("sandbox CA", NOW))
    stream = await connect(tls_sandbox, signer)

    await stream.do_handshake()
    with pytest.raises(trio.BrokenResourceError) as refusal:
        await stream.receive_some()

    assert "BAD_CERTIFICATE" in reason(refusal)
    await trio.aclose_forcefully(stream)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"command": None}, id="no command"),
        pytest.param({"command": b"rubbish"}, id="rubbish"),
        pytest.param(
            {"command": INFO.replace(b"\x02\x01\x05", b"\x02\x01\x04", 1)}, id="v4"
        ),
        pytest.param(
            {"command": encode_command(c.PolicyAdd(USER_POLICY))}, id="policy add"
        ),
        pytest.param({"command": encode_command(c.StatsInitial())}, id="internal"),
        pytest.param({"common_name": "-web"}, id="no label"),
        pytest.param({"common_name": "a:b"}, id="a path for a label"),
        pytest.param({"common_name": "x" * 64}, id="too long a label"),
    ],
)
async def test_a_command_that_hosts_do_not_take_gets_no_frame(tls_sandbox, change):
    leaf = Leaf(**change)

    wires = await talk(tls_sandbox, leaf.sign(a_ca(tls_sandbox)))

    assert wires == []


@pytest.mark.parametrize(
    ("common_name", "name"),
    [(".", ROOT), (":", ROOT), (None, ROOT), ("WEB", Name((), "web"))],
)
async def test_the_leafs_name_is_a_label_or_the_path_itself(
    tls_sandbox, common_name, name
):
    leaf = Leaf(common_name=common_name)

    (wire,) = await talk(tls_sandbox, leaf.sign(a_ca(tls_sandbox)))

    assert wire.header.name == name


async def test_intermediates_with_a_policy_name_the_path_and_are_stored(tls_sandbox):
    outer = delegate(a_ca(tls_sandbox), "org", USER_POLICY, NOW)
    inner = delegate(outer, "Team", USER_POLICY, NOW)

    (wire,) = await talk(tls_sandbox, Leaf(common_name="web").sign(inner))

    policies = tls_sandbox.host.state.policies
    assert wire.header.name == Name(("org", "team"), "web")
    assert policies[Name(("org",))] == policies[Name(("org", "team"))] == USER_POLICY


async def test_an_intermediate_without_a_command_is_passed_over(tls_sandbox):
    plain = intermediate(a_ca(tls_sandbox), "nobody", None)

    (wire,) = await talk(tls_sandbox, Leaf(common_name="web").sign(plain))

    assert wire.header.name == Name((), "web")


@pytest.mark.parametrize(
    "command", [INFO, b"rubbish"], ids=["another command", "rubbish"]
)
async def test_an_intermediate_with_anything_but_a_policy_gets_no_frame(
    tls_sandbox, command
):
    wrong = intermediate(a_ca(tls_sandbox), "user", command)

    assert await talk(tls_sandbox, Leaf().sign(wrong)) == []


async def test_a_chain_of_ten_certificates_gets_no_frame(tls_sandbox):
    signer = a_ca(tls_sandbox)
    for depth in range(8):
        signer = delegate(signer, f"d{depth}", USER_POLICY, NOW)
    nine = await talk(tls_sandbox, Leaf().sign(signer))
    ten = await talk(tls_sandbox, Leaf().sign(delegate(signer, "x", USER_POLICY, NOW)))

    assert len(nine) == 1
    assert ten == []


def intermediate(issuer, common_name, command):
    signed = Leaf(
        common_name=common_name,
        command=command,
        extensions=(x509.BasicConstraints(ca=True, path_length=None),),
    )
    return signed.sign(issuer)


async def test_older_tls_is_refused(tls_sandbox):
    context = load_client_context(tls_sandbox.directory, Leaf().sign(a_ca(tls_sandbox)))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    stream = trio.SSLStream(
        await trio.open_tcp_stream("127.0.0.1", tls_sandbox.port), context
    )

    with pytest.raises(trio.BrokenResourceError) as refusal:
        await stream.do_handshake()

    assert "PROTOCOL_VERSION" in reason(refusal)
    await trio.aclose_forcefully(stream)


async def test_a_client_without_a_certificate_is_refused(tls_sandbox):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(ca_files(tls_sandbox.directory).certificate)
    tcp = await trio.open_tcp_stream("127.0.0.1", tls_sandbox.port)
    stream = trio.SSLStream(tcp, context)

    await stream.do_handshake()
    with pytest.raises(trio.BrokenResourceError) as refusal:
        await stream.receive_some()

    assert "CERTIFICATE_REQUIRED" in reason(refusal)
    await trio.aclose_forcefully(stream)


@pytest.mark.parametrize(
    "octets", [b"", b"rubbish that is no TLS"], ids=["", "rubbish"]
)
async def test_what_is_no_tls_harms_nobody(tls_sandbox, octets):
    async with await trio.open_tcp_stream("127.0.0.1", tls_sandbox.port) as stream:
        if octets:
            await stream.send_all(octets)

    assert len(await talk(tls_sandbox, Leaf().sign(a_ca(tls_sandbox)))) == 1


async def test_no_session_ticket_comes_before_the_reply(tls_sandbox):
    stream = await connect(tls_sandbox, Leaf().sign(a_ca(tls_sandbox)))

    await stream.receive_some()

    session = stream.session
    assert session is None or not session.has_ticket
    await trio.aclose_forcefully(stream)


async def test_a_subscriber_that_does_not_read_holds_up_nobody(tls_sandbox):
    for number in range(50):
        name = Name(("user",), f"u{number}")
        tls_sandbox.host.set_policy(
            USER, evolve(USER_POLICY, unikernels=50, memory=9999)
        )
        tls_sandbox.host.create(name, Config(image=IMAGE))
    command = encode_command(c.StatsSubscribe())
    asleep = await connect(tls_sandbox, Leaf(command=command).sign(a_ca(tls_sandbox)))
    await asleep.do_handshake()
    user = delegate(a_ca(tls_sandbox), "user", ResourcePolicy(), NOW)
    awake = await connect(tls_sandbox, Leaf(command=command).sign(user))

    for _ in range(1 + 3 * 50):
        assert await awake.receive_some()

    for stream in (asleep, awake):
        await trio.aclose_forcefully(stream)
