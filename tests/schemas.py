"""Holds values to the schemas that are committed."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator

DIRECTORY = Path(__file__).parents[1] / "config" / "schema"
VALIDATORS = {
    path.name.removesuffix(".schema.json"): Draft202012Validator(
        json.loads(path.read_text()), format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    for path in DIRECTORY.iterdir()
}


def hold(name, value):
    """Raise what is wrong with *value* by the schema of this *name*."""
    VALIDATORS[name].validate(value)


def is_refused(name, value):
    return not VALIDATORS[name].is_valid(value)
