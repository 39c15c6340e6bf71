"""The file that `autoscaler init` writes, as text.

Laws: it says what it needs and why, and shows what an operator changes first;
nothing of a host stands in it but numbers and names.
"""

import json
import os
from pathlib import Path

from attrs import frozen

from albatross_client.hosts import HostSettings
from albatross_client.names import Name
from autoscaler.cli.setting_up.access import address_of

# Only a clone of the repository has it.
SCHEMA = Path(__file__).parents[3] / "config" / "schema" / "autoscaler.schema.json"
_KEY_WIDTH = 40
_EPILOGUE = """\
#min_clones = 0                         # fewest clones, whatever the load
#scale_up_threshold_percent = 90        # a mean usage above it for
#scale_up_trigger_ticks = 3             # so many looks in a row adds a clone
#scale_down_threshold_percent = 40      # one below it for
#scale_down_trigger_ticks = 5           # so many looks in a row removes one
#cooldown_up = "60s"                    # pause after a change before the next clone
#cooldown_down = "300s"                 # pause after a change before one goes
#warmup = "30s"                         # how long a new clone's usage says nothing

# Metrics for Prometheus, health and status, for this machine alone.
#[http]
#listen = "127.0.0.1:9090"
"""


@frozen(kw_only=True)
class Draft:
    """What is to be written.

    Attributes:
        file: Where; paths within its directory are relative to it.
        access: The host.
        state_dir: As the file shall have it.
        primary: The unikernel that is cloned.
        max_clones: Most clones beside it.
        why: Where that number comes from, in words.
        origin: Where all of it comes from, in words.
    """

    file: Path
    access: HostSettings
    state_dir: str
    primary: Name
    max_clones: int
    why: str
    origin: str


def render(draft: Draft) -> str:
    """Return the configuration as TOML."""
    access = draft.access
    lines = [
        *_schema(),
        f"# Written by `autoscaler init` {draft.origin}.",
        "# What is not said here has its default; config/example.toml has every key.",
        "# Relative paths are relative to this file.  After a change:",
        "# `autoscaler check --config FILE` tells what is wrong with it, and",
        "# `autoscaler reload --config FILE` has the daemon read it.",
        "",
        "[deployment]",
        _line("name", access.name, "what logs call this deployment"),
        _line("state_dir", draft.state_dir, "where the daemon keeps what it knows"),
        '#mode = "observe"                       # only say what would be done',
        "",
        "[[hosts]]",
        _line("name", access.name, "what groups and logs call it"),
        _line("address", address_of(access), "where its TLS endpoint listens"),
        _line(
            "server_ca", _path(draft, access.server_ca), "has issued its certificate"
        ),
        _line("ca", _path(draft, access.ca), "signs our commands"),
        _line("ca_key", _path(draft, access.ca_key), "its key, its owner's alone"),
        *_passphrase(draft),
        "",
        "[[groups]]",
        _line("host", access.name, "one of those above"),
        _line("primary", str(draft.primary), "yours: copied, and never destroyed"),
        _line("max_clones", draft.max_clones, f"most copies beside it; {draft.why}"),
    ]
    return "\n".join(lines) + "\n" + _EPILOGUE


def _schema() -> list[str]:
    """Return what lets editors complete and check the file, if it is here."""
    return [f"#:schema {SCHEMA.as_uri()}"] if SCHEMA.is_file() else []


def _passphrase(draft: Draft) -> list[str]:
    file = draft.access.ca_key_passphrase_file
    if file is None:
        return []
    return [_line("ca_key_passphrase_file", _path(draft, file), "what opens the key")]


def _line(key: str, value: str | int, comment: str) -> str:
    # JSON's texts are TOML's, as long as they are printable.
    said = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    return f"{said.ljust(_KEY_WIDTH - 1)} # {comment}"


def _path(draft: Draft, path: Path) -> str:
    """Return *path* relative to the file where it lies beside or below it."""
    base = Path(os.path.abspath(draft.file.parent))  # noqa: PTH100 - links stay
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - links stay
    return str(whole.relative_to(base) if whole.is_relative_to(base) else whole)
