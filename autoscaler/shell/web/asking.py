"""What programs say in a query or a body: read strictly, refused in a sentence.

Law: pure.
"""

import json
from collections.abc import Collection, Iterable

from albatross_client.texts import clean
from autoscaler.shell.configuration.problems import unknown
from autoscaler.shell.operators.requests import MOST_DIGITS, RequestError

MOST_COUNT = int("9" * MOST_DIGITS)


def read_words(
    pairs: Iterable[tuple[str, str]], known: Collection[str]
) -> dict[str, str]:
    """Return the words of a query, of those that are *known*.

    Raises:
        RequestError: It says something else, or something twice.
    """
    words: dict[str, str] = {}
    for word, value in pairs:
        _check_known(word, known, "query")
        if word in words:
            msg = f"{word} may be said once"
            raise RequestError(msg)
        words[word] = value
    return words


def read_numbers(body: bytes, needed: Collection[str]) -> dict[str, str]:
    """Return the numbers that *body* says, as words.

    Raises:
        RequestError: It is no JSON object of whole numbers, or not of those
            that are *needed*.
    """
    example = json.dumps(dict.fromkeys(needed, 3))
    try:
        found = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as error:
        msg = f"the body must be a JSON object such as {example}"
        raise RequestError(msg) from error
    if not isinstance(found, dict):
        msg = f"the body must be a JSON object such as {example}"
        raise RequestError(msg)
    for name, value in found.items():
        _check_known(name, needed, "body")
        if not _is_count(value):
            msg = f"{name} must be a whole number such as 3"
            raise RequestError(msg)
    for name in needed:
        if name not in found:
            msg = f"{name} is missing; the body must be such as {example}"
            raise RequestError(msg)
    return {name: str(value) for name, value in found.items()}


def _is_count(value: object) -> bool:
    # True is an int to Python, but no number to anybody.
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return 0 <= value <= MOST_COUNT


def _check_known(word: str, known: Collection[str], where: str) -> None:
    if word in known:
        return
    shown = clean(word, 40)
    if not known:
        msg = f"{shown!r}: this takes no words in its {where}"
        raise RequestError(msg)
    msg = f"{shown!r} in the {where}: {unknown('word', shown, known)}"
    raise RequestError(msg)
