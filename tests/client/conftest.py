"""Scripted servers, and endpoints that trust them."""

import pytest

from albatross_client.certificates import load_authority
from albatross_client.endpoint import Endpoint
from tests.client.endpoint_server import EndpointServer
from tests.client.pki import root, server, write


@pytest.fixture(scope="session")
def ca():
    """A root CA for servers and clients."""
    return root()


@pytest.fixture
def endpoint(tmp_path, ca):
    """A maker of endpoints that trust *ca* and sign with it."""
    write(tmp_path, ca)
    authority = load_authority(tmp_path / "ca.pem", tmp_path / "ca.key")

    def make(port, **changes):
        settings = {
            "host": "127.0.0.1",
            "server_ca": ca.certificate,
            "authority": authority,
            **changes,
        }
        return Endpoint(port=port, **settings)

    return make


@pytest.fixture
def serve(tmp_path, ca):
    """A maker of servers: scripts, and what to show and to trust."""

    def make(*scripts, shown=None, trusted=ca):
        return EndpointServer(tmp_path, shown or (server(ca),), trusted, *scripts)

    return make
