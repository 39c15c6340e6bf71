"""A managed group in a whole daemon."""

from pathlib import Path

from albatross_client.names import Name
from albatross_client.sandbox.embed import SANDBOX_IMAGE
from autoscaler.core.group import GroupId
from tests.shell.harness import (
    HOST,
)

SHOP = GroupId(HOST, Name(("user",), "shop"), is_managed=True)
NEW_IMAGE = SANDBOX_IMAGE + b" of another version"


FILE = Path("/images/shop.hvt")
