"""Backends to show."""

from autoscaler.core.backend import Backend, Duty, Health, Server


def backend_of(*servers):
    return Backend(at=1.0, servers={server.name: server for server in servers})


def server_of(label, duty=Duty.READY, health=Health.PASSED, sessions=0):
    return Server(
        name=label,
        address="127.0.0.1",
        port=80,
        duty=duty,
        health=health,
        sessions=sessions,
    )
