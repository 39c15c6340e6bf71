"""Run every target for a while, one after another: ``make fuzz``.

What is found lies in ``tests/corpus/TARGET/crash-...`` afterwards, where the
tests find it again.  What only reaches new code is kept in ``.fuzz``, and goes
on from there in the next run.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parents[1] / "corpus"
LIVE = Path(__file__).parents[2] / ".fuzz"
SECONDS = 60
# No input of the longest allowed takes a hundredth of it.
SLOWEST_SECONDS = 10
MOST_MB = 2048
LONGEST_INPUT = 8192
# Of a target's corpus in the repository.
MOST_KEPT = 40
LONGEST_KEPT = 1024
_EXECUTIONS = re.compile(r"stat::number_of_executed_units: *(\d+)")
_SHOWN_LINES = 40


@frozen
class Run:
    """How one target went.

    Attributes:
        target: Its name.
        executions: How many inputs it was given.
        output: What was said on the way.
        code: Of the process; 0: nothing was found.
    """

    target: str
    executions: int
    output: str
    code: int


def main() -> int:
    """Run the targets named, or all; return 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=_seconds())
    parser.add_argument(
        "--keep",
        action="store_true",
        help="run nothing: add what reached most to the corpus of the repository",
    )
    arguments = parser.parse_args()
    strangers = set(arguments.targets) - set(TARGETS)
    if strangers:
        parser.error(f"no such target; there are {', '.join(TARGETS)}")
    if find_spec("atheris") is None:
        sys.stdout.write("atheris is not installed: nothing was tried\n")
        return 1
    targets = arguments.targets or TARGETS
    if arguments.keep:
        for target in targets:
            keep(target)
        return 0
    runs = [run(target, arguments.seconds) for target in targets]
    return 1 if any(each.code for each in runs) else 0


def run(target: str, seconds: int) -> Run:
    """Run *target* for *seconds*, and say how it went."""
    live, kept = LIVE / target, CORPUS / target
    for directory in (live, kept):
        directory.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()[target]):
        (live / f"seed-{number:03}").write_bytes(seed)
    process = _libfuzzer(
        target,
        f"-max_total_time={seconds}",
        f"-timeout={SLOWEST_SECONDS}",
        f"-rss_limit_mb={MOST_MB}",
        f"-max_len={LONGEST_INPUT}",
        f"-artifact_prefix={kept}/",
        "-print_final_stats=1",
        *(str(live), str(kept)),
    )
    found = _EXECUTIONS.search(process.stdout)
    executions = int(found[1]) if found else 0
    done = Run(target, executions, process.stdout, process.returncode)
    _tell(done, seconds)
    return done


def keep(target: str) -> None:
    """Add the smallest inputs that together reach all of *target* to it."""
    with TemporaryDirectory() as smallest:
        _libfuzzer(target, "-merge=1", smallest, str(LIVE / target))
        found = sorted(Path(smallest).iterdir(), key=lambda path: path.stat().st_size)
        for path in found[:MOST_KEPT]:
            if path.stat().st_size <= LONGEST_KEPT:
                shutil.copy(path, CORPUS / target / path.name)


def _libfuzzer(target: str, *options: str) -> subprocess.CompletedProcess[str]:
    # An array and no shell; everything in it is ours.
    return subprocess.run(  # noqa: S603 - see above
        [sys.executable, "-m", "tests.fuzz.one", target, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def _tell(done: Run, seconds: int) -> None:
    verdict = "nothing found" if done.code == 0 else "FOUND, kept in tests/corpus"
    sys.stdout.write(
        f"{done.target:<10} {done.executions:>9} executions in at most {seconds} s: "
        f"{verdict}\n"
    )
    if done.code:
        lines = done.output.splitlines()[-_SHOWN_LINES:]
        sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()


def _seconds() -> int:
    return int(os.environ.get("FUZZ_SECONDS", SECONDS))


if __name__ == "__main__":
    sys.exit(main())
