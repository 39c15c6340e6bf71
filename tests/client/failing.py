"""How clients fail."""

import pytest

from albatross_client.names import ROOT
from albatross_client.replies import (
    Infos,
)
from tests.client.endpoint_server import (
    message,
)

NOTHING_RUNS = message(Infos(()))


async def failure_of(client):
    with pytest.raises(Exception, match=r".") as caught:
        await client.info(ROOT)
    assert "\n" not in str(caught.value)
    return caught.value
