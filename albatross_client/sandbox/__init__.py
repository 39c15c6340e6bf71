"""A stand-in Albatross host: the same protocol, for trying things and tests.

From the inside out:

``state host limits unikernels blocks subscriptions``
    The host as a value, and what a request makes of it: pure functions.
``demand faults texts``
    What is asked of groups and what goes wrong, as data: pure too.
``machine model process burner processes``
    What burns CPU: counters that follow a demand, or child processes.
``sites web``
    What a child process serves, where its arguments say so: HTTP whose
    requests burn CPU.
``live outbox``
    The host in time: ticks, events, conversations.
``memory memory_streams``
    The client of a host in the same process, below TLS.
``authority chain alerts tls_server server embed``
    Keys, certificates, TLS 1.3 and the whole of it with one call.
``haproxy visitors``
    What stands before unikernels that serve, and who asks it.

Linux only: processes are read in /proc, and TLS needs an anonymous file.
"""
