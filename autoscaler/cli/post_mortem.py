"""What was last known of a clone that is gone, for `autoscaler history`."""

from pathlib import Path

from albatross_client.texts import clean
from autoscaler.cli.output import complain, print_json, print_table
from autoscaler.shell.configuration.settings import SettingsError, load_settings
from autoscaler.shell.operators.mortem_words import tell_end, tell_facts
from autoscaler.shell.operators.past_forms import mortem_form
from autoscaler.shell.operators.times import format_time
from autoscaler.shell.state.mortems import PostMortem
from autoscaler.shell.state.past import read_post_mortems
from autoscaler.shell.state.schema import StoreError


def show_post_mortem(config: Path, text: str, *, as_json: bool) -> int:
    """Show the newest post-mortem of the clone that *text* names.

    Returns:
        The exit code.
    """
    try:
        directory = load_settings(config).deployment.state_dir
        kept = read_post_mortems(directory)
    except (SettingsError, StoreError) as error:
        complain(str(error))
        return 1
    host, _, name = text.rpartition("/")
    found = [m for m in kept if str(m.name) == name and host in {"", m.group.host}]
    if not found:
        complain(f"{clean(text)!r}: there is no post-mortem of it; {_known(kept)}")
        return 1
    if as_json:
        print_json(mortem_form(found[-1]))
    else:
        _print_for_people(found[-1])
    return 0


def _known(kept: tuple[PostMortem, ...]) -> str:
    names = ", ".join(f"{m.group.host}/{m.name}" for m in kept[-3:])
    return f"the newest are of {names}" if names else "there are none"


def _print_for_people(mortem: PostMortem) -> None:
    print(f"{mortem.group.host}/{mortem.name}, gone at {format_time(mortem.at)}\n")
    known = ("group", str(mortem.group)), ("end", tell_end(mortem))
    facts = (*known, *tell_facts(mortem))
    print_table("What was last known", ("what", "value"), facts)
    print_table(
        "Console",
        ("time", "text"),
        ((format_time(line.at), line.text) for line in mortem.console),
    )
