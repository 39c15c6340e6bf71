"""One target under atheris: ``python -m tests.fuzz.one TARGET [libFuzzer's]``.

It ends the process itself, as libFuzzer does.
"""

import sys

import atheris

with atheris.instrument_imports(
    include=["albatross_client", "autoscaler", "asn1crypto", "tomllib"]
):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Run the target that the first argument names, for ever or as told."""
    _, target, *options = sys.argv
    # What libFuzzer starts itself by: to merge, it runs in a second process.
    again = f"{sys.executable} -m tests.fuzz.one {target}"
    atheris.Setup([again, *options], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
