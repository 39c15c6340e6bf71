"""Seconds of visits."""

from albatross_client.sandbox.visitors.tally import Count, Outcome, Second


def second_of(*answers, failures=0, number=0):
    """Return a second with *answers*, each after so many seconds."""
    count = Count()
    for seconds in answers:
        count.add(Outcome.ANSWERED, seconds, is_retried=False)
    for _ in range(failures):
        count.add(Outcome.SERVER_ERROR, 0.0, is_retried=False)
    return Second(number=number, tally=count.take(), waiting=0)
