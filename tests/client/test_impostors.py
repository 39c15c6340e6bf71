"""Who poses as the host is shown nothing."""

import pytest

from albatross_client.client import Client
from albatross_client.commands import UnikernelInfo
from albatross_client.errors import (
    CertificateError,
)
from albatross_client.names import ROOT, Name
from albatross_client.tls import public_key_sha256
from albatross_client.values import Config
from tests.client.endpoint_server import (
    say,
)
from tests.client.failing import NOTHING_RUNS, failure_of
from tests.client.pki import (
    A_DAY,
    TODAY,
    Wanted,
    domain_ca,
    issue,
    root,
    server,
    with_extension_twice,
)

IMPOSTORS = [
    pytest.param(
        lambda ca: (issue(Wanted(name="host", ca=False, usage="client"), ca),),
        "unsuitable certificate purpose",
        id="a client's certificate",
    ),
    pytest.param(
        lambda ca: (issue(Wanted(name="host", ca=False), ca),),
        "which is not for servers",
        id="no usage told",
    ),
    pytest.param(
        lambda ca: _with_issuers(server, domain_ca("tenant", ca)),
        "has not issued itself",
        id="a tenant's server certificate",
    ),
    pytest.param(
        lambda ca: _with_issuers(_command_leaf, domain_ca("tenant", ca)),
        "has not issued itself",
        id="a tenant's command without usage",
    ),
    pytest.param(
        lambda ca: (_command_leaf(ca),),
        "which is not for servers",
        id="a command of the root without usage",
    ),
    pytest.param(
        lambda ca: (_command_leaf(ca, usage="client"),),
        "unsuitable certificate purpose",
        id="a command of the root",
    ),
    pytest.param(
        lambda ca: (_command_leaf(ca, usage="both"),),
        "which carries a command",
        id="a command of the root for all purposes",
    ),
    pytest.param(
        lambda ca: (domain_ca("tenant", ca),),
        "which is not for servers",
        id="a tenant's CA certificate itself",
    ),
    pytest.param(
        lambda ca: _with_issuers(with_extension_twice, domain_ca("tenant", ca)),
        "nobody can read",
        id="a tenant's certificate that breaks readers",
    ),
    pytest.param(
        lambda _: (server(root("stranger")),),
        "does not come from server_ca",
        id="another CA",
    ),
    pytest.param(
        lambda _: (server(root("ca")),),
        "does not come from server_ca",
        id="a CA of the same name",
    ),
    pytest.param(
        lambda ca: (server(ca, ends=TODAY - A_DAY / 2),),
        "expired",
        id="expired",
    ),
]


def _with_issuers(make, issuer):
    return make(issuer), issuer


def _command_leaf(issuer, **changes):
    return server(issuer, **{"usage": None, "command": UnikernelInfo(), **changes})


@pytest.mark.parametrize(("shown", "message"), IMPOSTORS)
async def test_an_impostor_is_refused_before_the_command_is_shown(
    serve, endpoint, ca, shown, message
):
    with serve(say(NOTHING_RUNS), shown=shown(ca)) as host:
        error = await failure_of(Client(endpoint(host.port)))

    assert isinstance(error, CertificateError)
    assert message in str(error)
    assert "nothing was sent" in str(error)
    assert host.asked == []


@pytest.mark.parametrize(
    ("dates", "how"),
    [
        pytest.param({"ends": TODAY - A_DAY / 2}, "has expired", id="over"),
        pytest.param({"begins": TODAY + A_DAY}, "is not valid yet", id="to come"),
    ],
)
async def test_a_server_out_of_its_dates_is_said_to_be_that(
    serve, endpoint, ca, dates, how
):
    """It was said not to come from server_ca: the wrong file was looked at."""
    with serve(say(NOTHING_RUNS), shown=(server(ca, **dates),)) as host:
        error = await failure_of(Client(endpoint(host.port)))

    assert isinstance(error, CertificateError)
    assert f"shows a certificate that {how} by our clock" in str(error)
    assert "does not come from server_ca" not in str(error)
    assert f"to {ca.certificate.not_valid_after_utc:%Y-%m-%d}" in str(error)


async def test_who_takes_the_place_of_a_known_server_is_looked_at_anew(
    serve, endpoint, ca
):
    impostor = (_command_leaf(ca),)
    with (
        serve(say(NOTHING_RUNS)) as host,
        serve(say(NOTHING_RUNS), shown=impostor) as other,
    ):
        client = Client(endpoint(host.port))
        assert [await client.info(ROOT) for _ in range(2)] == [{}, {}]
        host.context = other.context

        error = await failure_of(client)

    assert isinstance(error, CertificateError)
    assert "nothing was sent" in str(error)
    assert len(host.asked) == 2


async def test_nothing_that_comes_before_a_command_is_done_for_an_impostor(
    serve, endpoint, ca
):
    done = []

    async def before():
        done.append(1)

    with serve(say(NOTHING_RUNS), shown=(_command_leaf(ca),)) as host:
        client = Client(endpoint(host.port))
        with pytest.raises(CertificateError, match="nothing was sent"):
            await client.create(Name.parse(":web"), Config(), b"", before)

    assert done == []


async def test_name_and_key_of_the_server_can_be_pinned(serve, endpoint, ca):
    shown = server(ca)
    right = public_key_sha256(shown.certificate)
    with serve(say(NOTHING_RUNS), shown=(shown,)) as host:
        pinned = endpoint(host.port, server_name="host", server_key_sha256=right)
        other_name = endpoint(host.port, server_name="another")
        other_key = endpoint(host.port, server_key_sha256=bytes(32))

        assert await Client(pinned).info(ROOT) == {}
        wrong_name = await failure_of(Client(other_name))
        wrong_key = await failure_of(Client(other_key))

    assert "has to be 'another' (server_name)" in str(wrong_name)
    assert f"SHA-256 {right.hex()}, not {bytes(32).hex()}" in str(wrong_key)
    assert len(host.asked) == 1


async def test_a_server_of_a_ca_below_the_root_is_taken_by_that_ca(serve, endpoint, ca):
    below = issue(Wanted(name="servers"), ca)
    with serve(say(NOTHING_RUNS), shown=(server(below), below)) as host:
        trusting = endpoint(host.port, server_ca=below.certificate)

        assert await Client(trusting).info(ROOT) == {}
