"""Configurations, and keys, in a directory of a test's own."""

from tests.client.pki import domain_ca, root
from tests.client.pki import write as write_ca

HOST = """
[[hosts]]
name = "west"
address = "127.0.0.1:1025"
server_ca = "ca.pem"
ca = "ca.pem"
ca_key = "ca.key"
"""
GROUP = """
[[groups]]
host = "west"
primary = "user:web"
max_clones = 4
"""
MANAGED = """
[[groups]]
host = "west"
name = "user:shop"
image = "shop.hvt"
bridges = ["service"]
max_members = 4
"""


def configuration(directory, host=HOST, groups=GROUP, more=""):
    """Write a configuration into *directory*; return its file."""
    file = directory / "autoscaler.toml"
    file.write_text(
        f'[deployment]\nname = "test"\nstate_dir = "state"\n{host}{groups}{more}'
    )
    return file


def keys(directory):
    """Write those that `HOST` names: a CA of the domain user."""
    write_ca(directory, domain_ca("user", root()))
