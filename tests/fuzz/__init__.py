"""What outsiders can send, thrown at what reads it: ``make fuzz``.

`targets` says what has to hold of any octets, `seeds` what to begin with,
`one` runs a target under atheris, `__main__` runs them all for a while.
"""
