"""Both decoders on the same octets, held against each other."""

from albatross_client.errors import RemoteProtocolError
from albatross_client.names import Name
from albatross_client.replies import (
    StatsData,
    Wire,
)
from albatross_client.stats import Sample, read_stats
from albatross_client.wire import decode, decode_command, encode


def sample_of(name: str, data: StatsData) -> Sample:
    """Return what the lean reader has to say of *data*."""
    rusage, kinfo = data.stats.rusage, data.stats.kinfo
    interfaces = data.stats.interfaces
    return Sample(
        name=name,
        cpu_us=rusage.utime.total_us + rusage.stime.total_us,
        minflt=rusage.minflt,
        majflt=rusage.majflt,
        nvcsw=rusage.nvcsw,
        nivcsw=rusage.nivcsw,
        runtime_us=None if kinfo is None else kinfo.runtime,
        start_us=None if kinfo is None else kinfo.start.total_us,
        rss_pages=None if kinfo is None else kinfo.rss,
        packets_in=sum(one.input_packets for one in interfaces),
        packets_out=sum(one.output_packets for one in interfaces),
        bytes_in=sum(one.input_bytes for one in interfaces),
        bytes_out=sum(one.output_bytes for one in interfaces),
    )


def disagreement(octets: bytes) -> str | None:
    """Return how the decoders differ on *octets*; None where they agree.

    Whatever escapes them but `RemoteProtocolError` escapes here, too.
    """
    _read_as_command(octets)
    try:
        message = decode(octets)
    except RemoteProtocolError:
        return _lean_accepts(octets)
    if decode(encode(message)) != message:
        return "written and read again it is another message"
    return _lean_differs(octets, message)


def _read_as_command(octets: bytes) -> None:
    try:
        decode_command(octets)
    except RemoteProtocolError:
        return


def _lean_accepts(octets: bytes) -> str | None:
    try:
        sample = read_stats(octets)
    except RemoteProtocolError:
        return None
    return None if sample is None else "only the lean reader accepts it"


def _lean_differs(octets: bytes, message: Wire) -> str | None:
    try:
        sample = read_stats(octets)
    except RemoteProtocolError as error:
        return f"only the lean reader refuses it: {error}"
    if not isinstance(message.payload, StatsData):
        return None if sample is None else "only the lean reader sees stats data"
    if sample is None:
        return "the lean reader sees no stats data"
    if Name.parse(sample.name) != message.header.name:
        return f"the lean reader names it {sample.name}"
    if sample != sample_of(sample.name, message.payload):
        return f"the lean reader says {sample}"
    return None
