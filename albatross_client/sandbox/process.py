"""Unikernels that are processes: CPU that the kernel counts.

What a unikernel is asked for is scaled down by `core_share`, and what the
kernel counted is scaled up again, so that several fit on a laptop.  One whose
arguments hold an address of loopback serves HTTP there.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from attrs import define, field, frozen
from attrs.validators import ge

from albatross_client.sandbox import burner
from albatross_client.sandbox.demand import Load
from albatross_client.sandbox.machine import Counters
from albatross_client.sandbox.sites import site_of
from albatross_client.sandbox.state import Unikernel

_NS_PER_US = 1000
# A burner is one thread.
_CPUS = 1.0
_KILLED_SECONDS = 5.0
# proc(5), /proc/PID/stat: fields after the command, counted from state = 0
_MINFLT, _MAJFLT, _VSIZE, _RSS = 7, 9, 20, 21


# What a child runs that serves; its first argument is where to import from.
# Without site packages an interpreter is up in a fifth of the time.
_SERVE = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from albatross_client.sandbox.web.member import main; main()"
)
_ROOT = Path(__file__).parents[2]


@frozen(kw_only=True)
class Serving:
    """How unikernels serve HTTP.

    Attributes:
        request_seconds: CPU time of a request that asks for none.
        boot_seconds: From the host's reply to a create until one listens.
    """

    request_seconds: float = field(default=0.002, validator=ge(0))
    boot_seconds: float = field(default=0.0, validator=ge(0))


@define
class ProcessMachine:
    """A `Machine` whose processes are real ones; Linux only.

    Attributes:
        core_share: Of a core, what is burned for one core of demand.
        serving: How those serve that have an address.
    """

    core_share: float
    serving: Serving = field(factory=Serving)
    _children: dict[int, subprocess.Popen[bytes]] = field(factory=dict, init=False)
    _shares: dict[int, float] = field(factory=dict, init=False)
    _codes: dict[int, int] = field(factory=dict, init=False)

    def cpus(self, unikernel: Unikernel) -> float:  # noqa: ARG002 - of the protocol
        """Return 1: a burner is one thread."""
        return _CPUS

    def start(self, unikernel: Unikernel, now: float) -> None:  # noqa: ARG002
        """Start a burner that burns nothing yet, or one that serves besides."""
        self._children[unikernel.process] = subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, "-I", "-S", *self._program(unikernel)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            # Ctrl-C at a terminal goes to the whole group: the sandbox alone
            # ends its children.
            start_new_session=True,
        )

    def stop(self, process: int) -> None:
        """End the burner; it is gone on return."""
        child = self._children.pop(process, None)
        self._forget(process)
        if child is not None:
            _end(child)

    def kill(self, process: int, exit_code: int) -> None:
        """End the burner; the host is told *exit_code*."""
        child = self._children.get(process)
        if child is not None:
            child.kill()
            child.wait(_KILLED_SECONDS)
            self._codes[process] = exit_code

    def burn(self, process: int, load: Load, now: float) -> None:
        """Tell the burner the share of a core that *load* is *now*."""
        share = round(load.cores(now) * self.core_share, 6)
        child = self._children.get(process)
        if child is None or child.stdin is None or self._shares.get(process) == share:
            return
        self._shares[process] = share
        with contextlib.suppress(BrokenPipeError):
            os.write(child.stdin.fileno(), f"{share}\n".encode())

    def read(self, process: int, now: float) -> Counters | None:  # noqa: ARG002
        """Return what the kernel counted, CPU time as of whole cores."""
        child = self._children.get(process)
        if child is None:
            return None
        try:
            return _counters(Path("/proc") / str(child.pid), self.core_share)
        except (OSError, ValueError, IndexError):
            # It ended between two lines of this.
            return None

    def exits(self) -> tuple[tuple[int, int], ...]:
        """Return the burners that ended, with their exit codes."""
        ended = {
            process: child
            for process, child in self._children.items()
            if child.poll() is not None
        }
        codes = tuple(
            (process, self._codes.get(process, child.returncode))
            for process, child in ended.items()
        )
        for process, child in ended.items():
            del self._children[process]
            self._forget(process)
            _end(child)
        return codes

    def close(self) -> None:
        """End all burners."""
        for process in list(self._children):
            self.stop(process)

    def _program(self, unikernel: Unikernel) -> list[str]:
        site = site_of(unikernel.config.argv or ())
        if site is None:
            return [burner.__file__]
        serving = self.serving
        numbers = (serving.request_seconds, self.core_share, serving.boot_seconds)
        where = (str(unikernel.name), site.address, str(site.port))
        return ["-c", _SERVE, str(_ROOT), *where, *map(str, numbers)]

    def _forget(self, process: int) -> None:
        self._shares.pop(process, None)
        self._codes.pop(process, None)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    if child.stdin is not None:
        child.stdin.close()
    child.wait(_KILLED_SECONDS)


def _counters(proc: Path, core_share: float) -> Counters:
    """Read proc(5); schedstat counts nanoseconds, stat only ticks."""
    run_ns = int((proc / "schedstat").read_text().split()[0])
    # The command may hold anything, so what counts comes after its end.
    stat = (proc / "stat").read_text().rpartition(")")[2].split()
    status = dict(
        line.split(":", 1) for line in (proc / "status").read_text().splitlines()
    )
    return Counters(
        cpu_us=int(run_ns / core_share) // _NS_PER_US,
        minflt=int(stat[_MINFLT]),
        majflt=int(stat[_MAJFLT]),
        nvcsw=int(status["voluntary_ctxt_switches"]),
        nivcsw=int(status["nonvoluntary_ctxt_switches"]),
        rss_pages=int(stat[_RSS]),
        vsize=int(stat[_VSIZE]),
    )
