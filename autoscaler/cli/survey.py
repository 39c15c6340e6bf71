"""Ask the hosts of a configuration what a check wants to know.

Laws: it only reads; a host that can't be asked is a finding, never the end.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import trio
from attrs import field, frozen

from albatross_client.certificates import Validity
from albatross_client.errors import AlbatrossError, CertificateError
from albatross_client.names import Name
from albatross_client.texts import clean
from albatross_client.values import Info, ResourcePolicy
from autoscaler.core.blueprint import Blueprint
from autoscaler.core.group import GroupId, new_group
from autoscaler.core.lint import Room, find_room
from autoscaler.core.observe import observe
from autoscaler.core.view import Feed, Listing, Rules, View
from autoscaler.shell.assemble import NO_TEMPLATES
from autoscaler.shell.configuration.settings import (
    GroupSettings,
    HostSettings,
    Settings,
)

ANSWER_S = 30.0


class Answers(Protocol):
    """The part of a host's client that only reads."""

    async def info(self, name: Name) -> Mapping[Name, Info]:
        """Return what runs at and below *name*, by absolute name."""

    async def policies(self, domain: Name) -> Mapping[Name, ResourcePolicy]:
        """Return the policies above, at and below *domain*."""


@frozen
class Opened:
    """A host whose keys could be read.

    Attributes:
        client: Asks it.
        domain: What its certificate may act in.
        validity: The dates of its certificates, signer first, and of what
            the server's comes from.
    """

    client: Answers
    domain: Name
    validity: tuple[Validity, ...]


@frozen(kw_only=True)
class HostSeen:
    """What a host has shown.

    Attributes:
        settings: Its table.
        opened: With its keys; None: they can't be used.
        policies: By absolute domain.
        complaints: What went wrong, in words.
    """

    settings: HostSettings
    opened: Opened | None = None
    policies: Mapping[Name, ResourcePolicy] = field(factory=dict)
    complaints: tuple[str, ...] = ()


@frozen(kw_only=True)
class GroupSeen:
    """What a host has shown of a group.

    Attributes:
        settings: Its table.
        primary: What the host says of the primary; None: it isn't there, or
            there is none.
        room: How many clones there can be; None: that can't be told.
        complaint: Why nothing is known of it; None: its host answered.
    """

    settings: GroupSettings
    primary: Info | None = None
    room: Room | None = None
    complaint: str | None = None


@frozen
class Survey:
    """What all hosts have shown, in the order of the configuration."""

    hosts: tuple[HostSeen, ...]
    groups: tuple[GroupSeen, ...]


async def survey(
    settings: Settings,
    open_host: Callable[[HostSettings], Opened],
    templates: Mapping[GroupId, Blueprint] = NO_TEMPLATES,
) -> Survey:
    """Ask every host once for itself and once for each of its groups.

    Arguments:
        settings: The configuration.
        open_host: Reads the keys of a host; raises CertificateError.
        templates: What managed groups are made from, as far as that is known.
    """
    hosts = tuple([await _see_host(host, open_host) for host in settings.hosts])
    by_name = {host.settings.name: host for host in hosts}
    groups = [
        await _see_group(by_name[g.id.host], g, templates.get(g.id))
        for g in settings.groups
    ]
    return Survey(hosts, tuple(groups))


def view_of(
    infos: Mapping[Name, Info], policies: Mapping[Name, ResourcePolicy], now: float
) -> View:
    """Return what is known of a host that was asked once, *now*."""
    return View(
        feed=Feed(),
        tracks={},
        listing=Listing(infos, now, now),
        rules=Rules(policies, now),
    )


def in_words(error: Exception) -> str:
    """Return why a host did not answer within `ANSWER_S`."""
    if isinstance(error, trio.TooSlowError):
        return f"no answer within {ANSWER_S:g} s"
    return clean(str(error))


async def _see_host(
    settings: HostSettings, open_host: Callable[[HostSettings], Opened]
) -> HostSeen:
    try:
        opened = open_host(settings)
    except CertificateError as error:
        return HostSeen(settings=settings, complaints=(clean(str(error)),))
    try:
        with trio.fail_after(ANSWER_S):
            policies = await opened.client.policies(opened.domain)
    except (AlbatrossError, trio.TooSlowError) as error:
        complaints = (in_words(error),)
        return HostSeen(settings=settings, opened=opened, complaints=complaints)
    return HostSeen(settings=settings, opened=opened, policies=policies)


async def _see_group(
    host: HostSeen, settings: GroupSettings, template: Blueprint | None
) -> GroupSeen:
    if host.opened is None:
        return GroupSeen(settings=settings, complaint="its host could not be asked")
    if host.complaints:
        return GroupSeen(settings=settings, complaint="its host has not answered")
    domain, shown = settings.id.domain, host.opened.domain
    try:
        with trio.fail_after(ANSWER_S):
            # What others take counts against the policies above, too.
            widest = shown if domain.is_within(shown) else domain
            infos = await host.opened.client.info(widest)
            policies = await host.opened.client.policies(domain)
    except (AlbatrossError, trio.TooSlowError) as error:
        return GroupSeen(settings=settings, complaint=in_words(error))
    view = view_of(infos, policies, trio.current_time())
    room = _room(settings, template, view)
    primary = None if settings.id.is_managed else infos.get(settings.id.name)
    return GroupSeen(settings=settings, primary=primary, room=room)


def _room(
    settings: GroupSettings, template: Blueprint | None, view: View
) -> Room | None:
    group_id = settings.id
    if template is None and (group_id.is_managed or not view.lists(group_id.name)):
        return None
    group = new_group(group_id, settings.policy, template)
    group, _ = observe(group, view, trio.current_time())
    return find_room(group, view)
