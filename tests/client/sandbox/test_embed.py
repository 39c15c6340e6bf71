"""A whole sandbox with one call."""

import tomllib

import pytest

from albatross_client.hosts import HOST_KEYS
from albatross_client.names import ROOT, Name
from albatross_client.sandbox.authority import domain_files
from albatross_client.sandbox.embed import Options, run_sandbox
from albatross_client.sandbox.live import Settings
from albatross_client.values import Config
from tests.sandbox_fixtures import (
    IMAGE,
    QUICK,
    USER,
    USER_POLICY,
    WEB,
    start_tls_sandbox,
    tls_client,
)


async def test_the_table_it_gives_is_one_that_the_client_reads(tls_sandbox):
    (table,) = tomllib.loads(tls_sandbox.toml)["hosts"]

    assert table["address"] == tls_sandbox.address
    assert set(table) <= set(HOST_KEYS)


async def test_unikernels_run_from_the_start_on_the_wall_clock(nursery, tmp_path):
    own = Config(image=IMAGE + b"!", memory=64)
    options = Options(
        directory=tmp_path,
        settings=QUICK,
        unikernels={WEB: Config(), Name((), "own"): own},
    )

    sandbox = await nursery.start(run_sandbox, options)

    infos = await tls_client(sandbox).info(ROOT)
    assert set(infos) == set(options.unikernels)
    assert infos[WEB].digest != infos[Name((), "own")].digest
    started = infos[WEB].started
    assert started is not None
    assert started.to_datetime().year >= 2026


async def test_a_domain_whose_parents_have_no_policy_gets_no_keys(nursery, tmp_path):
    lost = Name(("no", "parent"))
    settings = Settings(policies={USER: USER_POLICY, lost: USER_POLICY})

    await start_tls_sandbox(nursery, tmp_path, settings)

    assert domain_files(tmp_path, USER).key.exists()
    assert not domain_files(tmp_path, lost).key.exists()


async def test_the_keys_of_a_directory_serve_the_next_sandbox_too(nursery, tmp_path):
    first = await start_tls_sandbox(nursery, tmp_path, QUICK)
    client = tls_client(first)
    second = await start_tls_sandbox(nursery, tmp_path, QUICK)

    assert await client.info(ROOT) == await tls_client(second).info(ROOT) == {}


async def test_a_sandbox_that_cannot_begin_says_why(tmp_path):
    options = Options(directory=tmp_path, unikernels={WEB: Config(image=b"x")})

    with pytest.raises(ValueError, match="error during ELF parsing"):
        await run_sandbox(options)


async def test_a_port_that_is_taken_is_an_error(tls_sandbox, tmp_path):
    options = Options(directory=tmp_path, port=tls_sandbox.port)

    with pytest.raises(OSError, match="in use"):
        await run_sandbox(options)
