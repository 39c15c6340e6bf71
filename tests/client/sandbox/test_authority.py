"""The keys of a sandbox."""

import os
import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from albatross_client.certificates import is_issued_by, load_authority
from albatross_client.names import ROOT, Name
from albatross_client.sandbox.authority import (
    ca_files,
    delegate,
    domain_files,
    load_or_make_ca,
    make_ca,
    make_server,
    server_files,
    write,
)
from tests.sandbox_fixtures import USER, USER_POLICY

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ORG_TEAM = Name(("org", "team"))


def test_the_ca_of_a_directory_is_made_once(tmp_path):
    first = load_or_make_ca(tmp_path, NOW)
    second = load_or_make_ca(tmp_path, NOW + timedelta(days=1))

    assert first.chain == second.chain
    assert first.key.private_bytes_raw() == second.key.private_bytes_raw()


def test_the_client_reads_the_operators_key(tmp_path):
    load_or_make_ca(tmp_path, NOW)

    authority = load_authority(
        *(ca_files(tmp_path).certificate, ca_files(tmp_path).key)
    )

    assert authority.domain == ROOT


def test_the_client_reads_a_domains_key_with_its_path(tmp_path):
    outer = delegate(make_ca("ca", NOW), "org", USER_POLICY, NOW)
    write(domain_files(tmp_path, ORG_TEAM), delegate(outer, "team", USER_POLICY, NOW))

    files = domain_files(tmp_path, ORG_TEAM)
    authority = load_authority(files.certificate, files.key)

    assert authority.domain == ORG_TEAM
    assert len(authority.sent) == 2


def test_the_server_is_issued_by_the_ca_itself():
    ca = make_ca("ca", NOW)

    server = make_server(ca, NOW)

    assert is_issued_by(server.chain[0], ca.chain[0])


@pytest.mark.parametrize("before", [None, 0o644], ids=["new", "replaced"])
def test_keys_are_for_their_owner_alone(tmp_path, before):
    files = domain_files(tmp_path, USER)
    if before is not None:
        files.key.touch(before)
    umask = os.umask(0)
    try:
        write(files, make_ca("ca", NOW))
    finally:
        os.umask(umask)

    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600


def test_a_ca_that_is_not_the_sandboxs_is_left_alone(tmp_path):
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    ca_files(tmp_path).key.write_bytes(pem)

    with pytest.raises(ValueError, match="is not of the sandbox's making"):
        load_or_make_ca(tmp_path, NOW)

    assert ca_files(tmp_path).key.read_bytes() == pem


def test_no_two_parties_share_a_file(tmp_path):
    files = [
        ca_files(tmp_path),
        server_files(tmp_path),
        domain_files(tmp_path, USER),
        domain_files(tmp_path, ORG_TEAM),
        domain_files(tmp_path, Name(("org.team",))),
    ]

    assert len({each.key for each in files}) == len(files)


def test_a_key_does_not_show_in_a_repr():
    assert "key" not in repr(make_ca("ca", NOW))
