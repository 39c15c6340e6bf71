"""An image of 100 MB over TLS, in a process whose memory is looked at."""

import subprocess
import sys

import pytest

from albatross_client.replies import UnikernelImage
from tests.client.endpoint_server import message, say

MB = 1_000_000
SIZE = 100 * MB
# The image once, an eighth of room to grow, and what one read brings.
ALLOWED_MB = 125
FETCH = """
import resource, sys, trio
from albatross_client.cli import actions
from albatross_client.client import Client
from albatross_client.hosts import read_hosts, open_endpoint
from albatross_client.names import Name
from pathlib import Path

client = Client(open_endpoint(read_hosts(Path(sys.argv[1]))[0]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
image = trio.run(client.image, Name.parse(":web"))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(image), (after - before) * 1024)
"""


@pytest.mark.slow
def test_an_image_of_100_mb_is_fetched_without_holding_it_twice(serve, ca, tmp_path):
    reply = message(UnikernelImage(compressed=False, image=bytes(SIZE)))
    (tmp_path / "server_ca.pem").write_bytes(ca.pem)
    with serve(say(reply)) as host:
        (tmp_path / "ca.pem").write_bytes(ca.pem)
        (tmp_path / "ca.key").write_bytes(ca.key_pem())
        config = tmp_path / "h.toml"
        config.write_text(
            f'[[hosts]]\nname = "h"\naddress = "127.0.0.1:{host.port}"\n'
            'server_ca = "server_ca.pem"\nca = "ca.pem"\nca_key = "ca.key"\n'
        )
        done = subprocess.run(  # noqa: S603 - ours
            [sys.executable, "-c", FETCH, str(config)],
            capture_output=True,
            text=True,
            check=True,
        )

    length, grown = (int(word) for word in done.stdout.split())
    assert length == SIZE
    assert grown < ALLOWED_MB * MB, f"grew by {grown / MB:.0f} MB"
