"""What policies allow: the checks of a host, with its own words.

Laws: a create is checked against the policy of its own path alone, over all
that is at and below that path; a policy fits its parents (not the root's), its
children and what runs.  A check returns None when all is well.
"""

from collections.abc import Iterable, Iterator

from attrs import evolve

from albatross_client.names import ROOT, Name
from albatross_client.sandbox.state import Host, Refusal, Unikernel
from albatross_client.values import Arguments, Interface, ResourcePolicy


def insert_policies(
    host: Host, policies: Iterable[tuple[Name, ResourcePolicy]]
) -> tuple[Host, Refusal | None]:
    """Store the policies of a certificate chain, given outermost first.

    Returns the host with all that were stored before the first refusal, as
    hosts keep them.
    """
    # vmm_tls.ml:extract_policies - they come innermost first.
    for domain, policy in reversed(tuple(policies)):
        if host.policies.get(domain) == policy:
            continue
        problem = _check_policy(host, domain, policy)
        if problem is not None:
            # albatross_tls_endpoint.ml:handle and vmm_commands.ml:pp_wire
            return host, Refusal(
                "expected success when adding policy, got: "
                f"host [unikernel: {domain}]: command failed {problem}"
            )
        host = evolve(host, policies={**host.policies, domain: policy})
    return host, None


def check_create(host: Host, name: Name, wanted: Arguments) -> str | None:
    """Return why *wanted* may not run as *name*, in the host's words."""
    # vmm_resources.ml:check_unikernel - the policy first, then the devices.
    policy = host.policies.get(name.domain)
    checks = (
        _check_limits(host, name, wanted, policy) if policy else None,
        _check_bridges_exist(host, wanted),
        _check_devices(host, name, wanted),
    )
    return next((problem for problem in checks if problem), None)


def check_block(host: Host, name: Name, size: int) -> str | None:
    """Return why a block device of *size* MB may not be made as *name*."""
    # See vmm_resources.ml:check_block.
    policy = host.policies.get(name.domain)
    if policy is None:
        return None
    if policy.block is None:
        return "no block devices are allowed by policy"
    used = block_usage(host, name.domain)
    if size > policy.block - used:
        return (
            f"block device policy limit of {policy.block} MB (used {used} MB) "
            f"would be exceeded by the request ({size} MB)"
        )
    return None


def block_usage(host: Host, path: Name) -> int:
    """Return the MB of all block devices at and below *path*."""
    return sum(
        device.size for name, device in host.devices.items() if name.is_within(path)
    )


def is_active(host: Host, device: Name) -> bool:
    """Tell whether a unikernel that runs uses the block device *device*."""
    return any(
        device in _device_names(unikernel.name, unikernel.config)
        for unikernel in host.unikernels.values()
    )


def bridge_of(interface: Interface) -> str:
    """Return the host's bridge that *interface* is attached to."""
    return interface.bridge or interface.name


def _check_limits(
    host: Host, name: Name, wanted: Arguments, policy: ResourcePolicy
) -> str | None:
    # See vmm_resources.ml:check_policy.
    running = _running(host, name.domain)
    used = sum(unikernel.config.memory for unikernel in running)
    if len(running) + 1 > policy.unikernels:
        return f"maximum amount of unikernels ({policy.unikernels}) reached"
    if wanted.memory > policy.memory - used:
        return (
            f"maximum allowed memory ({policy.memory}, used {used}) "
            f"would be exceeded (requesting {wanted.memory})"
        )
    foreign = wanted.cpuids - policy.cpuids
    if foreign:
        return f"CPUids {_numbers(foreign)} are not allowed by policy"
    bridges = [bridge_of(interface) for interface in wanted.interfaces]
    denied = [bridge for bridge in bridges if bridge not in policy.bridges]
    return f"bridges {', '.join(denied)} not allowed by policy" if denied else None


def _check_bridges_exist(host: Host, wanted: Arguments) -> str | None:
    # The machine's bridges are those of the root's policy.
    for interface in wanted.interfaces:
        bridge = bridge_of(interface)
        if bridge not in host.root_policy.bridges:
            return f"bridge {bridge} does not exist"
    return None


def _check_devices(host: Host, name: Name, wanted: Arguments) -> str | None:
    for device in _device_names(name, wanted):
        if device not in host.devices:
            return f"block device {device} not found"
        if is_active(host, device):
            return f"block device {device} already in use"
    return None


def _device_names(name: Name, wanted: Arguments) -> list[Name]:
    # name.ml:block_name - a device has the path of its unikernel.
    return [Name(name.path, block.device or block.name) for block in wanted.blocks]


def _running(host: Host, path: Name) -> list[Unikernel]:
    return [
        unikernel for name, unikernel in host.unikernels.items() if name.is_within(path)
    ]


def _check_policy(host: Host, domain: Name, policy: ResourcePolicy) -> str | None:
    # vmm_resources.ml:insert_policy - above, below, then what runs.
    for parent in _parents(domain):
        above = host.policies.get(parent)
        problem = _check_smaller(above, policy) if above else None
        if problem is not None:
            return problem
    for child, sub in host.policies.items():
        if child not in (domain, ROOT) and child.is_within(domain):
            problem = _check_smaller(policy, sub)
            if problem is not None:
                return problem
    return _check_running(host, domain, policy)


def _parents(domain: Name) -> Iterator[Name]:
    """Yield the domains above *domain*, the root's left out."""
    for depth in range(len(domain.path) - 1, 0, -1):
        yield Name(domain.path[:depth])


def _check_smaller(above: ResourcePolicy, sub: ResourcePolicy) -> str | None:
    # See vmm_core.ml:Policy.is_smaller.
    if above.unikernels < sub.unikernels:
        return (
            f"policy above allows {above.unikernels} unikernels, "
            f"which is fewer than {sub.unikernels}"
        )
    if above.memory < sub.memory:
        return (
            f"policy above allows {above.memory} MB memory, "
            f"which is fewer than {sub.memory} MB"
        )
    if not sub.cpuids <= above.cpuids:
        return (
            f"policy above allows CPUids {_numbers(above.cpuids)}, "
            f"which is not a superset of {_numbers(sub.cpuids)}"
        )
    if not sub.bridges <= above.bridges:
        return (
            f"policy above allows bridge(s) {_texts(above.bridges)}, "
            f"which is not a superset of {_texts(sub.bridges)}"
        )
    return _check_smaller_block(above.block, sub.block)


def _check_smaller_block(above: int | None, sub: int | None) -> str | None:
    if sub is None or (above is not None and above >= sub):
        return None
    return (
        f"policy above allows {above or 0} MB block storage, "
        f"which is fewer than {sub} MB"
    )


def _check_running(host: Host, domain: Name, policy: ResourcePolicy) -> str | None:
    # See vmm_resources.ml:check_unikernels.
    running = _running(host, domain)
    pinned = frozenset[int]().union(*(each.config.cpuids for each in running))
    bridges = {bridge_of(one) for each in running for one in each.config.interfaces}
    if not pinned <= policy.cpuids:
        return (
            f"policy allows CPUids {_numbers(policy.cpuids)}, "
            f"which is not a superset of {_numbers(pinned)}"
        )
    if not bridges <= policy.bridges:
        return (
            f"policy allows bridges {_texts(policy.bridges)}, "
            f"which is not a superset of {_texts(bridges)}"
        )
    if len(running) > policy.unikernels:
        return (
            "unikernel would exceed running unikernel limit set by policy to "
            f"{policy.unikernels}, running {len(running)}"
        )
    return _check_amounts(host, domain, policy, running)


def _check_amounts(
    host: Host, domain: Name, policy: ResourcePolicy, running: list[Unikernel]
) -> str | None:
    memory = sum(unikernel.config.memory for unikernel in running)
    if memory > policy.memory:
        return (
            "unikernel would exceed running memory limit set by policy to "
            f"{policy.memory} MB, used {memory} MB"
        )
    block = block_usage(host, domain)
    if block > (policy.block or 0):
        return (
            "unikernel would exceed running block storage limit set by policy to "
            f"{policy.block or 0} MB, used {block} MB"
        )
    return None


def _numbers(values: Iterable[int]) -> str:
    return ", ".join(str(value) for value in sorted(values))


def _texts(values: Iterable[str]) -> str:
    return ", ".join(sorted(values))
