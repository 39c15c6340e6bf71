"""A unikernel that serves HTTP: the child process behind it, part by part.

All of this is imported by an interpreter without site packages that has to be
up within a few milliseconds: it knows nothing but a handful of built-in
modules and itself.

``request turns``
    What was asked, and whose request the one CPU works at: pure.
``member``
    The process: sockets, and CPU that is burned for every request.
"""
