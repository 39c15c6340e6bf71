"""Prints the benchmarks: python -m tests.benchmarks [MODULE ...]."""

import argparse
import importlib
import os
import platform
import sys
from pathlib import Path

from tests.benchmarks import Result

# Each is a module of this package with `run() -> Iterable[Result]`.
MODULES = ("codec", "client", "daemon", "core", "activator", "web", "pages")


def main() -> int:
    """Run the named modules, or all; return 1 if a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=MODULES, metavar="MODULE")
    names = parser.parse_args().modules
    sys.stdout.write(f"machine: {machine()}\n")
    missed = 0
    for name in names:
        module = importlib.import_module(f"tests.benchmarks.{name}")
        for result in module.run():
            sys.stdout.write(line(result) + "\n")
            missed += result.met is False
    return 1 if missed else 0


def machine() -> str:
    """Return CPU, cores and Python in one line."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{_cpu()}, {os.cpu_count()} cores, {python}, {platform.system()}"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    models = [text.partition(":")[2] for text in lines if text.startswith("model name")]
    return models[0].strip() if models else platform.machine()


def line(result: Result) -> str:
    """Return name, median, spread and target of *result*."""
    low, high = min(result.rounds), max(result.rounds)
    figure = f"{result.median:>10.4g} {result.unit:<9}"
    spread = f"({low:.4g} to {high:.4g} in {len(result.rounds)} rounds)"
    verdict = {None: "", True: "met", False: "MISSED"}[result.met]
    target = f"{result.target} {verdict}".strip()
    return f"{result.name:<48}{figure} {spread:<40} {target}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
