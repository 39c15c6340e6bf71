"""Reads one table of the configuration into one frozen value."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs
from attrs import field, frozen
from cattrs import AttributeValidationNote, ClassValidationError, Converter
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, override

from autoscaler.shell.keys import Key
from autoscaler.shell.problems import Place, Problem, unknown

T = TypeVar("T", bound=attrs.AttrsInstance)
Table = Mapping[str, Any]


@frozen
class Shape:
    """What a table may hold.

    Attributes:
        keys: How each is read; they are fields of the class.
        known: All keys that a table of this kind may hold, those included
            that are read elsewhere.
        pairs: Keys that have to fit together: where one of them is wrong,
            nothing is said about the fit.
        neutral: Values that fit to all, for keys that may not be left out.
    """

    keys: Mapping[str, Key]
    known: frozenset[str]
    pairs: tuple[frozenset[str], ...] = ()
    neutral: Table = field(factory=dict)


def read_table(
    table: Table, into: type[T], shape: Shape, place: Place
) -> tuple[T | None, tuple[Problem, ...]]:
    """Return *table* as a value of *into*, or all that is wrong with it."""
    value, problems = _read(table, into, shape, place)
    keyed = tuple(problem for problem in problems if problem.key is not None)
    wrong = {problem.key for problem in keyed}
    fit: tuple[Problem, ...] = ()
    for pair in shape.pairs:
        # The class tells of the first pair only, and of none while a key is
        # wrong: each is tried alone.
        if value is None and not pair & wrong:
            both = {key: table[key] for key in pair & set(table)}
            _, complaints = _read({**shape.neutral, **both}, into, shape, place)
            fit += complaints
    return value, (*keyed, *fit) or problems


def _read(
    table: Table, into: type[T], shape: Shape, place: Place
) -> tuple[T | None, tuple[Problem, ...]]:
    try:
        return _structure(into, shape)(table, into), ()
    except ClassValidationError as error:
        return None, _problems(error, table, shape, place)


def _structure(into: type[T], shape: Shape) -> Callable[[Table, Any], T]:
    # Any: beside the overrides the function has keywords of other types.
    overrides: dict[str, Any] = {
        name: override(struct_hook=_reader(attrs.fields_dict(into)[name], key))
        for name, key in shape.keys.items()
    }
    return make_dict_structure_fn(
        into, Converter(), _cattrs_forbid_extra_keys=True, **overrides
    )


def _reader(
    attribute: "attrs.Attribute[Any]", key: Key
) -> Callable[[object, object], object]:
    def read(value: object, _type: object) -> object:
        # The class would name only the first field that is out of range.
        read_value = key.read(value)
        if attribute.validator is not None:
            attribute.validator(None, attribute, read_value)
        return read_value

    return read


def _problems(
    error: ClassValidationError, table: Table, shape: Shape, place: Place
) -> tuple[Problem, ...]:
    problems: list[Problem] = []
    for each in error.exceptions:
        key = _key(each)
        if isinstance(each, ForbiddenExtraKeysError):
            problems += (
                place.problem(unknown("key", extra, shape.known), extra)
                for extra in sorted(each.extra_fields)
            )
        elif key is None:
            problems.append(place.problem(str(each)))
        elif key not in table:
            allowed = shape.keys[key].allowed
            problems.append(place.problem(f"is missing; must be {allowed}", key))
        else:
            allowed = shape.keys[key].allowed
            problems.append(place.problem(f"must be {allowed}", key, table[key]))
    return tuple(problems)


def _key(error: BaseException) -> str | None:
    notes = getattr(error, "__notes__", ())
    return next((n.name for n in notes if isinstance(n, AttributeValidationNote)), None)
