"""The `[defaults]` and `[[groups]]` tables: a policy for every group.

`cooldown_period` stands for both cooldowns, where the same table doesn't set
them; a group's own table wins over `[defaults]`.  A table with a `primary` is a
group around it; one with a `name` is managed, and says what its members are.
What requests call for is each group's own affair: `[groups.requests]` has no
defaults.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen

from albatross_client.names import Name
from albatross_client.solo5 import Architecture
from autoscaler.core.group import GroupId
from autoscaler.core.policy import Mode, Policy
from autoscaler.shell.configuration.collisions import Claimant, collisions
from autoscaler.shell.configuration.host_tables import HostSettings
from autoscaler.shell.configuration.keys import MOST, POLICY, PRIMARY
from autoscaler.shell.configuration.problems import (
    Place,
    Problem,
    show,
    titled,
    unknown,
)
from autoscaler.shell.configuration.recipes import RECIPE, Recipe, recipe_shape
from autoscaler.shell.configuration.request_tables import TABLE, read_requests
from autoscaler.shell.configuration.tables import Shape
from autoscaler.shell.configuration.traffic_tables import TABLES as TRAFFIC
from autoscaler.shell.configuration.traffic_tables import (
    TrafficSettings,
    find_misfits,
    read_traffic,
)

PERIOD = "cooldown_period"
COOLDOWNS = ("cooldown_up", "cooldown_down")
WHOSE = ("host", "primary", "name")
OWN = (*WHOSE, TABLE, *TRAFFIC)
# What a managed group calls these keys of a policy, and what it hasn't at all:
# all of its members are ours, and it has no primary.
BOUNDS: Mapping[str, str] = {"min_members": "min_clones", "max_members": "max_clones"}
OF_PRIMARIES = (*BOUNDS.values(), "on_primary_loss", "share_block_devices")
OF_MANAGED = (*BOUNDS, *RECIPE)
_PAIRS = (
    frozenset({"min_clones", "max_clones"}),
    frozenset({"scale_down_threshold_percent", "scale_up_threshold_percent"}),
)
# So many clones allow any minimum.
_NEUTRAL = {"max_clones": MOST}
_DEFAULTS = Shape(Policy, POLICY, frozenset({*POLICY, PERIOD}), _PAIRS, _NEUTRAL)
_GROUP = evolve(_DEFAULTS, known=_DEFAULTS.known | set(OWN))
_MANAGED = evolve(
    _GROUP, known=(_GROUP.known | set(OF_MANAGED)) - {*OF_PRIMARIES, "primary"}
)


@frozen
class GroupSettings:
    """One `[[groups]]` table.

    Attributes:
        id: Which group.
        policy: When it grows and shrinks; its mode is no bolder than the
            deployment's.
        recipe: What members of a managed group are made from; None: they are
            copies of the primary.
        traffic: How members get their requests; None: without our doing.
    """

    id: GroupId
    policy: Policy
    recipe: Recipe | None = None
    traffic: TrafficSettings | None = None


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


@define
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
    _recipes: dict[Architecture | None, Shape[Recipe]] = field(factory=dict, init=False)

    def read(
        self, tables: object
    ) -> tuple[tuple[GroupSettings, ...], tuple[Problem, ...]]:
        """Return the groups of a parsed `groups`, and all that is wrong."""
        if not isinstance(tables, list):
            place = Place(self.file, "groups")
            return (), (place.problem("must be written as [[groups]] tables"),)
        found: list[GroupSettings] = []
        known: list[Claimant] = []
        problems: list[Problem] = []
        for number, table in enumerate(tables, 1):
            place = Place(self.file, _title(number, table))
            if not isinstance(table, Mapping):
                problems.append(place.problem("must be a table"))
                continue
            group_id, whose = self._read_id(table, place)
            plain = {key: value for key, value in table.items() if key not in TRAFFIC}
            policy, recipe, wrong = self._read_wishes(plain, place)
            traffic, policy, unfit = self._read_traffic(table, policy, place)
            problems += (*whose, *wrong, *unfit)
            if group_id is None:
                continue
            pool = None if policy is None else policy.address_pool
            known.append(Claimant(group_id, place, pool, traffic))
            if policy is not None and group_id.is_managed == (recipe is not None):
                found.append(GroupSettings(group_id, policy, recipe, traffic))
        return tuple(found), (*problems, *collisions(known, self._machine))

    def _read_traffic(
        self, table: Mapping[str, object], policy: Policy | None, place: Place
    ) -> tuple[TrafficSettings | None, Policy | None, tuple[Problem, ...]]:
        """Return how a group gets its requests, and its policy with that."""
        tables = {name: table[name] for name in TRAFFIC if name in table}
        traffic, problems = read_traffic(tables, place, self.file.parent)
        if policy is None or problems:
            return traffic, policy, problems
        misfits = find_misfits(policy, traffic, place, is_managed=_is_managed(table))
        if traffic is not None:
            policy = evolve(policy, serving=traffic.policy)
        return traffic, policy, misfits

    def _read_id(
        self, table: Mapping[str, object], place: Place
    ) -> tuple[GroupId | None, tuple[Problem, ...]]:
        key = "name" if _is_managed(table) else "primary"
        problems = [
            place.problem(f"is missing; must be {allowed}", each)
            for each, allowed in (
                ("host", "the name of one of the [[hosts]]"),
                (key, PRIMARY.allowed),
            )
            if each not in table
        ]
        if key == "primary" and "name" in table:
            complaint = "a group has a primary, or a name and no primary: not both"
            problems.append(place.problem(complaint, "name", table["name"]))
        host, name = table.get("host"), None
        if "host" in table and host not in self.host_names:
            complaint = unknown("host", str(host), self.host_names)
            problems.append(place.problem(complaint, "host", host))
        if key in table:
            try:
                name = PRIMARY.read(table[key])
            except ValueError:
                complaint = f"must be {PRIMARY.allowed}"
                problems.append(place.problem(complaint, key, table[key]))
        if problems or not isinstance(host, str) or not isinstance(name, Name):
            return None, tuple(problems)
        return GroupId(host, name, is_managed=key == "name"), ()

    def _read_wishes(
        self, table: Mapping[str, object], place: Place
    ) -> tuple[Policy | None, Recipe | None, tuple[Problem, ...]]:
        """Return when a group changes, and what a managed one is made from."""
        if not _is_managed(table):
            policy, wrong = self._read_policy(table, place)
            return policy, None, wrong
        policy, wrong = self._read_managed(table, place)
        recipe, unfit = self._read_recipe(table, place)
        return policy, recipe, (*wrong, *unfit)

    def _read_policy(
        self, table: Mapping[str, object], place: Place
    ) -> tuple[Policy | None, tuple[Problem, ...]]:
        """Return the policy of a group around a primary."""
        own = {key: value for key, value in table.items() if key not in WHOSE}
        misplaced = tuple(
            place.problem("belongs in a group with a name and no primary", key, value)
            for key, value in own.items()
            if key in OF_MANAGED
        )
        own = {key: value for key, value in own.items() if key not in OF_MANAGED}
        policy, problems = self._merged(own, self.defaults.table, _GROUP, place)
        return policy, (*misplaced, *problems)

    def _read_managed(
        self, table: Mapping[str, object], place: Place
    ) -> tuple[Policy | None, tuple[Problem, ...]]:
        """Return the policy of a managed group."""
        own = {k: v for k, v in table.items() if k not in {*WHOSE, *RECIPE}}
        misplaced = tuple(
            place.problem(_misplaced(key), key, own.pop(key))
            for key in OF_PRIMARIES
            if key in own
        )
        own = {BOUNDS.get(key, key): value for key, value in own.items()}
        general = self.defaults.table.items()
        defaults = {key: value for key, value in general if key not in OF_PRIMARIES}
        defaults["min_clones"] = 1
        policy, problems = self._merged(own, defaults, _MANAGED, place)
        return policy, (*misplaced, *(_renamed(problem, table) for problem in problems))

    def _merged(
        self,
        own: Mapping[str, object],
        defaults: Mapping[str, object],
        shape: Shape[Policy],
        place: Place,
    ) -> tuple[Policy | None, tuple[Problem, ...]]:
        merged: dict[str, object] = {**defaults, **_spread(own)}
        wrong: tuple[Problem, ...] = ()
        if TABLE in own:
            requests, wrong = read_requests(merged.pop(TABLE), place)
            merged |= {} if wrong else {TABLE: requests}
        policy, problems = shape.read(merged, place)
        said = {problem.complaint for problem in self.defaults.problems}
        problems = tuple(p for p in problems if p.key or p.complaint not in said)
        problems = (*problems, *wrong)
        if policy is None:
            return None, _gathered(problems, own)
        problems += _needs_addresses(policy, place)
        mode = policy.mode.limited_by(self.mode)
        return evolve(policy, mode=mode), problems

    def _read_recipe(
        self, table: Mapping[str, object], place: Place
    ) -> tuple[Recipe | None, tuple[Problem, ...]]:
        own = {key: value for key, value in table.items() if key in RECIPE}
        host = self.hosts.get(str(table.get("host")))
        if host is None:
            # What is wrong with the host is told; its image can't be chosen.
            return None, ()
        shape = self._recipes.get(host.architecture)
        if shape is None:
            shape = recipe_shape(self.file.parent, host.architecture, _MANAGED.known)
            self._recipes[host.architecture] = shape
        recipe, problems = shape.read(own, place)
        if recipe is not None:
            recipe = evolve(recipe, architecture=host.architecture)
        return recipe, problems

    def _machine(self, group_id: GroupId) -> object:
        """A machine may be two hosts: one for each domain's keys."""
        host = self.hosts.get(group_id.host)
        return group_id.host if host is None else host.address


def _is_managed(table: Mapping[str, object]) -> bool:
    return "name" in table and "primary" not in table


def _misplaced(key: str) -> str:
    ours = next((mine for mine, theirs in BOUNDS.items() if theirs == key), None)
    if ours is None:
        return "a group with a name has no primary; must be left out"
    return f"all members of a group with a name are ours; must be {ours}"


def _renamed(problem: Problem, table: Mapping[str, object]) -> Problem:
    """Return *problem* of a policy in the words of a managed group."""
    complaint = problem.complaint
    for ours, theirs in BOUNDS.items():
        complaint = complaint.replace(theirs, ours)
        if problem.key == theirs:
            shown = None if problem.value is None else show(table[ours])
            problem = evolve(problem, key=ours, value=shown)
    return evolve(problem, complaint=complaint)


def _title(number: int, table: object) -> str:
    host = name = None
    if isinstance(table, Mapping):
        host, name = table.get("host"), table.get("primary", table.get("name"))
    known = isinstance(host, str) and isinstance(name, str)
    return titled("groups", number, f"{host}/{name}" if known else None)


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
