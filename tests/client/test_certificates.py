"""Reading the operator's CA files."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from albatross_client.certificates import (
    COMMAND_OID,
    Validity,
    common_name,
    load_authority,
    load_certificate,
    validity,
)
from albatross_client.commands import UnikernelInfo
from albatross_client.errors import CertificateError
from albatross_client.keys import readable_by_others
from albatross_client.names import ROOT, Name
from tests.client.pki import (
    A_DAY,
    KEY_KINDS,
    PASSPHRASE,
    POLICY,
    REFUSED_KINDS,
    TODAY,
    Wanted,
    domain_ca,
    issue,
    root,
    server,
    with_extension_twice,
    write,
)


def load(directory, *, passphrase=False):
    return load_authority(
        directory / "ca.pem",
        directory / "ca.key",
        directory / "passphrase" if passphrase else None,
    )


@pytest.mark.parametrize("kind", KEY_KINDS)
@pytest.mark.parametrize("passphrase", [None, PASSPHRASE], ids=["plain", "encrypted"])
def test_every_kind_of_key_that_hosts_take_is_read(tmp_path, kind, passphrase):
    ca = root(key=KEY_KINDS[kind]())
    write(tmp_path, ca, passphrase=passphrase)

    authority = load(tmp_path, passphrase=passphrase is not None)

    assert authority.chain == (ca.certificate,)
    assert authority.domain == ROOT
    assert authority.sent == ()


@pytest.mark.parametrize("kind", ["p256", "rsa2048"])
def test_traditional_key_files_are_read(tmp_path, kind):
    ca = root(key=KEY_KINDS[kind]())
    write(tmp_path, ca)
    (tmp_path / "ca.key").write_bytes(
        ca.key.private_bytes(
            Encoding.PEM,
            PrivateFormat.TraditionalOpenSSL,
            BestAvailableEncryption(PASSPHRASE),
        )
    )

    assert load(tmp_path, passphrase=True).chain == (ca.certificate,)


@pytest.mark.parametrize("kind", REFUSED_KINDS)
def test_a_key_that_hosts_refuse_is_named_with_what_is_allowed(tmp_path, kind):
    write(tmp_path, root(key=REFUSED_KINDS[kind]()))

    with pytest.raises(CertificateError, match=r"allowed are Ed25519, P-256") as caught:
        load(tmp_path)

    assert "ca.pem" in str(caught.value)


def test_a_refused_key_beside_a_good_certificate_is_named(tmp_path):
    write(tmp_path, root())
    bad = root(key=REFUSED_KINDS["ed448"]())
    (tmp_path / "ca.key").write_bytes(bad.key_pem())

    with pytest.raises(CertificateError, match=r"ca\.key: hosts don't take"):
        load(tmp_path)


def test_a_domain_key_knows_its_path_and_sends_all_but_the_root(tmp_path):
    top = root()
    plain = issue(Wanted(name="operations"), top)
    org = domain_ca("Org", plain)
    team = domain_ca("team", org)
    write(tmp_path, team, org, plain, top)

    authority = load(tmp_path)

    assert authority.domain == Name.parse("org:team:")
    assert authority.sent == (team.certificate, org.certificate, plain.certificate)


def test_names_outside_a_domain_key_are_refused_before_anything_is_sent(tmp_path):
    top = root()
    write(tmp_path, domain_ca("user", top), top)
    authority = load(tmp_path)

    authority.require_within(Name.parse("user:team:web"))

    with pytest.raises(CertificateError, match=r"other:web lies outside user:"):
        authority.require_within(Name.parse("other:web"))


def test_the_key_shows_in_no_repr(tmp_path):
    write(tmp_path, root())

    assert "key=" not in repr(load(tmp_path))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(
            lambda d, _: (d / "ca.key").write_bytes(root().key_pem()),
            "is not the key of CN=ca",
            id="another key",
        ),
        pytest.param(
            lambda d, _: (d / "ca.key").write_bytes(b"rubbish"),
            "ca.key is not a private key in PEM form",
            id="no key",
        ),
        pytest.param(
            lambda d, _: (d / "ca.key").unlink(),
            "ca.key can't be read: No such file",
            id="key missing",
        ),
        pytest.param(
            lambda d, ca: (d / "ca.key").write_bytes(ca.key_pem(PASSPHRASE)),
            "ca.key is encrypted: name the file with its passphrase",
            id="encrypted",
        ),
        pytest.param(
            lambda d, _: (d / "ca.pem").write_bytes(b""),
            "ca.pem doesn't hold certificates in PEM form",
            id="no certificate",
        ),
        pytest.param(
            lambda d, _: (d / "ca.pem").write_bytes(
                b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
            ),
            "ca.pem doesn't hold certificates in PEM form",
            id="rubbish certificate",
        ),
        pytest.param(
            lambda d, ca: write(d, server(ca)),
            "CN=host is not a CA certificate",
            id="a server's",
        ),
        pytest.param(
            lambda d, ca: write(d, issue(Wanted(name="leaf", ca=False), ca)),
            "CN=leaf is not a CA certificate",
            id="a leaf",
        ),
        pytest.param(
            lambda d, ca: write(d, ca, domain_ca("user", ca)),
            "CN=ca is not issued by CN=user, the certificate after it",
            id="wrong order",
        ),
        pytest.param(
            lambda d, ca: write(d, domain_ca("user", root()), ca),
            "CN=user is not issued by CN=ca",
            id="forged issuer",
        ),
        pytest.param(
            lambda d, ca: write(d, domain_ca("a b", ca), ca),
            "CN=a b carries a policy, but its common name is no label",
            id="bad label",
        ),
        pytest.param(
            lambda d, ca: write(d, domain_ca("\u212a", ca), ca),
            "carries a policy, but its common name is no label",
            id="a letter that only in lower case is ASCII",
        ),
        pytest.param(
            lambda d, ca: write(d, with_extension_twice(ca)),
            "ca.pem doesn't hold certificates in PEM form",
            id="an extension twice",
        ),
        pytest.param(
            lambda d, ca: write(d, domain_ca("u", ca, command=UnikernelInfo()), ca),
            "CN=u carries UnikernelInfo; in a CA hosts allow nothing but a policy",
            id="another command",
        ),
    ],
)
def test_files_that_do_not_fit_are_told_in_a_sentence(tmp_path, spoil, message):
    ca = root()
    write(tmp_path, ca)
    spoil(tmp_path, ca)

    with pytest.raises(CertificateError) as caught:
        load(tmp_path)

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "http" not in str(caught.value)


def test_a_rubbish_command_in_a_ca_is_told(tmp_path):
    top = root()
    user = _ca_with_extension(top, b"\x30\x00")
    write(tmp_path, user, top)

    with pytest.raises(CertificateError, match=r"command in CN=user is not valid"):
        load(tmp_path)


def _ca_with_extension(issuer, octets):
    made = issue(Wanted(name="user"), issuer)
    builder = (
        x509.CertificateBuilder()
        .subject_name(made.certificate.subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(made.key.public_key())
        .serial_number(1)
        .not_valid_before(TODAY - A_DAY)
        .not_valid_after(TODAY + A_DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.UnrecognizedExtension(COMMAND_OID, octets), critical=False)
    )
    return type(made)(builder.sign(issuer.key, None), made.key)


@pytest.mark.parametrize(
    ("encrypted", "content", "message"),
    [
        pytest.param(True, b"wrong", "passphrase doesn't open", id="wrong"),
        pytest.param(False, PASSPHRASE, "is not encrypted: leave out", id="needless"),
    ],
)
def test_a_passphrase_that_does_not_fit_is_told_but_not_shown(
    tmp_path, encrypted, content, message
):
    write(tmp_path, root(), passphrase=PASSPHRASE if encrypted else None)
    (tmp_path / "passphrase").write_bytes(content)

    with pytest.raises(CertificateError) as caught:
        load(tmp_path, passphrase=True)

    assert message in str(caught.value)
    assert content.decode() not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\r\n"], ids=["nothing", "a line end"])
def test_a_file_without_a_passphrase_is_said_to_be_that(tmp_path, content):
    """The library takes an empty one for none: the key seemed not encrypted."""
    write(tmp_path, root(), passphrase=PASSPHRASE)
    (tmp_path / "passphrase").write_bytes(content)

    with pytest.raises(CertificateError, match="passphrase is empty: the passphrase"):
        load(tmp_path, passphrase=True)


def test_a_server_ca_is_exactly_one_certificate(tmp_path):
    top = root()
    path = tmp_path / "server_ca.pem"
    path.write_bytes(top.pem)

    assert load_certificate(path) == top.certificate

    path.write_bytes(top.pem * 2)
    with pytest.raises(CertificateError, match="holds 2 certificates; exactly one"):
        load_certificate(path)


def test_a_certificate_without_a_common_name_has_none():
    nameless = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(root().key.public_key())
        .serial_number(1)
        .not_valid_before(TODAY)
        .not_valid_after(TODAY + A_DAY)
        .sign(root().key, None)
    )

    assert common_name(nameless) is None
    assert validity(nameless).subject == "a certificate without a subject"


def test_dates_are_exposed_and_complained_about():
    validity = Validity("CN=ca", TODAY - A_DAY, TODAY + A_DAY)

    assert validity.complaint(TODAY) is None
    assert "expired on" in (validity.complaint(TODAY + 2 * A_DAY) or "")
    assert "is not valid before" in (validity.complaint(TODAY - 2 * A_DAY) or "")


@pytest.mark.parametrize(
    ("mode", "open_to_others"),
    [(0o600, False), (0o640, True), (0o604, True), (0o400, False)],
    ids=oct,
)
def test_a_key_file_open_to_others_is_noticed(tmp_path, mode, open_to_others):
    path = tmp_path / "ca.key"
    path.touch()
    path.chmod(mode)

    assert readable_by_others(path) is open_to_others


def test_a_missing_key_file_is_told(tmp_path):
    with pytest.raises(CertificateError, match="can't be read"):
        readable_by_others(tmp_path / "nothing")


def test_a_policy_is_what_the_domain_ca_carries(tmp_path):
    top = root()
    user = domain_ca("user", top)
    write(tmp_path, user, top)

    (sent,) = load(tmp_path).sent

    value = sent.extensions.get_extension_for_oid(COMMAND_OID).value
    assert POLICY.memory.to_bytes(2, "big") in value.public_bytes()
