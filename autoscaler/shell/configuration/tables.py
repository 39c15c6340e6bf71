"""Reads one table of the configuration into one frozen value."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import attrs
from attrs import field, frozen
from cattrs import AttributeValidationNote, ClassValidationError, Converter
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, override

from autoscaler.shell.configuration.keys import Key
from autoscaler.shell.configuration.problems import Place, Problem, unknown

T = TypeVar("T", bound=attrs.AttrsInstance)
Table = Mapping[str, Any]


@frozen
class Shape(Generic[T]):
    """What a table may hold.

    Attributes:
        into: The class that it becomes.
        keys: How each is read; they are fields of the class.
        known: All keys that a table of this kind may hold, those included
            that are read elsewhere.
        pairs: Keys that have to fit together: where one of them is wrong,
            nothing is said about the fit.
        neutral: Values that fit to all, for keys that may not be left out.
    """

    into: type[T]
    keys: Mapping[str, Key]
    known: frozenset[str]
    pairs: tuple[frozenset[str], ...] = ()
    neutral: Table = field(factory=dict)
    # Making it takes a millisecond; there may be a thousand tables.
    _structure: Callable[[Table, Any], T] = field(init=False, eq=False, repr=False)

    @_structure.default
    def _make_structure(self) -> Callable[[Table, Any], T]:
        # Any: beside the overrides the function has keywords of other types.
        overrides: dict[str, Any] = {
            name: override(struct_hook=_reader(attrs.fields_dict(self.into)[name], key))
            for name, key in self.keys.items()
        }
        return make_dict_structure_fn(
            self.into, Converter(), _cattrs_forbid_extra_keys=True, **overrides
        )

    def read(self, table: Table, place: Place) -> tuple[T | None, tuple[Problem, ...]]:
        """Return *table* as a value, or all that is wrong with it."""
        value, problems = self._read(table, place)
        keyed = tuple(problem for problem in problems if problem.key is not None)
        wrong = {problem.key for problem in keyed}
        fit: tuple[Problem, ...] = ()
        for pair in self.pairs:
            # The class tells of the first pair only, and of none while a key
            # is wrong: each is tried alone.
            if value is None and not pair & wrong:
                both = {key: table[key] for key in pair & set(table)}
                _, complaints = self._read({**self.neutral, **both}, place)
                fit += complaints
        return value, (*keyed, *fit) or problems

    def _read(self, table: Table, place: Place) -> tuple[T | None, tuple[Problem, ...]]:
        try:
            return self._structure(table, self.into), ()
        except ClassValidationError as error:
            return None, tuple(self._problems(error, table, place))

    def _problems(
        self, error: ClassValidationError, table: Table, place: Place
    ) -> Iterator[Problem]:
        for each in error.exceptions:
            key = _key(each)
            if isinstance(each, ForbiddenExtraKeysError):
                for extra in sorted(each.extra_fields):
                    yield place.problem(unknown("key", extra, self.known), extra)
            elif key is None:
                yield place.problem(str(each))
            elif key not in table:
                allowed = self.keys[key].allowed
                yield place.problem(f"is missing; must be {allowed}", key)
            else:
                allowed = self.keys[key].allowed
                yield place.problem(f"must be {allowed}", key, table[key])


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


def _key(error: BaseException) -> str | None:
    notes = getattr(error, "__notes__", ())
    return next((n.name for n in notes if isinstance(n, AttributeValidationNote)), None)
