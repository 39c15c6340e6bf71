"""Where a unikernel of the sandbox serves, by its arguments."""

import pytest

from albatross_client.sandbox.sites import Site, site_of


@pytest.mark.parametrize(
    ("arguments", "site"),
    [
        pytest.param(["--ipv4=127.0.1.2/8"], Site("127.0.1.2", 8080), id="usual port"),
        pytest.param(
            ["--l=info", "--ipv4=127.0.1.2/24", "--port=81"],
            Site("127.0.1.2", 81),
            id="other port",
        ),
        pytest.param(["--ipv4=127.0.1.2"], Site("127.0.1.2"), id="no length"),
        pytest.param(["--ipv6=::1/128", "--port=9"], Site("::1", 9), id="IPv6"),
        pytest.param(
            ["--ipv6=::1/128", "--ipv4=127.0.1.2/8"], Site("127.0.1.2"), id="both"
        ),
    ],
)
def test_an_address_of_loopback_is_served_at(arguments, site):
    assert site_of(arguments) == site


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no arguments"),
        pytest.param(["--ipv4", "--port=80"], id="no value"),
        pytest.param(["--ipv4=10.0.42.2/24"], id="not of loopback"),
        pytest.param(["--ipv4=127.0.1/8"], id="no address"),
        pytest.param(["--ipv4-gateway=127.0.1.2"], id="another key"),
        pytest.param(["--ipv4=127.0.1.2/8", "--port=http"], id="port of letters"),
        pytest.param(["--ipv4=127.0.1.2/8", "--port=0"], id="port 0"),
        pytest.param(["--ipv4=127.0.1.2/8", "--port=65536"], id="port too high"),
        pytest.param(["--ipv4=127.0.1.2/8", "--port=" + "9" * 6], id="port too long"),
        pytest.param(["--ipv4=127.0.1.2/8", "--port=\u0663"], id="foreign digit"),
    ],
)
def test_whatever_else_it_is_given_it_serves_nothing(arguments):
    assert site_of(arguments) is None
