"""Every vector means to us what it means to a real host."""

import pytest

from albatross_client.errors import RemoteProtocolError
from albatross_client.meaning import (
    command_from_meaning,
    command_to_meaning,
    from_meaning,
    to_meaning,
)
from albatross_client.wire import decode, decode_command, encode, encode_command
from tests.client.vectors import VECTORS, of_kind

VALID = of_kind("wire")
EXTENSIONS = of_kind("cert-extension")
INVALID = of_kind("wire-invalid")
LENIENT = of_kind("wire-lenient")

# What hosts read though it is odd and we refuse, with the reason.  Nothing so
# far: everything that is odd in the vectors has one evident meaning.
REFUSED_THOUGH_READ_BY_HOSTS: dict[str, str] = {}
# Extensions that a host reads but writes otherwise, with the reason.
WRITTEN_OTHERWISE: dict[str, str] = {}


def test_all_vectors_are_here():
    assert len(VECTORS) == 197
    assert [len(kind) for kind in (VALID, EXTENSIONS, INVALID, LENIENT)] == [
        *(108, 49, 26, 14)
    ]
    assert all(
        vector["reencodes_identically"]
        for vector in VECTORS
        if vector["kind"] == "wire"
    )


@pytest.mark.parametrize("name", VALID)
def test_a_message_has_its_meaning_and_is_written_identically(name):
    octets, meaning = VALID[name]

    message = decode(octets)

    assert to_meaning(message) == meaning
    assert encode(message) == octets
    assert encode(from_meaning(meaning)) == octets


@pytest.mark.parametrize("name", EXTENSIONS)
def test_an_extension_has_its_meaning_and_is_written_identically(name):
    octets, meaning = EXTENSIONS[name]

    command = decode_command(octets)

    assert command_to_meaning(command) == meaning
    assert command_from_meaning(meaning) == command
    assert (encode_command(command) != octets) == (name in WRITTEN_OTHERWISE)


@pytest.mark.parametrize("name", INVALID)
def test_what_a_host_refuses_is_refused(name):
    octets, _ = INVALID[name]

    with pytest.raises(RemoteProtocolError):
        decode(octets)


@pytest.mark.parametrize("name", LENIENT)
def test_what_a_host_reads_though_odd_has_its_meaning_or_is_refused_for_a_reason(name):
    octets, meaning = LENIENT[name]

    if name in REFUSED_THOUGH_READ_BY_HOSTS:
        with pytest.raises(RemoteProtocolError):
            decode(octets)
    else:
        assert to_meaning(decode(octets)) == meaning


@pytest.mark.parametrize("name", LENIENT)
def test_what_is_odd_is_written_in_the_one_strict_form(name):
    octets, _ = LENIENT[name]

    message = decode(octets)

    assert decode(encode(message)) == message


def test_every_exception_names_a_vector():
    assert REFUSED_THOUGH_READ_BY_HOSTS.keys() <= LENIENT.keys()
    assert WRITTEN_OTHERWISE.keys() <= EXTENSIONS.keys()
