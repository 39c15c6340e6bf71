"""Decoding: the lean reader, the general decoder, and asn1crypto alone."""

from collections.abc import Callable, Iterator

from albatross_client import grammar
from albatross_client.framing import FrameReader, frame
from albatross_client.names import Name
from albatross_client.replies import (
    Header,
    Infos,
    Wire,
)
from albatross_client.stats import read_stats
from albatross_client.values import Info, InterfaceInfo, Timestamp
from albatross_client.wire import decode, encode
from tests.benchmarks import ROUNDS, Result, at_least, measure
from tests.client.vectors import FRAMES

# Frame 0 is a reply; the others are stats frames, with and without interface.
STATS_FRAMES = FRAMES[1:]
_US_PER_S = 1_000_000
_MS_PER_S = 1000
_LEAN_REPEATS = 10
_UNIKERNELS = 1000

_WIRE = grammar.record(
    "Wire",
    ("header", grammar.HEADER),
    (
        "payload",
        grammar.choice(
            "Payload",
            (0, "command", grammar.COMMAND),
            (1, "success", grammar.SUCCESS),
            (2, "failure", grammar.UTF8),
            (3, "data", grammar.DATA),
        ),
    ),
)


def run() -> Iterator[Result]:
    """Measure decoding, per frame of the captured stream and per reply."""
    # One after the other in every round, so that both meet the same machine.
    pairs = [
        (
            _per_frame(_read_natively, 1, 1)[0],
            _per_frame(_read_lean, _LEAN_REPEATS, 1)[0],
        )
        for _ in range(ROUNDS)
    ]
    native, lean = zip(*pairs, strict=True)
    ratios = [slow / quick for slow, quick in zip(native, lean, strict=True)]
    yield Result("stats frame, lean reader, all fields", "us", lean)
    yield Result("stats frame, asn1crypto .native", "us", native)
    yield at_least("stats frame, asn1crypto / lean reader", "times", ratios, 12)
    yield Result("stats frame, general decoder", "us", _per_frame(_decode))
    yield Result("frame cut from the stream, one per feed", "us", _per_frame(_cut))
    reply = encode(_infos(256))
    # Each round is told what was never told before; then all the same thing.
    news = (encode(_infos(memory)) for memory in range(1, ROUNDS + 2))
    decoded = [_MS_PER_S * seconds for seconds in measure(lambda: decode(next(news)))]
    again = [_MS_PER_S * seconds for seconds in measure(lambda: decode(reply))]
    parsed = [
        _MS_PER_S * seconds for seconds in measure(lambda: _WIRE.load(reply).native)
    ]
    yield Result("infos of 1000 unikernels, general decoder", "ms", tuple(decoded))
    yield Result("the same, told again", "ms", tuple(again))
    yield Result("infos of 1000 unikernels, asn1crypto .native", "ms", tuple(parsed))


def _per_frame(
    work: Callable[[], object], repeats: int = 1, rounds: int = ROUNDS
) -> tuple[float, ...]:
    """Return microseconds per frame of the captured stream, per round."""
    count = repeats * len(STATS_FRAMES)

    def repeated() -> None:
        for _ in range(repeats):
            work()

    return tuple(_US_PER_S * seconds / count for seconds in measure(repeated, rounds))


def _read_lean() -> None:
    for body in STATS_FRAMES:
        read_stats(body)


def _read_natively() -> None:
    for body in STATS_FRAMES:
        _ = _WIRE.load(body).native


def _decode() -> None:
    for body in STATS_FRAMES:
        decode(body)


def _cut() -> None:
    frames = FrameReader(1 << 20)
    for segment in _SEGMENTS:
        for _ in frames.feed(segment):
            pass


_SEGMENTS = tuple(map(frame, STATS_FRAMES))


def _infos(memory: int) -> Wire:
    info = Info(
        memory=memory,
        digest=bytes(32),
        interfaces=(InterfaceInfo("service", "service", b"\x00\x80\x41\x00\x00\x01"),),
        argv=("--ipv4=10.0.0.2/24", "--name=web"),
        started=Timestamp(1_787_393_472_000),
    )
    names = (Name(("user1",), f"web-{number}") for number in range(_UNIKERNELS))
    return Wire(Header(Name(())), Infos(tuple((name, info) for name in names)))
