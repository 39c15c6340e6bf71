"""Visitors of a service: HTTP requests at a rate, or one after another.

``tally``
    How requests ended and how long they took, as values: pure.
``visit crowd``
    One request, and many of them beside each other.
``child embed``
    The same in a process of their own, that disturbs nobody else's loop.
"""
