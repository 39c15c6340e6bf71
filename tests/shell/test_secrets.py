"""Private keys stay where the operator has put them."""

import base64
import io
import tempfile

import pytest
import trio
from attrs import frozen
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from albatross_client.sandbox.authority import ca_files
from albatross_client.values import Config
from autoscaler.cli.run import serve
from autoscaler.shell.configuration.settings import load_settings
from autoscaler.shell.log import configure
from tests.cli.files import HOST, configuration
from tests.sandbox_fixtures import CLONE, IMAGE, WEB

# RFC 8410 - what every unencrypted Ed25519 key begins with, and how PEM does.
ANY_KEY = (bytes.fromhex("302e020100300506032b657004220420"), b"PRIVATE KEY")
EAGER = 'min_clones = 1\nboot_timeout = "5s"\npoll_interval = "1s"\n'
PATIENCE_S = 30


@frozen
class Left:
    """What a daemon has left: files by name, its log among them."""

    files: dict[str, bytes]

    def places_of(self, secret):
        return [name for name, octets in self.files.items() if secret in octets]


def forms_of(pem):
    """Return the ways in which a key could be written."""
    key = load_pem_private_key(pem, None)
    assert isinstance(key, Ed25519PrivateKey)
    raw = key.private_bytes_raw()
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    texts = (raw.hex(), repr(raw), base64.b64encode(raw), base64.b64encode(der)[24:])
    octets = (text if isinstance(text, bytes) else text.encode() for text in texts)
    return (raw, der, *octets, *ANY_KEY)


@pytest.fixture
async def left(nursery, tls_sandbox, monkeypatch):
    """What is there once a daemon has created a clone."""
    temporary = tls_sandbox.directory / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    host = HOST.replace("127.0.0.1:1025", tls_sandbox.address)
    settings = load_settings(configuration(tls_sandbox.directory, host, more=EAGER))
    tls_sandbox.host.create(WEB, Config(image=IMAGE))
    written = io.StringIO()
    await nursery.start(serve, settings, configure("logfmt", "debug", written), ())
    with trio.fail_after(PATIENCE_S):
        while "event=action_finished" not in written.getvalue():
            await trio.sleep(0.02)
    assert CLONE in tls_sandbox.host.state.unikernels
    state = settings.deployment.state_dir
    paths = [p for top in (state, temporary) for p in top.rglob("*") if p.is_file()]
    files = {path.name: await trio.Path(path).read_bytes() for path in paths}
    return Left({**files, "log": written.getvalue().encode()})


async def test_no_key_is_in_the_state_the_log_or_a_temporary_file(left, tls_sandbox):
    pem = ca_files(tls_sandbox.directory).key.read_bytes()

    assert "state.db" in left.files
    assert b"action_finished" in left.files["log"]
    for form in forms_of(pem):
        assert left.places_of(form) == []
