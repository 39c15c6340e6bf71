"""A town for each test that asks for one, and the figures that tests found."""

import pytest
from attrs import evolve

from albatross_client.sandbox.embed import Options
from albatross_client.sandbox.live import Settings as HostSettings
from albatross_client.sandbox.process import Serving
from tests.haproxy_fixture import free_ports
from tests.traffic.town import POLICY, USER, found_town


@pytest.fixture
async def found(haproxy_program, nursery, tmp_path):
    """Found a town; its HAProxy runs, and a daemon doesn't yet."""
    towns = []

    async def begin(serving: Serving | None = None, **options):
        with free_ports("web", "activator") as ports:
            settings = Options(
                directory=tmp_path / "sandbox",
                kind="process",
                core_share=0.05,
                serving=serving or Serving(request_seconds=0.002, boot_seconds=0.1),
                settings=HostSettings(
                    interval=1.0, root_policy=POLICY, policies={USER: POLICY}
                ),
            )
            town = await found_town(
                nursery, tmp_path, ports, evolve(settings, **options)
            )
        town.haproxy.set_up()
        towns.append(town)
        await town.haproxy.start()
        return town

    try:
        yield begin
    finally:
        # Where a task of the town fails, this is cancelled.
        for town in towns:
            town.haproxy.end()


@pytest.fixture
def figure(record_property):
    """Show a sentence with what was measured, at the end of the run."""

    def show(text: str) -> None:
        record_property("figure", text)

    return show
