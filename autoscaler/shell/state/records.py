"""Values of the core as JSON text, and back.

Laws: what is written reads back equal; what can't be read is a ValueError,
whatever is wrong with it.
"""

import json
from typing import Any, TypeVar

from cattrs import Converter
from cattrs.errors import BaseValidationError, StructureHandlerNotFoundError
from cattrs.gen import (
    make_dict_structure_fn,
    make_dict_unstructure_fn,
    override,
)

from albatross_client.names import Name
from autoscaler.core.actions import Action, CreateClones, DestroyClone, ReplaceClone
from autoscaler.core.group import GroupId

T = TypeVar("T")

_ACTIONS: dict[str, type[Any]] = {
    "create_clones": CreateClones,
    "destroy_clone": DestroyClone,
    "replace_clone": ReplaceClone,
}
_KINDS = {kind: word for word, kind in _ACTIONS.items()}


def to_json(value: object) -> str:
    """Return *value* as one line of JSON."""
    return json.dumps(_CONVERTER.unstructure(value), separators=(",", ":"))


def from_json(text: str, kind: type[T]) -> T:
    """Return the *kind* that `to_json` made *text* of.

    Raises:
        ValueError: *text* is none.
    """
    found: T = _read(text, kind, kind.__name__)
    return found


def _read(text: str, kind: Any, name: str) -> Any:  # noqa: ANN401 - cattrs's own
    try:
        return _CONVERTER.structure(json.loads(text), kind)
    except (
        BaseValidationError,
        StructureHandlerNotFoundError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
    ) as error:
        msg = f"it can't be read as {name}"
        raise ValueError(msg) from error


def action_to_json(action: Action) -> str:
    """Return *action* as one line of JSON."""
    return json.dumps(_write_action(action), separators=(",", ":"))


def action_from_json(text: str) -> Action:
    """Return the action that `action_to_json` made *text* of.

    Raises:
        ValueError: *text* is none.
    """
    action: Action = _read(text, Action, "Action")
    return action


def _write_action(action: Action | None) -> dict[str, Any] | None:
    if action is None:
        return None
    fields = _CONVERTER.unstructure(action, type(action))
    return {"kind": _KINDS[type(action)], **fields}


def _read_action(fields: dict[str, Any] | None, _kind: object) -> Action | None:
    if fields is None:
        return None
    rest = {key: value for key, value in fields.items() if key != "kind"}
    action: Action = _CONVERTER.structure(rest, _ACTIONS[fields["kind"]])
    return action


def _is_action(kind: object) -> bool:
    return kind in (Action, Action | None)


def _rename(converter: Converter, kind: type[Any], **names: str) -> None:
    """Write fields of *kind* under other names: those of an older version."""
    renamed: dict[str, Any] = {f: override(rename=to) for f, to in names.items()}
    converter.register_unstructure_hook(
        kind, make_dict_unstructure_fn(kind, converter, **renamed)
    )
    converter.register_structure_hook(
        kind, make_dict_structure_fn(kind, converter, **renamed)
    )


def _make() -> Converter:
    converter = Converter()
    converter.register_unstructure_hook(Name, str)
    converter.register_structure_hook(Name, lambda text, _: Name.parse(text))
    converter.register_unstructure_hook(bytes, bytes.hex)
    converter.register_structure_hook(bytes, lambda text, _: bytes.fromhex(text))
    converter.register_unstructure_hook_func(
        lambda kind: kind == frozenset[int], sorted
    )
    converter.register_unstructure_hook_func(_is_action, _write_action)
    converter.register_structure_hook_func(_is_action, _read_action)
    # Managed groups came later: the column and the field keep their first name.
    _rename(converter, GroupId, name="primary")
    return converter


_CONVERTER = _make()
