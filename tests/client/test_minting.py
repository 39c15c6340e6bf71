"""Certificates that carry one command."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from albatross_client.certificates import COMMAND_OID, Authority, common_name
from albatross_client.commands import (
    PolicyAdd,
    StatsAdd,
    UnikernelDestroy,
    UnikernelInfo,
)
from albatross_client.errors import CertificateError
from albatross_client.minting import MAX_CHAIN, Ask, mint
from albatross_client.names import ROOT, Name
from albatross_client.values import ResourcePolicy
from albatross_client.wire import decode_command
from tests.client.pki import (
    A_DAY,
    KEY_KINDS,
    POLICY,
    TODAY,
    Wanted,
    domain_ca,
    issue,
    root,
)

WEB = Name.parse("user:web")
OTHER_POLICY = ResourcePolicy(cpuids=frozenset({3}), unikernels=1, memory=64)


def authority(*bundle, path=()):
    chain = tuple(each.certificate for each in bundle)
    return Authority(chain, bundle[0].key, path, Path("ca.pem"))


def carried(certificate):
    extension = certificate.extensions.get_extension_for_oid(COMMAND_OID)
    return extension.critical, decode_command(extension.value.public_bytes())


@pytest.mark.parametrize("kind", KEY_KINDS)
def test_a_chain_holds_together_up_to_every_kind_of_ca(kind):
    ca = root(key=KEY_KINDS[kind]())

    identity = mint(
        authority(ca), Ask(WEB, UnikernelDestroy(), (POLICY,)), TODAY + A_DAY
    )

    leaf, intermediate = identity.chain
    leaf.verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(ca.certificate)
    assert carried(leaf) == (False, UnikernelDestroy())
    assert carried(intermediate) == (False, PolicyAdd(POLICY))
    assert (common_name(leaf), common_name(intermediate)) == ("web", "user")


def test_a_leaf_is_what_hosts_ask_for():
    ca = root()

    identity = mint(authority(ca), Ask(ROOT, UnikernelInfo()), TODAY)

    (leaf,) = identity.chain
    extensions = leaf.extensions
    basic = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    purpose = extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert common_name(leaf) == "."
    assert (basic.critical, basic.value.ca) == (True, False)
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.key_encipherment) == (True, True)
    assert not usage.value.key_cert_sign
    assert list(purpose.value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert leaf.public_key() == identity.key.public_key()


def test_an_intermediate_may_sign_and_has_no_extended_usage():
    identity = mint(authority(root()), Ask(WEB, UnikernelDestroy(), (POLICY,)), TODAY)

    extensions = identity.chain[1].extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert (
        usage.key_cert_sign,
        usage.digital_signature,
        usage.content_commitment,
    ) == (True, True, True)
    with pytest.raises(x509.ExtensionNotFound):
        extensions.get_extension_for_class(x509.ExtendedKeyUsage)


def test_key_identifiers_link_to_the_issuer_where_it_has_one():
    with_one, without = root(), issue(Wanted(identifiers=False))

    linked = mint(authority(with_one), Ask(ROOT, UnikernelInfo()), TODAY).chain[0]
    alone = mint(authority(without), Ask(ROOT, UnikernelInfo()), TODAY).chain[0]

    issuer = with_one.certificate.extensions.get_extension_for_class(
        x509.SubjectKeyIdentifier
    )
    link = linked.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    assert link.value.key_identifier == issuer.value.digest
    with pytest.raises(x509.ExtensionNotFound):
        alone.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)


def test_a_leaf_is_valid_a_little_back_and_a_few_minutes():
    identity = mint(authority(root()), Ask(ROOT, UnikernelInfo()), TODAY)

    (leaf,) = identity.chain
    assert leaf.not_valid_before_utc == TODAY - timedelta(seconds=150)
    assert leaf.not_valid_after_utc == TODAY + timedelta(seconds=300)
    assert identity.expires == leaf.not_valid_after_utc


def test_a_domain_key_sends_its_own_chain_and_intermediates_below_it():
    top = root()
    user = domain_ca("user", top)
    ask = Ask(Name.parse("user:team:web"), UnikernelDestroy(), (OTHER_POLICY,))

    identity = mint(authority(user, top, path=("user",)), ask, TODAY)

    assert [common_name(each) for each in identity.chain] == ["web", "team", "user"]
    assert carried(identity.chain[1]) == (False, PolicyAdd(OTHER_POLICY))
    identity.chain[1].verify_directly_issued_by(user.certificate)


def test_no_key_shows_in_an_identity():
    identity = mint(authority(root()), Ask(ROOT, UnikernelInfo()), TODAY)

    assert "PrivateKey" not in repr(identity)


@pytest.mark.parametrize(
    ("moment", "message"),
    [
        pytest.param(TODAY + 31 * A_DAY, "CN=ca expired on", id="expired"),
        pytest.param(TODAY - 2 * A_DAY, "CN=ca is not valid before", id="too early"),
    ],
)
def test_a_ca_out_of_its_dates_signs_nothing(moment, message):
    with pytest.raises(CertificateError, match=message):
        mint(authority(root()), Ask(ROOT, UnikernelInfo()), moment)


def test_a_name_outside_the_domain_is_refused():
    top = root()
    user = authority(domain_ca("user", top), top, path=("user",))

    with pytest.raises(CertificateError, match="lies outside user:"):
        mint(user, Ask(Name.parse("other:web"), UnikernelDestroy()), TODAY)


def test_the_label_that_means_the_path_itself_is_refused():
    with pytest.raises(CertificateError, match="stands for the path itself"):
        mint(authority(root()), Ask(Name((), "."), UnikernelDestroy()), TODAY)


def test_a_chain_longer_than_hosts_take_is_refused():
    ca = authority(root())
    fits = Name(("d",) * (MAX_CHAIN - 1), "web")
    too_deep = Name(("d",) * MAX_CHAIN, "web")

    assert len(mint(ca, Ask(fits, UnikernelInfo(), (POLICY,) * 8), TODAY).chain) == 9
    with pytest.raises(CertificateError, match="chain of 10 certificates"):
        mint(ca, Ask(too_deep, UnikernelInfo(), (POLICY,) * 9), TODAY)


@pytest.mark.parametrize("path_length", [0, 1])
def test_a_path_length_is_respected_before_a_host_refuses(path_length):
    top = root()
    user = domain_ca("user", top, path_length=path_length)
    ca = authority(user, top, path=("user",))
    fits = Ask(Name(("user", *("d",) * path_length), "web"), UnikernelInfo())
    fits = Ask(fits.name, fits.command, (POLICY,) * path_length)
    deeper = Ask(
        Name(("user", *("d",) * (path_length + 1)), "web"),
        UnikernelInfo(),
        (POLICY,) * (path_length + 1),
    )

    assert len(mint(ca, fits, TODAY).chain) == 2 + path_length
    with pytest.raises(CertificateError, match="with a longer path length"):
        mint(ca, deeper, TODAY)


def test_a_value_that_cannot_be_encoded_is_a_value_error():
    with pytest.raises(ValueError, match=r"."):
        mint(authority(root()), Ask(ROOT, StatsAdd("vmm", 2**70, ())), TODAY)
