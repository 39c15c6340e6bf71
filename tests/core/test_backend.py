"""Tests of the words for what balancers tell."""

import pytest

from autoscaler.core.backend import Duty, Health, Place, Server


@pytest.mark.parametrize("text", ["10.0.42.10:80", "[fd00::1]:443", "127.0.0.1:65535"])
def test_a_place_reads_as_it_was_written(text):
    assert str(Place.parse(text)) == text


def test_an_address_has_one_form():
    assert Place("FD00:0:0::1", 80) == Place("fd00::1", 80)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("10.0.42.10", id="no port"),
        pytest.param("10.0.42.10:0", id="port 0"),
        pytest.param("10.0.42.10:65536", id="port too high"),
        pytest.param("10.0.42.10:eighty", id="port in letters"),
        pytest.param("10.0.42.10:٨٠", id="other digits"),
        pytest.param("fd00::1:80", id="IPv6 without brackets"),
        pytest.param("web.example:80", id="a name"),
        pytest.param("[fe80::1%eth0;quit]:80", id="a zone with a command"),
        pytest.param("10.0.0.256:80", id="no address"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_no_place_is_refused(text):
    with pytest.raises(ValueError, match=r"place|port|address|octet|IPv"):
        Place.parse(text)


@pytest.mark.parametrize(
    ("address", "port", "place"),
    [
        pytest.param("10.0.0.1", 80, Place("10.0.0.1", 80), id="an address"),
        pytest.param("web.example", 80, None, id="a name"),
        pytest.param("", 0, None, id="not told"),
    ],
)
def test_a_server_is_where_we_could_have_put_it_or_nowhere(address, port, place):
    server = Server(
        name="web-1",
        address=address,
        port=port,
        duty=Duty.READY,
        health=Health.PASSED,
    )

    assert server.place == place
