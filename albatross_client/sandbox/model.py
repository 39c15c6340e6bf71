"""Unikernels without processes: CPU counters that follow a demand exactly."""

from attrs import define, field

from albatross_client.sandbox.demand import Load
from albatross_client.sandbox.machine import Counters
from albatross_client.sandbox.state import Unikernel

_NS_PER_S = 1_000_000_000
_NS_PER_US = 1000
_PAGES_PER_MB = 256
_BYTES_PER_MB = 1024 * 1024
# Faults and switches of a unikernel that is up, and of one that works: that
# they grow is what matters, they are how a restart shows.
_FAULTS_AT_START = 200
_SWITCHES_PER_CPU_S = 100


@define
class _Process:
    unikernel: Unikernel
    load: Load | None
    since: float
    burned_ns: int = 0


@define
class ModelMachine:
    """A `Machine` whose processes are numbers."""

    _processes: dict[int, _Process] = field(factory=dict, init=False)
    _exits: list[tuple[int, int]] = field(factory=list, init=False)

    def cpus(self, unikernel: Unikernel) -> float:
        """Return its virtual CPUs."""
        return float(unikernel.config.numcpus)

    def start(self, unikernel: Unikernel, now: float) -> None:
        """Begin to count for *unikernel*."""
        self._processes[unikernel.process] = _Process(unikernel, None, now)

    def stop(self, process: int) -> None:
        """Forget *process*."""
        self._processes.pop(process, None)

    def kill(self, process: int, exit_code: int) -> None:
        """Forget *process* and report its exit."""
        self.stop(process)
        self._exits.append((process, exit_code))

    def burn(self, process: int, load: Load, now: float) -> None:
        """Count by *load* from *now* on."""
        counted = self._processes.get(process)
        if counted is not None:
            _advance(counted, now)
            counted.load = load

    def read(self, process: int, now: float) -> Counters | None:
        """Return the counters as of *now*."""
        counted = self._processes.get(process)
        if counted is None:
            return None
        _advance(counted, now)
        memory = counted.unikernel.config.memory
        switches = counted.burned_ns * _SWITCHES_PER_CPU_S // _NS_PER_S
        return Counters(
            cpu_us=counted.burned_ns // _NS_PER_US,
            minflt=_FAULTS_AT_START,
            nvcsw=switches,
            nivcsw=switches,
            rss_pages=memory * _PAGES_PER_MB,
            vsize=memory * _BYTES_PER_MB,
        )

    def exits(self) -> tuple[tuple[int, int], ...]:
        """Return who was killed since last asked."""
        exits, self._exits = tuple(self._exits), []
        return exits

    def close(self) -> None:
        """Forget all."""
        self._processes.clear()


def _advance(counted: _Process, now: float) -> None:
    # Whole nanoseconds: sums of floats would lose a tick now and then.
    if counted.load is not None:
        seconds = counted.load.burned(counted.since, now)
        counted.burned_ns += round(seconds * _NS_PER_S)
    counted.since = now
