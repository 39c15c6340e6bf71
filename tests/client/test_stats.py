"""The lean reader accepts, refuses and says what the general decoder does."""

from itertools import islice

import pytest
from hypothesis import given

from albatross_client.errors import RemoteProtocolError
from albatross_client.stats import Sample, read_stats
from albatross_client.values import Timeval
from albatross_client.wire import decode, encode
from tests.client import assemble as a
from tests.client import strategies as some
from tests.client.vectors import FRAMES, of_kind
from tests.decoders import disagreement, sample_of
from tests.fuzz_codec import examine, seeds
from tests.mutation import mutations


def sample(octets):
    return read_stats(octets)


def payload(octets):
    return decode(octets).payload


def test_a_frame_is_read():
    octets = a.message(
        a.context(
            3,
            a.context(
                1,
                a.seq(a.rusage(), a.seq(a.interface(), a.interface()), a.kinfo()),
            ),
        ),
        head=a.header("user1:web"),
    )

    read = read_stats(octets)

    assert read == Sample(
        name="user1:web",
        cpu_us=4_000_006,
        minflt=4,
        majflt=5,
        nvcsw=12,
        nivcsw=13,
        runtime_us=5,
        start_us=5_000_006,
        rss_pages=1,
        packets_in=2,
        packets_out=6,
        bytes_in=12,
        bytes_out=14,
    )


def test_what_is_not_told_is_none():
    read = read_stats(a.stats())

    assert read is not None
    assert (read.runtime_us, read.start_us, read.rss_pages) == (None, None, None)
    assert (read.packets_in, read.bytes_out) == (0, 0)


def test_the_captured_stream_is_read_alike_by_both():
    subscribed, *frames = FRAMES

    samples = list(map(sample, frames))

    assert read_stats(subscribed) is None
    assert len(samples) == 160
    assert samples == [
        sample_of(read.name, payload(frame))
        for read, frame in zip(samples, frames, strict=True)
    ]
    assert {read.name for read in samples} == {
        *("user1:web-clone-1", "user1:web", "user1:api", ":solo")
    }


def test_the_captured_stream_tells_the_load_of_each_unikernel():
    """Ticks are 1 s apart.

    Asked for were 30, 95, 10 and 3 % of a core; by the host's own counters the
    first and the third got less.
    """
    first, last = (
        {read.name: read.cpu_us for read in map(sample, frames)}
        for frames in (FRAMES[1:5], FRAMES[-4:])
    )

    percents = {name: (last[name] - first[name]) / 390_000 for name in first}

    assert percents == {
        "user1:web-clone-1": pytest.approx(24, abs=3),
        "user1:web": pytest.approx(95, abs=3),
        "user1:api": pytest.approx(6, abs=3),
        ":solo": pytest.approx(3, abs=3),
    }


@given(some.stats_wires)
def test_any_stats_frame_is_read_alike_by_both(message):
    octets = encode(message)

    read = read_stats(octets)

    assert read == sample_of(str(message.header.name), message.payload)


@given(some.wires)
def test_any_message_is_stats_data_to_both_or_to_neither(message):
    assert disagreement(encode(message)) is None


@pytest.mark.parametrize("name", of_kind("wire", "wire-lenient", "wire-invalid"))
def test_every_vector_is_read_alike_by_both(name):
    octets, _ = of_kind("wire", "wire-lenient", "wire-invalid")[name]

    assert disagreement(octets) is None


LONG = a.octets(bytes(7) + b"\x05" + bytes(9))
SHORT = a.octets(bytes(7))
PLAIN = a.i64(1)
LONG_TIMEVAL = a.seq(LONG, a.number(7))
# Cells whose last 120 octets look like twelve plain ones, and are not
MIMIC = [a.octets(bytes(8) + PLAIN), *([PLAIN] * 11)]


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(a.stats(a.rusage(*[LONG] * 14), a.seq()), id="long-rusage"),
        pytest.param(
            a.stats(a.rusage(*[PLAIN] * 13, LONG), a.seq()), id="long-last-counter"
        ),
        pytest.param(
            a.stats(a.seq(LONG_TIMEVAL, a.timeval(), *[PLAIN] * 14), a.seq()),
            id="long-seconds",
        ),
        pytest.param(
            a.stats(a.rusage(), a.seq(a.interface(*[LONG] * 12))), id="long-interface"
        ),
        pytest.param(
            a.stats(a.rusage(), a.seq(a.interface(*MIMIC))), id="mimicked-cells"
        ),
        pytest.param(
            a.stats(a.rusage(), a.seq(), a.kinfo(*[LONG] * 6)), id="long-kinfo"
        ),
        pytest.param(
            a.stats(
                a.seq(
                    a.seq(a.i64(1), a.number(-5)),
                    a.seq(a.i64(1), a.number(1 << 61)),
                    *[PLAIN] * 14,
                ),
                a.seq(),
            ),
            id="odd-microseconds",
        ),
        pytest.param(
            a.stats(
                a.rusage(),
                a.seq(),
                a.context(
                    0, a.seq(a.seq(a.utf8("x"), LONG), a.seq(a.utf8("y"), PLAIN))
                ),
                a.kinfo(),
            ),
            id="vmm",
        ),
        pytest.param(
            a.stats(a.rusage(), a.seq(*[a.interface()] * 400)), id="many-interfaces"
        ),
        pytest.param(
            a.message(
                a.context(3, a.context(1, a.seq(a.rusage(), a.seq()))),
                head=a.header(":".join(["a" * 63] * 5), sequence=-1),
            ),
            id="long-name",
        ),
        pytest.param(
            a.message(
                a.context(3, a.context(1, a.seq(a.rusage(), a.seq()))),
                head=a.seq(a.number(5), LONG, a.utf8("Web")),
            ),
            id="long-sequence",
        ),
    ],
)
def test_an_odd_frame_is_read_alike_by_both(octets):
    assert read_stats(octets) is not None
    assert disagreement(octets) is None


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x30", id="one-byte"),
        pytest.param(bytes(130), id="no-length-fits"),
        pytest.param(a.seq(), id="empty"),
        pytest.param(a.seq(a.header()), id="no-payload"),
        pytest.param(a.message(a.NULL), id="no-alternative"),
        pytest.param(a.message(a.context(4, a.NULL)), id="payload-4"),
        pytest.param(a.success(a.NULL) + b"\x00", id="trailing-byte"),
        pytest.param(a.stats(a.rusage(*[SHORT] * 14), a.seq()), id="short-counters"),
        pytest.param(a.stats(a.rusage(*[PLAIN] * 13), a.seq()), id="too-few"),
        pytest.param(a.stats(a.rusage(*[PLAIN] * 15), a.seq()), id="too-many"),
        pytest.param(
            a.stats(a.seq(a.seq(PLAIN), a.timeval(), *[PLAIN] * 14), a.seq()),
            id="no-microseconds",
        ),
        pytest.param(
            a.stats(
                a.seq(a.seq(PLAIN, b"\x02\x02\x00\x01"), a.timeval(), *[PLAIN] * 14),
                a.seq(),
            ),
            id="padded-microseconds",
        ),
        pytest.param(
            a.stats(
                a.seq(a.seq(PLAIN, a.number(1 << 62)), a.timeval(), *[PLAIN] * 14),
                a.seq(),
            ),
            id="microseconds-of-64-bits",
        ),
        pytest.param(
            a.stats(
                a.seq(a.seq(PLAIN, b"\x02\x00"), a.timeval(), *[PLAIN] * 14), a.seq()
            ),
            id="empty-microseconds",
        ),
        pytest.param(a.stats(a.rusage()), id="no-interfaces"),
        pytest.param(a.stats(a.rusage(), a.seq(a.seq())), id="empty-interface"),
        pytest.param(
            a.stats(a.rusage(), a.seq(a.interface(*[PLAIN] * 11))),
            id="interface-too-short",
        ),
        pytest.param(
            a.stats(a.rusage(), a.seq(a.interface(*[PLAIN] * 13))),
            id="interface-too-long",
        ),
        pytest.param(a.stats(a.rusage(), a.seq(), a.kinfo(), a.kinfo()), id="twice"),
        pytest.param(
            a.stats(a.rusage(), a.seq(), a.kinfo(*[PLAIN] * 5)), id="kinfo-too-short"
        ),
        pytest.param(
            a.stats(a.rusage(), a.seq(), a.kinfo(), a.context(0, a.seq())),
            id="vmm-after-kinfo",
        ),
        pytest.param(
            a.stats(a.rusage(), a.seq(), a.context(0, a.seq(), a.seq())), id="vmm-twice"
        ),
        pytest.param(
            a.stats(a.rusage(), a.seq(), a.context(0, a.seq(a.seq(a.utf8("x"))))),
            id="vmm-without-value",
        ),
        pytest.param(a.data(a.context(1, a.NULL)), id="stats-of-null"),
        pytest.param(
            a.message(
                a.context(3, a.context(1, a.seq(a.rusage(), a.seq()))),
                head=a.header("a b"),
            ),
            id="bad-name",
        ),
        pytest.param(
            a.message(
                a.context(3, a.context(1, a.seq(a.rusage(), a.seq()))),
                head=a.header(b"\xff"),
            ),
            id="name-of-bytes",
        ),
        pytest.param(
            a.message(
                a.context(3, a.context(1, a.seq(a.rusage(), a.seq()))),
                head=a.header(version=4),
            ),
            id="version-4",
        ),
    ],
)
def test_what_breaks_the_grammar_is_refused_by_both(octets):
    with pytest.raises(RemoteProtocolError):
        read_stats(octets)
    with pytest.raises(RemoteProtocolError):
        decode(octets)


def test_every_prefix_of_a_frame_is_refused():
    vmm = a.context(0, a.seq())
    octets = a.stats(a.rusage(), a.seq(a.interface()), vmm, a.kinfo())

    for end in range(len(octets)):
        with pytest.raises(RemoteProtocolError):
            read_stats(octets[:end])


def test_only_the_protocol_error_escapes_from_20_000_broken_messages():
    findings = [
        (finding, octets.hex())
        for octets in islice(mutations(seeds(), seed=20), 20_000)
        if (finding := examine(octets)) is not None
    ]

    assert findings == []


def test_a_timeval_is_microseconds_in_all():
    assert Timeval(-1, 5).total_us == -999_995
