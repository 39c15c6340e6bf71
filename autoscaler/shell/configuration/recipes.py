"""What a `[[groups]]` table with a `name` says its members are made from."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen
from attrs.validators import ge

from albatross_client.solo5 import Architecture
from albatross_client.values import (
    FailBehaviour,
    Interface,
    Quit,
    RestartOnExit,
)
from autoscaler.core.blueprint import Blueprint
from autoscaler.core.clone import PLACEHOLDERS
from autoscaler.shell.configuration import forms
from autoscaler.shell.configuration.keys import Key, a_count, a_path
from autoscaler.shell.configuration.tables import Shape

MOST_MEMORY = 1_000_000
MOST_EXIT_CODE = 255
_PLACEHOLDER = re.compile(r"\{(?:" + "|".join(PLACEHOLDERS) + r")\}")


@frozen(kw_only=True)
class Recipe:
    """What members of a managed group are made from, as its operator says.

    Attributes:
        image: The file with their image.
        memory: MB.
        cpus: How many CPUs each member is pinned to.
        bridges: Its network interfaces.
        arguments: Its arguments, before a template is applied to them.
        fail_behaviour: What happens when it exits.
        architecture: Of the host; None: that isn't said.
    """

    image: Path
    memory: int = field(default=32, validator=ge(1))
    cpus: int = field(default=1, validator=ge(1))
    bridges: tuple[Interface, ...] = ()
    arguments: tuple[str, ...] = ()
    fail_behaviour: FailBehaviour = field(factory=RestartOnExit)
    architecture: Architecture | None = None

    def blueprint(self, digest: bytes) -> Blueprint:
        """Return what members are made from, with the image of *digest*."""
        return Blueprint(
            digest=digest,
            fail_behaviour=self.fail_behaviour,
            memory=self.memory,
            cpuids=frozenset(range(self.cpus)),
            interfaces=self.bridges,
            argv=self.arguments or None,
        )


def recipe_keys(base: Path, architecture: Architecture | None) -> Mapping[str, Key]:
    """Return the keys of a recipe, paths relative to *base*.

    Arguments:
        base: Where the configuration lies.
        architecture: Of the host; None: that isn't said.
    """
    return {
        "image": _an_image(a_path(base), architecture),
        "memory": Key(
            _megabytes,
            f"a whole number of MB from 1 to {MOST_MEMORY}",
            forms.whole(1, MOST_MEMORY),
        ),
        "cpus": a_count(1),
        "bridges": Key(
            _bridges,
            'a table of devices and bridges such as { service = "br0" }, or a list '
            'such as ["service:br0"]',
            forms.either(forms.TEXTS, forms.table_of(forms.TEXT)),
        ),
        "arguments": Key(
            _arguments,
            "a list of texts; what depends on the member, such as {name}, belongs in "
            "argument_template",
            forms.ANY_TEXTS,
        ),
        "fail_behaviour": Key(
            _fail_behaviour,
            '"restart", "quit", or a list of the exit codes (0 to 255) with which it '
            "is started again",
            forms.either(
                {"enum": ["restart", "quit"]},
                {
                    "type": "array",
                    "items": forms.whole(0, MOST_EXIT_CODE),
                    "minItems": 1,
                },
            ),
        ),
    }


def recipe_shape(
    base: Path, architecture: Architecture | None, known: frozenset[str]
) -> Shape[Recipe]:
    """Return how recipes are read.

    Arguments:
        base: Where the configuration lies.
        architecture: Of the host; None: that isn't said.
        known: All keys that a table with a recipe may hold.
    """
    return Shape(Recipe, recipe_keys(base, architecture), known)


def _an_image(path: Key, architecture: Architecture | None) -> Key:
    def read(value: object) -> object:
        if not isinstance(value, Mapping):
            return path.read(value)
        paths = {Architecture(name): path.read(file) for name, file in value.items()}
        if architecture not in paths:
            raise ValueError
        return paths[architecture]

    words = ", ".join(each.value for each in Architecture)
    which = (
        "if the host's `architecture` is set"
        if architecture is None
        else f"one of them for {architecture.value}, which the host is"
    )
    return Key(
        read,
        "the path of a file, relative to this file, or a table of such paths by "
        f"architecture ({words}), {which}",
        forms.either(
            path.form,
            {
                **forms.table_of(path.form),
                "propertyNames": {"enum": [each.value for each in Architecture]},
            },
        ),
    )


def _megabytes(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value > MOST_MEMORY:
        raise ValueError
    return value


def _bridges(value: object) -> tuple[Interface, ...]:
    pairs: list[tuple[object, object]]
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = [_device(each) for each in value]
    else:
        raise ValueError  # noqa: TRY004 - any value but an allowed one
    names = [device for device, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError
    return tuple(Interface(_word(device), _word(bridge)) for device, bridge in pairs)


def _device(value: object) -> tuple[str, str]:
    device, colon, bridge = _word(value).partition(":")
    return device, bridge if colon else device


def _word(value: object) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError
    return value


def _arguments(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError  # noqa: TRY004 - any value but an allowed one
    for argument in value:
        if not isinstance(argument, str) or _PLACEHOLDER.search(argument):
            raise ValueError
    return tuple(value)


def _fail_behaviour(value: Any) -> FailBehaviour:  # noqa: ANN401 - what TOML says
    match value:
        case "restart":
            return RestartOnExit()
        case "quit":
            return Quit()
        case [_, *_] if all(_is_exit_code(code) for code in value):
            return RestartOnExit(frozenset(value))
        case _:
            raise ValueError


def _is_exit_code(value: object) -> bool:
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return 0 <= value <= MOST_EXIT_CODE


# The keys of a recipe, wherever it lies.
RECIPE = frozenset(recipe_keys(Path(), None))
