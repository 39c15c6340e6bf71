"""The processes of a living host: who burns what, and what they count."""

from collections.abc import Mapping

from attrs import define, field

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand, Load, primary_of
from albatross_client.sandbox.machine import Counters, Machine, stats_of
from albatross_client.sandbox.state import Host, Unikernel
from albatross_client.values import Stats


@define
class Processes:
    """Spreads the demand of each group over those of its members that run.

    Attributes:
        machine: What runs the processes.
    """

    machine: Machine
    _demands: dict[Name, tuple[Demand, float]] = field(factory=dict, init=False)
    _silent: set[int] = field(factory=set, init=False)
    _before: dict[int, Counters] = field(factory=dict, init=False)

    def set_demand(self, host: Host, primary: Name, demand: Demand, now: float) -> None:
        """Let the group of *primary* burn *demand*, whose second 0 is *now*."""
        self._demands[primary] = (demand, now)
        self.spread(host, primary, now)

    def start(self, host: Host, unikernel: Unikernel, now: float) -> None:
        """Start *unikernel*, which *host* has already."""
        self.machine.start(unikernel, now)
        self.spread(host, primary_of(unikernel.name), now)

    def stop(self, host: Host, unikernel: Unikernel, now: float) -> None:
        """End *unikernel*, which *host* has no more."""
        self.machine.stop(unikernel.process)
        self.ended(host, unikernel, now)

    def ended(self, host: Host, unikernel: Unikernel, now: float) -> None:
        """Forget *unikernel*, which ended."""
        self._silent.discard(unikernel.process)
        self._before.pop(unikernel.process, None)
        self.spread(host, primary_of(unikernel.name), now)

    def spread_all(self, host: Host, now: float) -> None:
        """Tell every process its share as of *now*."""
        for primary in self._demands:
            self.spread(host, primary, now)

    def spread(self, host: Host, primary: Name, now: float) -> None:
        """Tell the members of *primary*'s group their share as of *now*."""
        if primary not in self._demands:
            return
        demand, since = self._demands[primary]
        members = [
            unikernel
            for name, unikernel in host.unikernels.items()
            if primary_of(name) == primary
        ]
        for unikernel in members:
            cpus = self.machine.cpus(unikernel)
            load = Load(demand, since, len(members), cpus)
            self.machine.burn(unikernel.process, load, now)

    def silence(self, unikernel: Unikernel) -> None:
        """Tell nothing more of *unikernel*, as after one failed read."""
        self._silent.add(unikernel.process)

    def restart_counters(self, unikernel: Unikernel, now: float) -> None:
        """Let the counters of *unikernel* begin again at 0."""
        counters = self.machine.read(unikernel.process, now)
        if counters is not None:
            self._before[unikernel.process] = counters

    def readings(self, host: Host, now: float) -> Mapping[Name, Stats]:
        """Return what a host tells at *now* of each process it can read.

        One that can't be read once stays silent for good.
        """
        readings: dict[Name, Stats] = {}
        for name, unikernel in host.unikernels.items():
            process = unikernel.process
            if process in self._silent:
                continue
            counters = self.machine.read(process, now)
            if counters is None:
                self._silent.add(process)
                continue
            if process in self._before:
                counters = counters.since(self._before[process])
            readings[name] = stats_of(unikernel, counters)
        return readings
