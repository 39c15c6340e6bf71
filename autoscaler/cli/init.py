"""`autoscaler init`: a first configuration, from four answers and a look.

Laws: the host is only asked, never told anything; nothing is written before
all of it is known to be right; whatever a host says is made printable.
"""

import argparse
import os
import pwd
import shlex
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import trio

from albatross_client.cli.help import Formatter
from albatross_client.errors import CertificateError
from albatross_client.hosts import HostSettings
from albatross_client.names import Name
from albatross_client.secrecy import keep_memory_private
from albatross_client.texts import escaped
from autoscaler.cli.check import print_survey
from autoscaler.cli.findings import Found, found_in_file, found_in_settings
from autoscaler.cli.key_findings import found_in_keys
from autoscaler.cli.output import complain
from autoscaler.cli.setting_up.access import (
    Given,
    LookError,
    Seen,
    address_of,
    look,
    open_access,
    settle_access,
)
from autoscaler.cli.setting_up.asking import Asker, UnsettledError
from autoscaler.cli.setting_up.choosing import PRIMARY_ASKED, Wishes, choose
from autoscaler.cli.setting_up.draft import Draft, render
from autoscaler.cli.setting_up.placing import place, require_room
from autoscaler.cli.survey import HostSeen, Survey
from autoscaler.core.lint import Severity
from autoscaler.shell.configuration import host_tables
from autoscaler.shell.configuration.settings import SettingsError, parse_settings

_WELCOME = """\
Four questions; no answer means what stands in brackets.  The host is only looked at,
and nothing is written before all of it is right.
"""
_EPILOGUE = """\
It asks for the host, the CA, the domain and the primary, as far as options don't
say; where standard input is no terminal it asks nothing.  A key that lies beside
its CA (user.key beside user.pem) and the CA of the server (server-ca.pem,
cacert.pem or ca.pem there) are found, and told.

examples:
  autoscaler init
      asks, and writes autoscaler.toml
  autoscaler init --host alpha.example.org --ca user.pem --primary user:web
      asks for nothing
  autoscaler init --output /etc/autoscaler/autoscaler.toml \\
      --state-dir /var/lib/autoscaler
"""


def add_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``init``."""
    parser = subparsers.add_parser(
        "init",
        help="write a first configuration, after a look at the host",
        description="Ask four questions, look at the host, and write a configuration "
        "with comments. Exit code 0: it is written, and right; 1: nothing is written.",
        epilog=_EPILOGUE,
        formatter_class=Formatter,
    )
    add = parser.add_argument
    add("--host", metavar="HOST[:PORT]", help="where its TLS endpoint listens")
    add("--ca", metavar="FILE", help="the CA that signs our commands")
    add("--ca-key", metavar="FILE", help="its key")
    add("--ca-key-passphrase-file", metavar="FILE", help="what opens the key")
    add("--server-ca", metavar="FILE", help="the CA that issued the server's own")
    add("--domain", help="where the primary runs, such as user or org:team")
    add("--primary", metavar="NAME", help="the unikernel to clone, such as user:web")
    add("--max-clones", metavar="N", help="most clones; else as many as have room")
    add("--name", help="what groups and logs call the host")
    add(
        "--state-dir",
        default="state",
        metavar="DIR",
        help="where the daemon keeps what it knows (default: state, beside the file)",
    )
    add(
        "--output",
        type=Path,
        default=Path("autoscaler.toml"),
        metavar="FILE",
        help="what is written (default: autoscaler.toml)",
    )
    add("--force", action="store_true", help="replace that file if it is there")
    add("--no-connect", action="store_true", help="write it without asking the host")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask, look and write; return the exit code."""
    keep_memory_private()
    asker = Asker(_typed if sys.stdin.isatty() else None)
    try:
        for found in _set_up(arguments, asker):
            complain(escaped(str(found)))
    except UnsettledError as error:
        complain(str(error))
        return 1
    _tell_what_is_next(arguments.output)
    return 0


def _set_up(arguments: argparse.Namespace, asker: Asker) -> tuple[Found, ...]:
    """Write the file; return what else is to be said of it.

    Raises:
        UnsettledError: It can't be, or must not.
    """
    require_room(arguments.output, may_replace=arguments.force)
    given = _given(arguments)
    if asker.line is None:
        _require_all(given, arguments.primary)
    elif not arguments.no_connect and not _is_settled(arguments, given):
        print(_WELCOME)
    access, own, seen = _reach(asker, given, tries=not arguments.no_connect)
    wishes = Wishes(
        domain=arguments.domain,
        primary=arguments.primary,
        max_clones=arguments.max_clones,
    )
    choice = choose(asker, wishes, own, seen)
    where = "without a look at the host" if seen is None else "after a look at the host"
    draft = Draft(
        file=arguments.output,
        access=access,
        state_dir=arguments.state_dir,
        primary=choice.primary,
        max_clones=choice.max_clones,
        why=choice.why,
        origin=where,
    )
    text = render(draft)
    hints = _require_right(text, arguments.output)
    place(arguments.output, text, may_replace=arguments.force)
    tried = "" if seen is not None else "; the host was not asked whether it is right"
    print(f"{escaped(str(arguments.output))} is written{tried}.")
    return hints


def _given(arguments: argparse.Namespace) -> Given:
    return Given(
        name=arguments.name,
        host=arguments.host,
        ca=arguments.ca,
        ca_key=arguments.ca_key,
        passphrase_file=arguments.ca_key_passphrase_file,
        server_ca=arguments.server_ca,
    )


def _is_settled(arguments: argparse.Namespace, given: Given) -> bool:
    """Tell whether options leave none of the four questions open."""
    names_domain = arguments.domain is not None or ":" in str(arguments.primary)
    return not given.missing and arguments.primary is not None and names_domain


def _require_all(given: Given, primary: str | None) -> None:
    """Refuse to go on where nobody can be asked for what is missing.

    Raises:
        UnsettledError: Options are missing.
    """
    missing = [*given.missing]
    if primary is None:
        missing.append(PRIMARY_ASKED.option)
    if missing:
        msg = f"standard input is no terminal, so say also: {' '.join(missing)}"
        raise UnsettledError(msg)


def _reach(
    asker: Asker, given: Given, *, tries: bool
) -> tuple[HostSettings, Name, Seen | None]:
    """Return how the host is reached, our domain, and what is to be seen there.

    Raises:
        UnsettledError: It does not answer, and nobody says what else to try.
    """
    before: HostSettings | None = None
    while True:
        access = settle_access(asker, given, before)
        try:
            opened = open_access(access)
            if not tries:
                return access, opened.domain, None
            print(f"Asking {escaped(address_of(access))} ...", flush=True)
            seen = trio.run(look, opened)
        except (CertificateError, LookError) as error:
            if asker.line is None or given.is_whole:
                raise UnsettledError(str(error)) from error
            complain(str(error))
            before = access
            continue
        settings = host_tables.HostSettings(access.name, access)
        shown = HostSeen(settings=settings, opened=opened, policies=seen.policies)
        print_survey(Survey((shown,), ()))
        return access, opened.domain, seen


def _require_right(text: str, file: Path) -> tuple[Found, ...]:
    """Return the hints that a check of *text* at *file* would give.

    Raises:
        UnsettledError: It would find it wrong.
    """
    try:
        settings = parse_settings(text, file)
    except SettingsError as error:
        found = found_in_file(error.problems)
    else:
        found = found_in_settings(settings) + found_in_keys(settings)
    wrong = [str(each) for each in found if each.severity is Severity.ERROR]
    if wrong:
        raise UnsettledError(escaped("; ".join(wrong)))
    return found


def _tell_what_is_next(file: Path) -> None:
    named = shlex.quote(str(file))
    print("Next:")
    print(f"  {_program()} check --config {named} --connect")
    print(f"  {_as_owner(file)}{_program()} run --config {named} --mode observe")


def _as_owner(file: Path) -> str:
    """Return how root runs something as the user whom *file* was given to.

    What a daemon of root's leaves in the state, another user's can't open.
    """
    owner = file.stat().st_uid
    if owner == os.geteuid() or shutil.which("runuser") is None:
        return ""
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        return ""
    return f"runuser -u {shlex.quote(name)} -- "


def _typed(prompt: str) -> str:
    """Return the line that is typed; Tab completes names of files."""
    # Some Pythons are built without it, and `input` does without it too.
    with suppress(ImportError):
        import readline  # noqa: PLC0415 - where somebody types

        readline.parse_and_bind("tab: complete")
        readline.set_completer_delims(" ")
    return input(prompt)


def _program() -> str:
    """Return how this program was called, as it can be typed again."""
    called = sys.argv[0]
    name = Path(called).name
    is_found = shutil.which(name) == str(Path(called).absolute())
    return name if is_found else shlex.quote(called)
