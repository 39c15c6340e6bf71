"""Questions to whoever sits at the terminal.

Laws: what an option has said is never asked; where nobody sits nothing is
asked; an answer that can't be used is asked for again, with one sentence.
"""

from collections.abc import Callable
from typing import TypeVar

from attrs import evolve, frozen

from albatross_client.errors import CertificateError
from albatross_client.texts import clean
from autoscaler.cli.output import complain

T = TypeVar("T")


class UnsettledError(Exception):
    """Something is missing or can't be used; the text is for the operator."""


@frozen
class Question:
    """Something that has to be known.

    Attributes:
        option: What says it on the command line.
        words: What a person is asked.
        default: What no answer means; None: an answer is needed.
    """

    option: str
    words: str
    default: str | None = None


@frozen
class Asker:
    """Asks, if somebody is there.

    What an option says and what is guessed is read like an answer.

    Attributes:
        line: Shows a prompt and returns the line that was typed, raises
            EOFError at the end of input; None: nobody is there.
    """

    line: Callable[[str], str] | None = None

    def settle(
        self, question: Question, given: str | None, read: Callable[[str], T]
    ) -> T:
        """Return what *read* makes of what was *given*, or else answered.

        Arguments:
            question: What has to be known.
            given: What the option has said; None: nothing.
            read: Returns its value; raises ValueError or CertificateError with
                a sentence.

        Raises:
            UnsettledError: What was given can't be used, or nobody answers.
        """
        if given is None and self.line is None:
            given = question.default
        if given is not None:
            return _read_given(question, given, read)
        while True:
            try:
                return read(self._answer(question))
            except (ValueError, CertificateError) as error:
                complain(str(error))

    def guess(self, question: Question, guess: str, read: Callable[[str], T]) -> T:
        """Return what *read* makes of a *guess*, which is told; else ask.

        Raises:
            UnsettledError: It can't be used, and nobody answers.
        """
        if self.line is None:
            return _read_given(question, guess, read)
        try:
            found = read(guess)
        except (ValueError, CertificateError) as error:
            complain(str(error))
            return self.settle(evolve(question, default=guess), None, read)
        print(f"{question.words}: {clean(guess)}")
        return found

    def _answer(self, question: Question) -> str:
        if self.line is None:
            msg = f"{question.option} is missing"
            raise UnsettledError(msg)
        default = question.default
        prompt = question.words if default is None else f"{question.words} [{default}]"
        while True:
            try:
                answer = self.line(f"{prompt}: ").strip()
            except KeyboardInterrupt:
                print()
                raise
            except EOFError as error:
                print()
                msg = "no answer: nothing was written"
                raise UnsettledError(msg) from error
            if answer or default is not None:
                return answer or default or ""
            complain("an answer is needed here; Ctrl-C ends it")


def _read_given(question: Question, given: str, read: Callable[[str], T]) -> T:
    try:
        return read(given)
    except (ValueError, CertificateError) as error:
        msg = f"{question.option}: {error}"
        raise UnsettledError(msg) from error
