"""The `[defaults]` and `[[groups]]` tables: a policy for every group.

`cooldown_period` stands for both cooldowns, where the same table doesn't set
them; a group's own table wins over `[defaults]`.  What requests call for is
each group's own affair: `[groups.requests]` has no defaults.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from albatross_client.names import Name
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Mode, Policy
from autoscaler.shell.configuration.host_tables import HostSettings
from autoscaler.shell.configuration.keys import MOST, POLICY, PRIMARY
from autoscaler.shell.configuration.problems import Place, Problem, titled, unknown
from autoscaler.shell.configuration.request_tables import TABLE, read_requests
from autoscaler.shell.configuration.tables import Shape

PERIOD = "cooldown_period"
COOLDOWNS = ("cooldown_up", "cooldown_down")
WHOSE = ("host", "primary")
OWN = (*WHOSE, TABLE)
_PAIRS = (
    frozenset({"min_clones", "max_clones"}),
    frozenset({"scale_down_threshold_percent", "scale_up_threshold_percent"}),
)
# So many clones allow any minimum.
_NEUTRAL = {"max_clones": MOST}
_DEFAULTS = Shape(Policy, POLICY, frozenset({*POLICY, PERIOD}), _PAIRS, _NEUTRAL)
_GROUP = evolve(_DEFAULTS, known=_DEFAULTS.known | set(WHOSE))


@frozen
class GroupSettings:
    """One `[[groups]]` table.

    Attributes:
        id: Its host and primary.
        policy: When it grows and shrinks; its mode is no bolder than the
            deployment's.
    """

    id: GroupId
    policy: Policy


@frozen
class Defaults:
    """What `[defaults]` says.

    Attributes:
        table: What can be used of it, `cooldown_period` spread.
        problems: All that is wrong with it.
    """

    table: Mapping[str, Any] = field(factory=dict)
    problems: tuple[Problem, ...] = ()


def read_defaults(table: object, file: Path) -> Defaults:
    """Return what a parsed `defaults` says."""
    place = Place(file, "[defaults]")
    if not isinstance(table, Mapping):
        return Defaults({}, (place.problem("must be a table"),))
    misplaced = tuple(
        place.problem("belongs in a [[groups]] table", key, table[key])
        for key in OWN
        if key in table
    )
    own = {key: value for key, value in table.items() if key not in OWN}
    spread = _spread(own)
    _, problems = _DEFAULTS.read({**_NEUTRAL, **spread}, place)
    wrong = {problem.key for problem in problems}
    usable = {key: value for key, value in spread.items() if key not in wrong}
    return Defaults(usable, misplaced + _gathered(problems, own))


@frozen
class Groups:
    """Reads groups, one after another.

    Attributes:
        file: The configuration.
        hosts: Those that are understood, by name.
        host_names: All that are named, understood or not.
        defaults: What holds for all groups.
        mode: The most that any group may do.
    """

    file: Path
    hosts: Mapping[str, HostSettings]
    host_names: frozenset[str]
    defaults: Defaults
    mode: Mode

    def read(
        self, tables: object
    ) -> tuple[tuple[GroupSettings, ...], tuple[Problem, ...]]:
        """Return the groups of a parsed `groups`, and all that is wrong."""
        if not isinstance(tables, list):
            place = Place(self.file, "groups")
            return (), (place.problem("must be written as [[groups]] tables"),)
        found: list[GroupSettings] = []
        known: list[tuple[GroupId, Place]] = []
        problems: list[Problem] = []
        for number, table in enumerate(tables, 1):
            place = Place(self.file, _title(number, table))
            if not isinstance(table, Mapping):
                problems.append(place.problem("must be a table"))
                continue
            group_id, whose = self._read_id(table, place)
            policy, wrong = self._read_policy(table, place)
            problems += (*whose, *wrong)
            if group_id is not None:
                known.append((group_id, place))
                if policy is not None:
                    found.append(GroupSettings(group_id, policy))
        return tuple(found), (*problems, *self._collisions(known))

    def _read_id(
        self, table: Mapping[str, object], place: Place
    ) -> tuple[GroupId | None, tuple[Problem, ...]]:
        problems = [
            place.problem(f"is missing; must be {allowed}", key)
            for key, allowed in (
                ("host", "the name of one of the [[hosts]]"),
                ("primary", PRIMARY.allowed),
            )
            if key not in table
        ]
        host, primary = table.get("host"), None
        if "host" in table and host not in self.host_names:
            complaint = unknown("host", str(host), self.host_names)
            problems.append(place.problem(complaint, "host", host))
        if "primary" in table:
            try:
                primary = PRIMARY.read(table["primary"])
            except ValueError:
                complaint = f"must be {PRIMARY.allowed}"
                problems.append(place.problem(complaint, "primary", table["primary"]))
        if problems or not isinstance(host, str) or not isinstance(primary, Name):
            return None, tuple(problems)
        return GroupId(host, primary), ()

    def _read_policy(
        self, table: Mapping[str, object], place: Place
    ) -> tuple[Policy | None, tuple[Problem, ...]]:
        own = {key: value for key, value in table.items() if key not in OWN}
        merged = {**self.defaults.table, **_spread(own)}
        wrong: tuple[Problem, ...] = ()
        if TABLE in table:
            merged[TABLE], wrong = read_requests(table[TABLE], place)
        if wrong:
            del merged[TABLE]
        policy, problems = _GROUP.read(merged, place)
        said = {problem.complaint for problem in self.defaults.problems}
        problems = tuple(p for p in problems if p.key or p.complaint not in said)
        problems = (*problems, *wrong)
        if policy is None:
            return None, _gathered(problems, own)
        problems += _needs_addresses(policy, place)
        mode = policy.mode.limited_by(self.mode)
        return evolve(policy, mode=mode), problems

    def _collisions(self, known: list[tuple[GroupId, Place]]) -> Iterator[Problem]:
        """Two groups must never be able to take each other's members."""
        owners: dict[tuple[object, Name], GroupId] = {}
        for group_id, place in known:
            where = self._machine(group_id), group_id.name
            owner = owners.setdefault(where, group_id)
            if owner is not group_id:
                complaint = f"is the primary of {owner} already"
                yield place.problem(complaint, "primary", str(group_id.name))
        for group_id, place in known:
            label, clone, _ = (group_id.name.label or "").rpartition("-clone-")
            if not clone or not label:
                continue
            base = Name(group_id.name.path, label)
            taken_by = owners.get((self._machine(group_id), base))
            if taken_by and taken_by.number_of(group_id.name) is not None:
                complaint = (
                    f"is named like a clone of {taken_by}, which would take it for its "
                    "own; must be another name"
                )
                yield place.problem(complaint, "primary", str(group_id.name))

    def _machine(self, group_id: GroupId) -> object:
        """A machine may be two hosts: one for each domain's keys."""
        host = self.hosts.get(group_id.host)
        return group_id.host if host is None else host.address


def _title(number: int, table: object) -> str:
    host = primary = None
    if isinstance(table, Mapping):
        host, primary = table.get("host"), table.get("primary")
    known = isinstance(host, str) and isinstance(primary, str)
    return titled("groups", number, f"{host}/{primary}" if known else None)


def _spread(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return *table* with `cooldown_period` as the cooldowns it stands for."""
    spread = dict(table)
    if PERIOD in spread:
        period = spread.pop(PERIOD)
        for key in COOLDOWNS:
            spread.setdefault(key, period)
    return spread


def _gathered(
    problems: tuple[Problem, ...], table: Mapping[str, object]
) -> tuple[Problem, ...]:
    """Return *problems* with what `_spread` has doubled said once."""
    gathered = []
    for problem in problems:
        if problem.key in COOLDOWNS and problem.key not in table:
            problem = evolve(problem, key=PERIOD)  # noqa: PLW2901 - one or the other
        if problem not in gathered:
            gathered.append(problem)
    return tuple(gathered)


def _needs_addresses(policy: Policy, place: Place) -> tuple[Problem, ...]:
    if policy.address_pool is not None:
        return ()
    return tuple(
        place.problem(
            "uses {address}, so address_pool must be set",
            "argument_template",
            argument,
        )
        for argument in policy.argument_template
        if "{address}" in argument
    )
