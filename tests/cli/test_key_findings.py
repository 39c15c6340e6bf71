"""Who can read keys, and whether they open more than they have to."""

import pytest
import trio

from albatross_client.sandbox.embed import SANDBOX_IMAGE
from albatross_client.values import Config
from autoscaler.cli import main
from autoscaler.cli.key_findings import found_in_keys
from autoscaler.core.lint import Severity
from autoscaler.shell.configuration.settings import load_settings
from tests.cli.files import HOST, configuration, keys
from tests.client.pki import PASSPHRASE, domain_ca, root, write
from tests.sandbox_fixtures import WEB

GROUP = '[[groups]]\nhost = "west"\nprimary = "{}"\nmax_clones = 4\n'


def groups_of(*primaries):
    return "".join(GROUP.format(primary) for primary in primaries)


def found(directory, *primaries):
    file = configuration(directory, groups=groups_of(*primaries))
    return found_in_keys(load_settings(file))


@pytest.mark.parametrize(
    ("primaries", "domain"),
    [
        pytest.param(["user:web"], "user:", id="one group"),
        pytest.param(["user:web", "user:api"], "user:", id="one domain"),
        pytest.param(["org:a:web", "org:b:web"], "org:", id="one domain above"),
        pytest.param(["org:a:web", "org:a:b:web"], "org:a:", id="one inside another"),
    ],
)
def test_a_root_ca_is_hinted_at_where_that_of_a_domain_would_do(
    tmp_path, primaries, domain
):
    write(tmp_path, root())

    [hint] = found(tmp_path, *primaries)

    assert hint.severity is Severity.HINT
    assert str(hint).startswith("hint: host west: ca: this is a root CA")
    assert f"all groups lie in {domain}, a CA of that domain" in hint.message


@pytest.mark.parametrize(
    "primaries",
    [
        pytest.param(["user:web", "other:web"], id="two domains"),
        pytest.param(["user:web", ":web"], id="one at the root"),
        pytest.param([], id="no groups"),
    ],
)
def test_a_root_ca_that_is_needed_is_not_hinted_at(tmp_path, primaries):
    write(tmp_path, root())

    assert found(tmp_path, *primaries) == ()


def test_a_ca_of_a_domain_is_not_hinted_at(tmp_path):
    keys(tmp_path)

    assert found(tmp_path, "user:web") == ()


def test_files_that_are_on_another_machine_are_hinted_at(tmp_path):
    [hint] = found(tmp_path, "user:web")

    assert str(hint) == (
        "hint: host west: the daemon needs what can't be read here: "
        f"{tmp_path / 'ca.pem'}, {tmp_path / 'ca.key'}"
    )


def test_files_that_do_not_fit_together_are_an_error(tmp_path):
    write(tmp_path, domain_ca("user", root()))
    (tmp_path / "ca.key").write_bytes(domain_ca("user", root()).key_pem(None))

    [error] = found(tmp_path, "user:web")

    assert str(error).startswith(f"error: host west: {tmp_path / 'ca.key'} is not the")


def test_a_group_that_lies_outside_what_the_ca_may_act_in_is_an_error(tmp_path):
    keys(tmp_path)

    [error] = found(tmp_path, "user:web", "other:web")

    assert str(error) == (
        "error: group west/other:web: other: lies outside user:, the domain that "
        f"{tmp_path / 'ca.pem'} may act in"
    )


def test_what_hosts_are_asked_with_is_not_told_twice(tmp_path):
    file = configuration(tmp_path)

    assert found_in_keys(load_settings(file), is_asked=True) == ()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
@pytest.mark.parametrize("name", ["ca.key", "passphrase"])
def test_a_secret_that_others_can_read_is_an_error(tmp_path, capsys, mode, name):
    write(tmp_path, domain_ca("user", root()), passphrase=PASSPHRASE)
    (tmp_path / "passphrase").chmod(0o600)
    (tmp_path / name).chmod(mode)
    host = f'{HOST}ca_key_passphrase_file = "passphrase"\n'

    code = main(["check", "--config", str(configuration(tmp_path, host))])

    assert code == 1
    path = tmp_path / name
    assert capsys.readouterr().err == (
        f"error: host west: {path} can be read by others than its owner: chmod 600 it\n"
    )


def test_the_daemon_does_not_start_with_a_key_that_others_can_read(tmp_path, capsys):
    write(tmp_path, root())
    (tmp_path / "ca.key").chmod(0o640)

    code = main(["run", "--config", str(configuration(tmp_path))])

    path = tmp_path / "ca.key"
    assert code == 1
    assert capsys.readouterr().err == (
        f"autoscaler: {path} can be read by others than its owner: chmod 600 it\n"
    )
    assert not (tmp_path / "state").exists()


def test_a_finding_shows_nothing_of_a_key(tmp_path, capsys):
    write(tmp_path, root())
    secret = (tmp_path / "ca.key").read_text().splitlines()[1]
    (tmp_path / "ca.key").chmod(0o644)

    main(["check", "--config", str(configuration(tmp_path)), "--json"])

    assert secret not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("pin", "complaint"),
    [
        pytest.param('server_name = "sandbox"', None, id="the right name"),
        pytest.param(
            'server_name = "other"',
            "the common name has to be 'other' (server_name)",
            id="another name",
        ),
        pytest.param(
            f'server_key_sha256 = "{bytes(32).hex()}"',
            f"not {bytes(32).hex()} (server_key_sha256)",
            id="another key",
        ),
    ],
)
async def test_a_server_that_is_not_the_pinned_one_is_an_error(
    tls_sandbox, capsys, pin, complaint
):
    host = HOST.replace("127.0.0.1:1025", tls_sandbox.address) + f"{pin}\n"
    tls_sandbox.host.create(WEB, Config(image=SANDBOX_IMAGE))
    file = configuration(tls_sandbox.directory, host)

    code = await trio.to_thread.run_sync(
        main, ["check", "--config", str(file), "--connect"]
    )

    err = capsys.readouterr().err
    assert code == (0 if complaint is None else 1)
    assert complaint is None or complaint in err
    assert ("nothing was sent" in err) is (complaint is not None)


HTTP = '[http]\nlisten = "127.0.0.1:9090"\ntoken_file = "token"\n'


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        pytest.param("a" * 32, 0o640, "can be read by others", id="open to others"),
        pytest.param("a" * 31, 0o600, "must hold one token of 32 to 512", id="short"),
        pytest.param("a b" * 32, 0o600, "letters, digits and -._~+/", id="spaces"),
        pytest.param("a" * 513, 0o400, "32 to 512", id="long"),
    ],
)
def test_a_token_that_can_not_be_used_is_an_error(tmp_path, text, mode, says):
    keys(tmp_path)
    file = configuration(tmp_path)
    file.write_text(file.read_text() + HTTP)
    path = tmp_path / "token"
    path.write_text(text)
    path.chmod(mode)

    [finding] = found_in_keys(load_settings(file))

    assert (finding.severity, finding.key) == (Severity.ERROR, "token_file")
    assert says in finding.message
    assert text not in finding.message


def test_a_token_that_is_elsewhere_is_hinted_at(tmp_path):
    keys(tmp_path)
    file = configuration(tmp_path)
    file.write_text(file.read_text() + HTTP)

    [finding] = found_in_keys(load_settings(file))

    assert finding.severity is Severity.HINT
    assert (
        finding.message
        == f"{tmp_path / 'token'} can't be read: No such file or directory"
    )


def test_a_token_that_can_be_used_is_no_finding(tmp_path):
    keys(tmp_path)
    file = configuration(tmp_path)
    file.write_text(file.read_text() + HTTP)
    (tmp_path / "token").write_text(f"{'a' * 32}\n")
    (tmp_path / "token").chmod(0o600)

    assert found_in_keys(load_settings(file)) == ()
