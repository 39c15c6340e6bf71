"""What decisions say of standbys, in words and as fields of a line."""

from collections.abc import Mapping

from autoscaler.core.decision import Decision, Reason
from autoscaler.core.shortages import counted


def standby_fields(decision: Decision) -> Mapping[str, str | int | None]:
    """Return the numbers of standbys, where there are to be any."""
    if not (decision.standbys or decision.standbys_wanted):
        return {}
    held = decision.standby_held
    return {
        "promote": decision.promoted or None,
        "standbys": decision.standbys,
        "standbys_ready": decision.standbys_ready,
        "standbys_wanted": decision.standbys_wanted,
        "standby_held": None if held is None else held.value,
    }


def describe_growth(decision: Decision, what: str) -> str:
    """Return in words how members are added; *what* are those created."""
    if decision.reason is Reason.REFILL:
        return f"create {_standbys(decision.count)}"
    promotion = f"promote {_standbys(decision.promoted)}"
    if not decision.promoted:
        return f"create {what}"
    return f"{promotion} and create {what}" if decision.count else promotion


def describe_held(decision: Decision) -> str | None:
    """Return why standbys are not as they should be, None where they are."""
    if decision.standby_held is None:
        return None
    wanted = decision.standbys_wanted
    words = decision.standby_held.value.replace("_", " ")
    return f"{decision.standbys_ready} of {_standbys(wanted)} could serve ({words})"


def describe_unready(decision: Decision) -> str:
    """Return in words why standbys leave no room."""
    return (
        f"more is wanted, but the room that is left has {_standbys(decision.standbys)}"
        ", of which none could serve now"
    )


def describe_number(decision: Decision) -> str:
    """Return in words how many standbys there are, and should be."""
    there, wanted = decision.standbys, decision.standbys_wanted
    verb = "is" if there == 1 else "are"
    return (
        f"there {verb} {_standbys(there)}, and {wanted} "
        f"{'is' if wanted == 1 else 'are'} wanted"
    )


def describe_surplus(decision: Decision) -> str:
    """Return in words why a standby goes."""
    since = decision.age_s
    lately = "" if since is None else f" (no member was added for {since:.0f} s)"
    return f"{describe_number(decision)}{lately}"


def beside(decision: Decision) -> str:
    """Return the standbys that are there beside others, in words."""
    return f" and {_standbys(decision.standbys)}" if decision.standbys else ""


def _standbys(number: int) -> str:
    return counted(number, "standby")
