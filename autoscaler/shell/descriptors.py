"""How many file descriptors this process may have; connections need some."""

import resource


def most_descriptors() -> int | None:
    """Return how many there may be at most; None: there is no limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if most == resource.RLIM_INFINITY else most


def allow_most_descriptors() -> None:
    """Use all that the system allows; usual is much less, for old programs.

    systemd.exec(5), LimitNOFILE - 1024 unless a program says that it can do
    with more, which is what this says.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
