"""albatrossctl in processes of its own, and a sandbox in another one."""

import subprocess
import sys
from contextlib import contextmanager

MAIN = "import sys; from albatross_client.cli import main; sys.exit(main())"
COMMAND = [sys.executable, "-W", "error", "-c", MAIN]


@contextmanager
def running(*arguments, **options):
    """Run it with *arguments* while this lasts."""
    with subprocess.Popen(  # noqa: S603 - ours
        [*COMMAND, *arguments], stdout=subprocess.PIPE, text=True, **options
    ) as child:
        try:
            yield child
        finally:
            child.terminate()


@contextmanager
def sandbox_in(directory):
    """Run a sandbox in *directory*; its table of hosts is ``h.toml`` there."""
    options = (
        *("--kind", "model", "--interval", "100ms", "--unikernel", "user:web"),
        *("--policy", "user=unikernels:10,memory:1024,block:100,cpuids:0-3"),
    )
    with running("sandbox", "--directory", str(directory), *options) as child:
        lines = [child.stdout.readline()]
        while "ca_key" not in lines[-1]:
            lines.append(child.stdout.readline())
        (directory / "h.toml").write_text("".join(lines[1:]))
        yield directory
