"""What programs are told, as JSON Schemas: of `--json` and of `/api/v1` alike.

    python -m autoscaler.shell.operators.schemas config/schema

Laws: a key that is told is in the schema, and one that may be left out says so;
words of a closed set are those of the code.
"""

import enum
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from autoscaler.core.backend import Duty, Health
from autoscaler.core.decision import MemberClass, Outcome, Reason
from autoscaler.core.demand import SignalKind
from autoscaler.core.guards import Kind
from autoscaler.core.policy import Mode
from autoscaler.shell.configuration.forms import Form

DRAFT = "https://json-schema.org/draft/2020-12/schema"

TEXT: Form = {"type": "string"}
TRUTH: Form = {"type": "boolean"}
COUNT: Form = {"type": "integer", "minimum": 0}
NUMBER: Form = {"type": "number"}
SECONDS: Form = {"type": "number", "minimum": 0, "description": "seconds"}
PERCENT: Form = {"type": "number", "minimum": 0, "maximum": 100}
INSTANT: Form = {"type": "number", "description": "seconds since 1970"}
GROUP: Form = {"type": "string", "description": "HOST/NAME"}
SENTENCES: Form = {"type": "array", "items": {"type": "string"}}
DECISION_ID: Form = {
    "type": "string",
    "description": "what a change of decision, and all that follows from it, is called",
}


def maybe(form: Form) -> Form:
    """Return the form of what is null where it isn't known or doesn't apply."""
    return {"anyOf": [dict(form), {"type": "null"}]}


def word(words: type[enum.Enum], *more: str) -> Form:
    """Return the form of one of *words*, or of *more*."""
    return {"enum": [*(each.value for each in words), *more]}


def many(form: Form) -> Form:
    """Return the form of a list."""
    return {"type": "array", "items": dict(form)}


def table(
    keys: Mapping[str, Form], optional: Mapping[str, Form] | None = None
) -> dict[str, object]:
    """Return the form of an object of all *keys*, maybe of *optional* ones."""
    more = optional or {}
    return {
        "type": "object",
        "properties": {name: dict(form) for name, form in {**keys, **more}.items()},
        "required": list(keys),
        "additionalProperties": False,
    }


def described(form: Form, says: str) -> Form:
    """Return *form* with what it means."""
    return {**form, "description": says}


_NUMBERS: Mapping[str, Form] = {
    "outcome": word(Outcome),
    "reason": word(Reason),
    "mode": word(Mode),
    "mean_up_percent": described(
        maybe(PERCENT), "mean usage of those who report; null: nobody does"
    ),
    "mean_down_percent": described(
        maybe(PERCENT), "mean usage with every missing member at 100 %"
    ),
    "up_percent": PERCENT,
    "down_percent": PERCENT,
    "high": described(COUNT, "high ticks in a row"),
    "high_needed": COUNT,
    "low": described(COUNT, "low ticks in a row"),
    "low_needed": COUNT,
    "fresh": described(COUNT, "members that report"),
    "quorum": described(COUNT, "so many have to"),
    "capacity": described(COUNT, "members that may serve"),
    "clones": COUNT,
    "min_clones": COUNT,
    "max_clones": COUNT,
}
# What doesn't apply to a decision is left out of it.
_SOMETIMES: Mapping[str, Form] = {
    "decision_id": DECISION_ID,
    "create": described(COUNT, "so many clones are to be made"),
    "victim": described(TEXT, "which clone is to go"),
    "more_victims": described(TEXT, "those that go with it, with commas"),
    "left_s": described(SECONDS, "until what holds lets go by itself"),
    "missing": described(TEXT, "members that are silent, with commas"),
    "replacement_held": word(Reason),
    "barred": described(word(Reason), "what would begin, were it not held"),
    "evidence_age_s": SECONDS,
    "evidence": TEXT,
    "by": described(TEXT, "the operator who asked for it"),
    "outdated": described(COUNT, "clones with another image than new ones get"),
    "wanted": described(COUNT, "members that requests and usage call for"),
    "signal": word(SignalKind),
    "signal_value": NUMBER,
    "signal_target": NUMBER,
    **{f"signal_{kind.value}": NUMBER for kind in SignalKind},
    "promote": COUNT,
    "standbys": COUNT,
    "standbys_ready": COUNT,
    "standbys_wanted": COUNT,
    "standby_held": word(Reason),
    "short_of": described(TEXT, "what one more clone lacks"),
    "short_needed": COUNT,
    "short_used": COUNT,
    "short_limit": COUNT,
    "short_domain": TEXT,
    "short_resting": COUNT,
}
_WHY = {"why": described(TEXT, "the decision in one sentence")}
_SIZES: Mapping[str, Form] = {
    "wants": described(maybe(COUNT), "clones that the load calls for"),
    "can": described(COUNT, "clones that limits allow"),
    "has": described(COUNT, "clones that run"),
    "coming": COUNT,
    "blocked_by": described(
        maybe(word(Reason, Mode.OBSERVE.value)),
        "what keeps the group from what it wants; null: nothing",
    ),
}
_TOLD = {"told": described(TEXT, "the same in words")}
_SAID = maybe(table({"mode": word(Mode), "user": maybe(TEXT), "age_s": maybe(SECONDS)}))
_FLIP = table(
    {
        "aim": described(word(Outcome), "which action the group is nearest to"),
        "lacks": described(SENTENCES, "all that is missing; none: it acts"),
        **_TOLD,
    }
)
_SIDE = word(Outcome, "all")
_ACTION: Mapping[str, Form] = {
    "id": COUNT,
    "what": TEXT,
    "reason": word(Reason),
    "age_s": maybe(SECONDS),
}
_STREAM = table({"host": TEXT, "domain": TEXT, "up": TRUTH, "age_s": NUMBER})
_MEMBER: Mapping[str, Form] = {
    "name": TEXT,
    "class": maybe(word(MemberClass)),
    "usage_percent": maybe(PERCENT),
}
_SERVER = table({"duty": word(Duty), "health": word(Health), "sessions": COUNT})
_REQUESTS = table({"in_flight": COUNT, "queued": COUNT, "queue_ms": maybe(NUMBER)})

_STATUS_GROUP = table(
    {
        "group": GROUP,
        "mode": word(Mode),
        "min_clones": COUNT,
        "max_clones": COUNT,
        "members": many(table({**_MEMBER, "server": maybe(_SERVER)})),
        "decision": maybe(
            table(
                {**_NUMBERS, **_WHY, "age_s": NUMBER, "numbers_age_s": NUMBER},
                _SOMETIMES,
            )
        ),
        "actions": many(table(_ACTION)),
        "cooldown_up_left_s": SECONDS,
        "cooldown_down_left_s": SECONDS,
        "backoffs_left_s": {"type": "object", "additionalProperties": dict(SECONDS)},
        "foreign": SENTENCES,
        "sizes": maybe(table(_SIZES)),
        "said": _SAID,
        "requests": maybe(_REQUESTS),
    }
)
_STRANDED = table(
    {"host": TEXT, "name": TEXT, "command": maybe(TEXT), "age_s": maybe(NUMBER)}
)
_TOP_GROUP = table(
    {
        "group": GROUP,
        "mode": word(Mode),
        "said": _SAID,
        "need": described(
            {"type": "integer", "minimum": 0, "maximum": 3},
            "how much it needs a person: 0 not, 1 notice, 2 warning, 3 alarm",
        ),
        "needs": described(SENTENCES, "for what, the most urgent first"),
        "decision": maybe(table({**_NUMBERS, **_WHY, "age_s": SECONDS}, _SOMETIMES)),
        "flip": maybe(_FLIP),
        "sizes": maybe(table({**_SIZES, **_TOLD})),
        "guards": many(
            table(
                {
                    "name": word(Kind),
                    "of": _SIDE,
                    "verdict": {"const": "holds"},
                    "value": maybe(NUMBER),
                    "limit": maybe(NUMBER),
                    "left_s": maybe(SECONDS),
                    "says": TEXT,
                    "age_s": described(SECONDS, "at least"),
                }
            )
        ),
        "members": many(table(_MEMBER)),
        "load_percent": maybe(PERCENT),
        "thresholds": table({"up": PERCENT, "down": PERCENT}),
        "actions": many(table(_ACTION)),
        "hour_percent": described(
            many(maybe(PERCENT)), "mean usage of the last hour's minutes, oldest first"
        ),
    }
)
_MORTEM_LINE: Mapping[str, Form] = {
    "host": TEXT,
    "group": GROUP,
    "name": TEXT,
    "at": INSTANT,
    "why": TEXT,
    "decision_id": maybe(DECISION_ID),
}

SCHEMAS: Mapping[str, Form] = {
    "status": table(
        {
            "daemon": table({"running": TRUTH, "pid": maybe(COUNT)}),
            "groups": many(_STATUS_GROUP),
            "stranded": many(_STRANDED),
            "streams": many(_STREAM),
        }
    ),
    "group": _STATUS_GROUP,
    "top": table(
        {
            "at": {"type": "string", "format": "date-time"},
            "fleet": table(
                {
                    "hosts": COUNT,
                    "groups": COUNT,
                    "members": COUNT,
                    "clones": COUNT,
                    "mode": described(
                        maybe(word(Mode)), "the operator's word for all groups"
                    ),
                    "streams": many(_STREAM),
                    "need": {"type": "integer", "minimum": 0, "maximum": 3},
                    "needs": SENTENCES,
                }
            ),
            "groups": described(
                many(_TOP_GROUP), "those that need a person most come first"
            ),
        }
    ),
    "explain": table(
        {
            "group": GROUP,
            "source": {"enum": ["daemon", "state"]},
            "post_mortems": SENTENCES,
            "at": INSTANT,
            "decision": table({**_NUMBERS, **_WHY}, _SOMETIMES),
            "sizes": table({**_SIZES, **_TOLD}),
            "flip": _FLIP,
            "members": many(
                table(
                    {
                        **_MEMBER,
                        "class": word(MemberClass),
                        "age_s": described(maybe(SECONDS), "of its usage"),
                    }
                )
            ),
            "guards": many(
                table(
                    {
                        "guard": word(Kind),
                        "of": _SIDE,
                        "holds": TRUTH,
                        "value": maybe(NUMBER),
                        "limit": maybe(NUMBER),
                        "left_s": maybe(SECONDS),
                        "note": maybe(TEXT),
                    }
                )
            ),
        }
    ),
    "history": many(
        table(
            {
                "at": INSTANT,
                "kind": {"enum": ["action", "decision", "request", "death"]},
                "group": described(maybe(TEXT), "HOST/NAME; null: all, or none"),
                "who": described(TEXT, "rule, rollout, or the operator's name"),
                "what": TEXT,
                "why": TEXT,
                "took_s": maybe(SECONDS),
                "outcome": maybe(TEXT),
                "decision_id": maybe(DECISION_ID),
            }
        )
    ),
    "post-mortems": many(table(_MORTEM_LINE)),
    "post-mortem": table(
        {
            **_MORTEM_LINE,
            "failure": maybe(TEXT),
            "usage_percent": maybe(NUMBER),
            "stats": maybe({"type": "object"}),
            "info": maybe({"type": "object"}),
            "console": many(table({"at": INSTANT, "text": TEXT})),
        }
    ),
    "done": table({"done": TRUTH, "said": SENTENCES}),
    "error": table({"error": described(TEXT, "one sentence")}),
}


def write_schema(name: str) -> str:
    """Return the schema of this *name* as its file has it."""
    head = {"$schema": DRAFT, "title": f"What the autoscaler tells: {name}"}
    return f"{json.dumps({**head, **SCHEMAS[name]}, indent=2)}\n"


def main() -> None:
    """Write all schemas into the directory that is named."""
    for name in SCHEMAS:
        Path(sys.argv[1], f"{name}.schema.json").write_text(write_schema(name))


if __name__ == "__main__":
    main()
