"""albatrossctl sandbox: its options; what it does is in `serving`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from albatross_client.cli.help import Formatter

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

_DESCRIPTION = """\
Run a stand-in Albatross host on loopback, until interrupted.

It makes its own keys in a directory and prints, once it answers, its address
and the table that a configuration needs to reach it.
"""
_EPILOGUE = """\
examples:
  albatrossctl sandbox --directory keys --unikernel user:web --demand user:web=2.5
  albatrossctl sandbox --directory keys --unikernel user:web --kind model \\
      --fault stream-stalled=35s,after=1m

forms:
  --unikernel user:web
  --argument  user:web=--ipv4=127.0.1.2/8 (a process serves HTTP there; port 8080,
              or that of user:web=--port=8081)
  --policy    user=unikernels:10,memory:1024,block:100,cpuids:0-3+7,bridges:service
  --demand    user:web=0.8 | user:web=0:0.3,60:2.5 (second:cores) | user:web=FILE.csv
  --fault     FAULT[,after=10s][,every=1m][,times=3|always][,command=create]
              [,name=user:web][,probability=0.5], FAULT being
              of a command    reply-lost, no-frame, refused=TEXT, slow=5s
              of a connection expired-certificate, foreign-certificate
              of a stream     stream-cut[=PATH], stream-stalled=35s[@PATH],
                              stream-evicted[=PATH], malformed-frame[=PATH],
                              oversized-frame[=PATH]
              or an event     counters-restarted=NAME, killed=NAME,
                              silenced=NAME, policy-full=DOMAIN, host-down=30s

files in the directory:
  ca.pem, ca.key          the operator's CA, which also issued the server's
  server.pem, server.key  the server's certificate
  user.pem, user.key      the CA of the domain user; that of org:team: org_team
  wrong/                  what the faults of certificates show
"""


def add_commands(subparsers: "Subparsers") -> None:
    """Add ``sandbox``."""
    parser = subparsers.add_parser(
        "sandbox",
        help="run a stand-in host for trying things",
        description=_DESCRIPTION,
        epilog=_EPILOGUE,
        formatter_class=Formatter,
    )
    add = parser.add_argument
    add("--directory", type=Path, required=True, help="where its keys are made")
    add(
        "--example",
        action="store_true",
        help="user:web runs, under a load that comes and goes; says what to type to "
        "have it scaled",
    )
    add("--port", type=int, default=0, help="TCP port; 0: any that is free (default)")
    add(
        "--interval",
        default="1s",
        metavar="DURATION",
        help="between two statistics frames of a unikernel (default 1s; a real host "
        "has 10s)",
    )
    add(
        "--kind",
        choices=("process", "model"),
        default="process",
        help="unikernels as processes that burn CPU (default), or as a model of them",
    )
    add(
        "--core-share",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="of a core, what a process burns for one core of demand (default 0.2)",
    )
    add(
        "--request-cost",
        default="2ms",
        metavar="DURATION",
        help="CPU time of a request, where a unikernel serves HTTP (default 2ms)",
    )
    add(
        "--boot",
        default="0s",
        metavar="DURATION",
        help="from a create to the moment in which it listens (default 0s)",
    )
    for option, metavar, text in (
        ("--unikernel", "NAME", "runs from the start"),
        ("--argument", "ARGUMENT", "of a unikernel that runs from the start"),
        ("--policy", "POLICY", "stored from the start"),
        ("--demand", "DEMAND", "what a group is asked to burn"),
        ("--fault", "FAULT", "what goes wrong"),
    ):
        add(option, action="append", default=[], metavar=metavar, help=f"{text}; again")
    add("--seed", type=int, default=0, help="of the faults' chance (default 0)")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from albatross_client.cli import serving  # noqa: PLC0415 - --help is quick

    return serving.run(arguments)
