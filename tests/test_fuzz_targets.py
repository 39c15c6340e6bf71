"""The fuzz targets on what was kept, and on a little chance in every run."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from albatross_client.commands import (
    PolicyInfo,
    UnikernelInfo,
)
from albatross_client.wire import encode_command
from tests.fuzz.__main__ import CORPUS
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS
from tests.mutation import mutations

pytestmark = pytest.mark.filterwarnings(
    # Certificates of chance break rules that the library only means to enforce.
    "ignore::cryptography.utils.CryptographyDeprecationWarning"
)
CHANCES = 50


def kept(target):
    return [path.read_bytes() for path in sorted((CORPUS / target).iterdir())]


def test_every_target_has_seeds_and_a_corpus():
    assert set(known_seeds()) == set(TARGETS)
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_what_was_kept_breaks_nothing_any_more(target):
    inputs = kept(target)

    for octets in inputs:
        TARGETS[target](octets)

    assert inputs


@pytest.mark.parametrize("target", TARGETS)
@given(octets=st.binary(max_size=200))
def test_no_octets_break_a_target(target, octets):
    TARGETS[target](octets)


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=CHANCES)
@given(seed=st.integers(0, 2**32))
def test_a_seed_that_is_a_little_broken_breaks_no_target(target, seed):
    octets = next(mutations(known_seeds()[target], seed))

    TARGETS[target](octets)


def test_a_target_finds_a_reader_that_is_wrong(monkeypatch):
    wrong = encode_command(PolicyInfo())
    monkeypatch.setattr("tests.fuzz.targets.encode_command", lambda _: wrong)

    with pytest.raises(AssertionError):
        TARGETS["command"](encode_command(UnikernelInfo()))


@cache
def known_seeds():
    return seeds()
