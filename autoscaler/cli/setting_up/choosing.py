"""Which unikernel is cloned, and how often: offered, asked for, checked."""

from collections.abc import Sequence

from attrs import evolve, frozen

from albatross_client.names import Name
from albatross_client.texts import clean
from autoscaler.cli.output import complain, print_table
from autoscaler.cli.setting_up.access import Seen
from autoscaler.cli.setting_up.asking import Asker, Question, UnsettledError
from autoscaler.cli.setting_up.candidates import (
    MOST_PROPOSED,
    Candidate,
    find_candidates,
)
from autoscaler.shell.configuration.keys import POLICY, PRIMARY

# Where no host has said how many fit.
CLONES_UNSEEN = 4

DOMAIN = Question("--domain", "Domain, such as user or org:team")
PRIMARY_ASKED = Question("--primary", "Primary, the unikernel to clone (its name)")
PRIMARY_OFFERED = Question("--primary", "Primary, the unikernel to clone (# or name)")
MAX_CLONES = Question("--max-clones", "Most clones")


@frozen(kw_only=True)
class Wishes:
    """What the command line says of the group; None: nothing."""

    domain: str | None = None
    primary: str | None = None
    max_clones: str | None = None


@frozen
class Choice:
    """What the group is.

    Attributes:
        primary: What is cloned.
        max_clones: How often at most.
        why: Where that number comes from.
    """

    primary: Name
    max_clones: int
    why: str


def choose(asker: Asker, wishes: Wishes, own: Name, seen: Seen | None) -> Choice:
    """Ask for what is not given of the group; return it.

    Arguments:
        asker: Asks.
        wishes: What is given.
        own: The domain that the CA acts in.
        seen: What the host has shown; None: it was not asked.

    Raises:
        UnsettledError: Something can't be used, or nobody answers.
    """
    if wishes.domain is None and ":" in (wishes.primary or ""):
        domain = own
    else:
        domain = _settle_domain(asker, wishes, own, seen)
    if seen is None:
        return _choose_unseen(asker, wishes, domain)
    found = find_candidates(seen.infos, seen.policies, seen.at)
    candidates = tuple(each for each in found if each.name.is_within(domain))
    _offer(candidates, domain)
    default = next(n for n, each in enumerate(candidates, 1) if not each.complaint)
    question = evolve(PRIMARY_OFFERED, default=str(default))

    def listed(text: str) -> Candidate:
        return _listed(text, candidates, domain)

    return _with_clones(asker, wishes, asker.settle(question, wishes.primary, listed))


def _settle_domain(asker: Asker, wishes: Wishes, own: Name, seen: Seen | None) -> Name:
    known = () if seen is None else _domains(own, seen)
    if wishes.domain is None and len(known) > 1:
        print(f"Domains on the host: {', '.join(map(str, known))}")
    default = own if own.path else known[0] if len(known) == 1 else None
    question = evolve(DOMAIN, default=None if default is None else str(default))

    def within(text: str) -> Name:
        domain = _parse_domain(text)
        if not domain.is_within(own):
            msg = f"{domain} lies outside {own}, the domain that the CA may act in"
            raise ValueError(msg)
        if seen is not None and domain not in known:
            elsewhere = f", but in {', '.join(map(str, known))}" if known else ""
            msg = f"nothing runs in {domain}{elsewhere}"
            raise ValueError(msg)
        return domain

    return asker.settle(question, wishes.domain, within)


def _domains(own: Name, seen: Seen) -> tuple[Name, ...]:
    """Return where something runs."""
    found = {name.domain for name in seen.infos if name.label is not None}
    return tuple(sorted(domain for domain in found if domain.is_within(own)))


def _offer(candidates: Sequence[Candidate], domain: Name) -> None:
    """Show what runs in *domain*.

    Raises:
        UnsettledError: Nothing of it can be cloned.
    """
    print_table(
        f"What runs in the domain {str(domain).removesuffix(':') or ':'}",
        ("#", "unikernel", "memory MB", "cpuids", "clones that fit", "why no more"),
        (
            (
                str(number),
                str(each.name),
                str(each.info.memory),
                " ".join(map(str, sorted(each.info.cpuids))),
                str(each.clones) if each.limit else f"{MOST_PROPOSED} or more",
                each.complaint or each.limit or "",
            )
            for number, each in enumerate(candidates, 1)
        ),
    )
    if not candidates:
        msg = (
            f"nothing runs in {domain}: start your unikernel first (its clones are "
            "made from it), or say --no-connect"
        )
        raise UnsettledError(msg)
    if all(each.complaint for each in candidates):
        msg = f"nothing that runs in {domain} can be cloned now: nothing was written"
        raise UnsettledError(msg)


def _listed(text: str, candidates: Sequence[Candidate], domain: Name) -> Candidate:
    """Return the candidate of this number or name.

    Raises:
        ValueError: There is none, or it can't be cloned.
    """
    found = _find(text, candidates, domain)
    if found.complaint is not None:
        msg = f"{found.name} can't be cloned: {found.complaint}"
        raise ValueError(msg)
    return found


def _find(text: str, candidates: Sequence[Candidate], domain: Name) -> Candidate:
    if text.isascii() and text.isdecimal() and 0 < int(text) <= len(candidates):
        return candidates[int(text) - 1]
    name = _parse_primary(text, domain)
    for each in candidates:
        if each.name == name:
            return each
    names = ", ".join(str(each.name) for each in candidates)
    msg = f"{name} does not run there, or is a clone; what could be: {names}"
    raise ValueError(msg)


def _with_clones(asker: Asker, wishes: Wishes, chosen: Candidate) -> Choice:
    if wishes.max_clones is not None:
        most = asker.settle(MAX_CLONES, wishes.max_clones, _count)
        if most > chosen.clones and chosen.limit is not None:
            complain(f"hint: only {chosen.clones} fit; for one more: {chosen.limit}")
        return Choice(chosen.name, most, "as was asked")
    if chosen.limit is None:
        why = "a start, there is room for more"
        print(f"max_clones is set to {chosen.clones}: {why}")
    else:
        why = "there is no room for more"
        print(f"max_clones is set to {chosen.clones}, as many as fit.")
        print(f"For one more: {chosen.limit}")
    return Choice(chosen.name, chosen.clones, why)


def _choose_unseen(asker: Asker, wishes: Wishes, domain: Name) -> Choice:
    def named(text: str) -> Name:
        return _parse_primary(text, domain)

    primary = asker.settle(PRIMARY_ASKED, wishes.primary, named)
    if wishes.max_clones is None:
        return Choice(primary, CLONES_UNSEEN, "a guess: the host was not asked")
    most = asker.settle(MAX_CLONES, wishes.max_clones, _count)
    return Choice(primary, most, "as was asked")


def _parse_domain(text: str) -> Name:
    name = Name.parse(text)
    return name if name.label is None else Name((*name.path, name.label))


def _parse_primary(text: str, domain: Name) -> Name:
    """Read the name of a unikernel, in *domain* if it names no other.

    Raises:
        ValueError: It can't be a primary's.
    """
    # What is wrong with a name as such is told better by itself.
    name = Name.parse(text)
    if not name.path and name.label is not None and not text.startswith(":"):
        name = Name(domain.path, name.label)
    try:
        PRIMARY.read(str(name))
    except ValueError as error:
        msg = f"{clean(text)} can't be a primary: it must be {PRIMARY.allowed}"
        raise ValueError(msg) from error
    if not name.is_within(domain):
        msg = f"{name} lies outside {domain}"
        raise ValueError(msg)
    return name


def _count(text: str) -> int:
    key = POLICY["max_clones"]
    try:
        count = key.read(int(text))
    except ValueError as error:
        msg = f"{clean(text)} is no number of clones: {key.allowed}"
        raise ValueError(msg) from error
    if not isinstance(count, int) or count < 1:
        msg = "a group without clones would never change: 1 or more"
        raise ValueError(msg)
    return count
