"""What JSON can say and the wire can't: refused with its place."""

import subprocess
import sys
from copy import deepcopy

import pytest

from albatross_client.meaning import from_meaning
from albatross_client.meaning.cursor import Cursor
from albatross_client.wire import encode
from tests.client.vectors import of_kind

_, GOOD = of_kind("wire")["data-stats-all"]
OF_STATS = ("payload", "data", "stats")
COUNTERS = [
    ("header", "sequence"),
    (*OF_STATS, "rusage", "minflt"),
    (*OF_STATS, "rusage", "utime", "seconds"),
    (*OF_STATS, "ifdata", 0, "baudrate"),
    (*OF_STATS, "kinfo_mem", "runtime"),
    (*OF_STATS, "vmm", 0, "value"),
]
INTEGERS = [
    (*OF_STATS, "rusage", "utime", "microseconds"),
    (*OF_STATS, "ifdata", 0, "mtu"),
    (*OF_STATS, "kinfo_mem", "cow"),
]


def changed(path, value):
    meaning = deepcopy(GOOD)
    place = meaning
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return meaning


def last(path):
    return str(path[-1])


@pytest.mark.parametrize("path", COUNTERS, ids=last)
def test_a_counter_has_64_bits(path):
    for number in (-(1 << 63), (1 << 63) - 1):
        encode(from_meaning(changed(path, number)))
    for number in (-(1 << 63) - 1, 1 << 63):
        said = rf"{path[-1]}: {number} where a whole number from -2\^63 to 2\^63 - 1"
        with pytest.raises(ValueError, match=said):
            from_meaning(changed(path, number))


@pytest.mark.parametrize("path", INTEGERS, ids=last)
def test_an_integer_has_63_bits(path):
    for number in (-(1 << 62), (1 << 62) - 1):
        encode(from_meaning(changed(path, number)))
    for number in (-(1 << 62) - 1, 1 << 62):
        said = rf"{path[-1]}: {number} where a whole number from -2\^62 to 2\^62 - 1"
        with pytest.raises(ValueError, match=said):
            from_meaning(changed(path, number))


def test_a_number_that_python_does_not_write_is_told_by_its_size():
    with pytest.raises(ValueError, match="sequence: a number of 14282 bits where"):
        from_meaning(changed(("header", "sequence"), 2 * 10**4299))


def test_a_text_that_is_no_unicode_is_told_with_its_place():
    with pytest.raises(ValueError, match=r"failure: '\\ud800' where a string of Uni"):
        from_meaning({**GOOD, "payload": {"failure": "\ud800"}})


@pytest.mark.parametrize("digits", ["0", "0x", " 00", "0_0_", "\u0660\u0660"])
def test_what_are_no_digits_in_pairs_is_refused(digits):
    with pytest.raises(ValueError, match="even number of hexadecimal digits"):
        Cursor(digits).octets()


def test_an_image_is_read_in_its_own_memory():
    """One of 100 MB took 12 GB and more than a minute, on the stack of `re`."""
    script = (
        "import resource\n"
        "from albatross_client.meaning.cursor import Cursor\n"
        "digits = 'ab' * 16_000_000\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert len(Cursor(digits).octets()) == 16_000_000\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )

    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    kib = int(done.stdout)
    assert kib < 64 * 1024
