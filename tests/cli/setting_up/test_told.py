"""What init finds at a host, and says."""

from attrs import evolve
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.values import BlockDevice, Config
from autoscaler.shell.configuration.settings import load_settings
from tests.cli.setting_up.asked import init, whole
from tests.sandbox_fixtures import (
    API,
    CLONE,
    tls_client,
)


async def test_what_can_not_be_cloned_is_told_with_the_reason(sandbox, here, capsys):
    await tls_client(sandbox).block_add(evolve(API, label="data"), 1)
    blocks = (BlockDevice("storage", "data"),)
    sandbox.host.create(API, Config(image=SANDBOX_IMAGE, blocks=blocks))

    code = await init(*whole(sandbox, "--primary=user:api"))

    assert code == 1
    assert capsys.readouterr().err == (
        "--primary: user:api can't be cloned: the primary has 1 block device\n"
    )


async def test_more_than_fit_is_a_hint_and_as_was_asked(sandbox, here, capsys):
    assert await init(*whole(sandbox, "--max-clones=5")) == 0

    hint = "hint: only 3 fit; for one more: no cpuids for a clone in the policy of"
    assert capsys.readouterr().err.startswith(hint)
    assert load_settings(here / "autoscaler.toml").groups[0].policy.max_clones == 5


async def test_clones_are_not_offered(sandbox, capsys):
    sandbox.host.create(CLONE, Config(image=SANDBOX_IMAGE, cpuids=frozenset({1})))

    await init(*whole(sandbox))

    assert str(CLONE) not in capsys.readouterr().out


async def test_where_nothing_runs_it_says_what_to_do(tls_sandbox, here, capsys):
    assert await init(*whole(tls_sandbox)) == 1

    assert "nothing runs in user:: start your unikernel" in capsys.readouterr().err


async def test_the_roots_ca_is_a_hint(sandbox, capsys):
    assert await init(*whole(sandbox, "--ca=keys/ca.pem")) == 0

    assert "this is a root CA" in capsys.readouterr().err


async def test_a_key_that_others_can_read_is_refused(sandbox, here, capsys):
    (here / "keys" / "user.key").chmod(0o644)

    assert await init(*whole(sandbox)) == 1

    assert capsys.readouterr().err == (
        "--ca-key: keys/user.key can be read by others than its owner: chmod 600 it\n"
    )


async def test_an_encrypted_key_needs_the_file_with_its_passphrase(
    sandbox, types, here, capsys
):
    file = here / "keys" / "user.key"
    key = load_pem_private_key(file.read_bytes(), None)
    file.write_bytes(
        key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame")
        )
    )
    words = here / "keys" / "words"
    words.write_text("open sesame\n")
    words.chmod(0o600)

    alone = await init(*whole(sandbox))
    types("keys/user.pem", "keys/words")
    asked = await init(*whole(sandbox))

    assert (alone, asked) == (1, 0)
    assert "--ca-key-passphrase-file is missing" in capsys.readouterr().err
    [host] = load_settings(here / "autoscaler.toml").hosts
    assert host.access.ca_key_passphrase_file == words


async def test_whoever_leaves_finds_nothing_written(sandbox, types, here, capsys):
    types(sandbox.address)

    assert await init() == 1

    assert capsys.readouterr().err == "no answer: nothing was written\n"
    assert [each.name for each in here.iterdir()] == ["keys"]
