"""The keys of the configuration: how each is read, and what is allowed.

A `Key` checks what kind of value it is and says what may stand there; ranges
are checked by the class that the value ends up in.
"""

import enum
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

from attrs import frozen

from albatross_client.names import Name
from autoscaler.core.addresses import AddressPool
from autoscaler.core.clone import PLACEHOLDERS, unknown_placeholders
from autoscaler.core.demand import RequestPolicy
from autoscaler.core.policy import MAX_PRIMARY_LABEL, Adopt, Mode, OnPrimaryLoss
from autoscaler.shell.configuration import durations, forms

# A host has tens to hundreds of unikernels: more is a typing error.
MOST = 10_000


@frozen
class Key:
    """How a key is read.

    Attributes:
        read: Returns the value of what TOML says; raises ValueError.
        allowed: What may stand there, to be read after "must be".
        form: The same for editors, as far as JSON Schema can say it.
    """

    read: Callable[[object], object]
    allowed: str
    form: forms.Form


def a_count(least: int) -> Key:
    """Return a key for whole numbers."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value > MOST:
            raise ValueError
        return value

    allowed = f"a whole number from {least} to {MOST}"
    return Key(read, allowed, forms.whole(least, MOST))


def a_duration(*, or_none: bool = False) -> Key:
    """Return a key for durations, in seconds."""

    def read(value: object) -> float:
        return durations.parse_duration(_text(value))

    bounds = 'from 10ms to 3660d, or "0s"' if or_none else "from 10ms to 3660d"
    return Key(read, f"{durations.ALLOWED}, {bounds}", forms.DURATION)


def a_choice(choices: type[enum.Enum]) -> Key:
    """Return a key for the values of *choices*."""

    def read(value: object) -> enum.Enum:
        return choices(value)

    words = [f'"{choice.value}"' for choice in choices]
    allowed = f"{', '.join(words[:-1])} or {words[-1]}"
    return Key(read, allowed, {"enum": [choice.value for choice in choices]})


def a_path(base: Path) -> Key:
    """Return a key for paths of files, relative to *base*."""

    def read(value: object) -> Path:
        text = _text(value)
        if not text or "\0" in text:
            raise ValueError
        return base / text

    allowed = "the path of a file or directory, relative to this file"
    return Key(read, allowed, forms.TEXT)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 - any value but an allowed one
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - any value but an allowed one
    return float(value)


def _share(value: object) -> float:
    if not isinstance(value, str):
        return _number(value)
    above, slash, below = value.partition("/")
    if not (slash and above.strip().isdecimal() and below.strip().isdecimal()):
        raise ValueError
    if not int(below):
        raise ValueError
    return float(Fraction(int(above), int(below)))


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError  # noqa: TRY004 - any value but an allowed one
    return value


def _template(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError  # noqa: TRY004 - any value but an allowed one
    template = tuple(_text(argument) for argument in value)
    if unknown_placeholders(template):
        raise ValueError
    return template


def _pool(value: object) -> AddressPool:
    return AddressPool.parse(_text(value))


def _word(value: object) -> str:
    text = _text(value)
    if not (0 < len(text) <= 64 and text.isprintable() and text == text.strip()):  # noqa: PLR2004 - said in the text
        raise ValueError
    return text


def _requests(value: object) -> RequestPolicy:
    # Its own table says what is wrong with it; here it stands as it was read.
    if not isinstance(value, RequestPolicy):
        raise ValueError  # noqa: TRY004 - any value but an allowed one
    return value


def _primary(value: object) -> Name:
    name = Name.parse(_text(value))
    if name.label is None or len(name.label) > MAX_PRIMARY_LABEL:
        raise ValueError
    return name


PERCENT = Key(_number, "a number from 0 to 100", forms.number(0, 100))
NUMBER = Key(_number, "a number above 0", forms.number(0, above=True))
SHARE = Key(_number, "a number from 0 to 1", forms.number(0, 1))
SWITCH = Key(_switch, "true or false", forms.SWITCH)
WORD = Key(
    _word, "a text of 1 to 64 printable characters", {**forms.TEXT, "maxLength": 64}
)
PRIMARY = Key(
    _primary,
    'the name of a unikernel such as "user:web", its label of at most '
    f"{MAX_PRIMARY_LABEL} characters (clones add a number)",
    forms.TEXT,
)

# Of the policy of a group, in the order of `core.policy.Policy`.
POLICY: Mapping[str, Key] = {
    "max_clones": a_count(0),
    "min_clones": a_count(0),
    "mode": a_choice(Mode),
    "scale_up": SWITCH,
    "scale_down": SWITCH,
    "poll_interval": a_duration(),
    "scale_up_threshold_percent": PERCENT,
    "scale_up_trigger_ticks": a_count(1),
    "scale_up_step": a_count(1),
    "scale_down_threshold_percent": PERCENT,
    "scale_down_trigger_ticks": a_count(1),
    "flap_margin": PERCENT,
    "cooldown_up": a_duration(or_none=True),
    "cooldown_down": a_duration(or_none=True),
    "warmup": a_duration(or_none=True),
    "death_timeout": a_duration(),
    "boot_timeout": a_duration(),
    "quorum": Key(
        _share,
        'a number above 0 and at most 1, or a fraction such as "1/2"',
        forms.either(
            forms.number(0, 1, above=True),
            {"type": "string", "pattern": "^ *[0-9]+ */ *[0-9]+ *$"},
        ),
    ),
    "outage_fraction": PERCENT,
    "outage_hold": a_duration(or_none=True),
    "requests": Key(_requests, "a table of its own", {"type": "object"}),
    "max_actions_per_hour": a_count(1),
    "max_reversals_per_6h": a_count(1),
    "max_failures_in_row": a_count(1),
    "stand_down": a_duration(),
    "roll_back_useless": SWITCH,
    "min_stable": a_duration(or_none=True),
    "on_primary_loss": a_choice(OnPrimaryLoss),
    "adopt": a_choice(Adopt),
    "argument_template": Key(
        _template,
        "a list of texts, in braces nothing but "
        + ", ".join(f"{{{word}}}" for word in PLACEHOLDERS),
        forms.ANY_TEXTS,
    ),
    "address_pool": Key(
        _pool,
        'a range of addresses such as "10.0.0.10-10.0.0.60"',
        {"type": "string", "pattern": "^[0-9A-Fa-f.:]+ *- *[0-9A-Fa-f.:]+$"},
    ),
    "address_quarantine": a_duration(or_none=True),
    "share_cpuids": SWITCH,
    "share_block_devices": SWITCH,
}


def deployment_keys(base: Path) -> Mapping[str, Key]:
    """Return the keys of `[deployment]`, paths relative to *base*."""
    return {
        "name": WORD,
        "state_dir": a_path(base),
        "mode": a_choice(Mode),
        "shutdown_timeout": a_duration(or_none=True),
        "reconcile_interval": a_duration(),
        "max_actions_in_flight": a_count(1),
        "history_keep": a_duration(),
    }
