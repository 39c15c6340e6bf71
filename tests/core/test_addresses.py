"""Tests of the range of addresses that an operator sets aside."""

import pytest

from autoscaler.core.addresses import AddressPool


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("10.0.42.10-10.0.42.60", 51),
        ("10.0.42.10 - 10.0.42.10", 1),
        ("fd00::1-fd00::ff", 255),
    ],
)
def test_a_pool_has_both_its_ends(text, size):
    assert AddressPool.parse(text).size == size


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("10.0.0.1", id="no range"),
        pytest.param("10.0.0.2-10.0.0.1", id="the wrong order"),
        pytest.param("10.0.0.1-fd00::1", id="two families"),
        pytest.param("10.0.0.1-ten", id="no address"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(ValueError, match=r"range|address"):
        AddressPool.parse(text)


def test_a_pool_reads_as_it_was_written():
    assert str(AddressPool.parse("10.0.0.1-10.0.0.9")) == "10.0.0.1-10.0.0.9"


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        pytest.param(set(), "10.0.0.9", id="the first"),
        pytest.param({"10.0.0.9"}, "10.0.0.10", id="the lowest that is free"),
        pytest.param({"10.0.0.10"}, "10.0.0.9", id="not after the highest taken"),
        pytest.param({"10.0.0.9", "10.0.0.10"}, None, id="all taken"),
    ],
)
def test_the_lowest_free_address_is_given(taken, expected):
    assert AddressPool.parse("10.0.0.9-10.0.0.10").first_free(taken) == expected


def test_a_vast_pool_is_not_read_to_its_end():
    assert AddressPool.parse("fd00::1-fd00:ffff::1").first_free(set()) == "fd00::1"


@pytest.mark.parametrize(
    ("other", "overlaps"),
    [
        pytest.param("10.0.0.9-10.0.0.20", True, id="its-end"),
        pytest.param("10.0.0.1-10.0.0.5", True, id="its-begin"),
        pytest.param("10.0.0.6-10.0.0.7", True, id="within"),
        pytest.param("10.0.0.10-10.0.0.20", False, id="after"),
        pytest.param("10.0.0.1-10.0.0.4", False, id="before"),
        pytest.param("::1-::ffff", False, id="another-family"),
    ],
)
def test_two_pools_overlap_where_an_address_is_in_both(other, overlaps):
    pool = AddressPool.parse("10.0.0.5-10.0.0.9")

    assert pool.overlaps(AddressPool.parse(other)) is overlaps
    assert AddressPool.parse(other).overlaps(pool) is overlaps
