"""The long mutation run over both decoders: python -m tests.fuzz_codec."""

import argparse
import sys
from itertools import islice
from time import perf_counter

from tests.client.vectors import FRAMES, of_kind
from tests.decoders import disagreement
from tests.mutation import mutations

MILLION = 1_000_000
_MOST_SHOWN = 10
_LONGEST_SEED = 2000


def seeds() -> tuple[bytes, ...]:
    """Return the messages that are broken: all kinds, stats frames often."""
    kinds = of_kind("wire", "cert-extension", "wire-lenient", "wire-invalid")
    vectors = [octets for octets, _ in kinds.values() if len(octets) < _LONGEST_SEED]
    return (*vectors, *FRAMES)


def main() -> int:
    """Run; print the rate and what was found; return 1 if anything was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=MILLION)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    started = perf_counter()
    found = 0
    for octets in islice(mutations(seeds(), arguments.seed), arguments.count):
        finding = examine(octets)
        if finding is not None:
            found += 1
            if found <= _MOST_SHOWN:
                sys.stdout.write(f"{finding}: {octets.hex()}\n")
    seconds = perf_counter() - started
    sys.stdout.write(
        f"seed {arguments.seed}: {arguments.count} messages, "
        f"{arguments.count / seconds:.0f} per second, {found} findings\n"
    )
    return 1 if found else 0


def examine(octets: bytes) -> str | None:
    """Return what is wrong with how *octets* are decoded, in words."""
    try:
        return disagreement(octets)
    except Exception as error:  # noqa: BLE001 - any escape is the finding
        return f"{type(error).__name__} escaped ({error})"


if __name__ == "__main__":
    sys.exit(main())
