"""A town for each test that asks for one."""

import pytest

from tests.shell.traffic.town import Town


@pytest.fixture
def town(nursery):
    """Found a town whose activator runs."""

    def found(*targets, **settings):
        place = Town(nursery, *targets, **settings)
        nursery.start_soon(place.run)
        return place

    return found
