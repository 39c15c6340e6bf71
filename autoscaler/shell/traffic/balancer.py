"""What the daemon needs of a load balancer, whichever it is."""

import enum
from typing import Protocol

from autoscaler.core.arrange import Step
from autoscaler.core.backend import Backend


class Trouble(enum.Enum):
    """What keeps a balancer from doing what it should."""

    UNREACHABLE = "unreachable"
    SILENT = "silent"
    FORBIDDEN = "forbidden"
    NO_BACKEND = "no_backend"
    NO_SERVER = "no_server"
    NAME_TAKEN = "name_taken"
    STATIC_BALANCE = "static_balance"
    IN_USE = "in_use"
    TOO_OLD = "too_old"
    REFUSED = "refused"
    UNREADABLE = "unreadable"


class BalancerError(Exception):
    """The balancer did not do it, or did not say so; one sentence.

    A step may have taken effect nevertheless: the next look tells.

    Attributes:
        trouble: What it was.
    """

    def __init__(self, message: str, trouble: Trouble) -> None:
        super().__init__(message)
        self.trouble = trouble

    @property
    def is_away(self) -> bool:
        """Whether nobody answers: asking again soon makes sense."""
        return self.trouble in (Trouble.UNREACHABLE, Trouble.SILENT)


class Balancer(Protocol):
    """A load balancer, as far as one group is concerned."""

    async def observe(self) -> Backend:
        """Return what it has.

        Raises:
            BalancerError: It can't be told.
        """

    async def perform(self, step: Step) -> None:
        """Do *step*; what is done already is no failure.

        Raises:
            BalancerError: It was not done, or nobody knows.
        """
