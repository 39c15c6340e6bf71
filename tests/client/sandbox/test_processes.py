"""Who burns what, on a machine whose processes are numbers."""

import pytest
from attrs import evolve

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand, Load
from albatross_client.sandbox.host import new_host
from albatross_client.sandbox.live import DEFAULT_ROOT_POLICY
from albatross_client.sandbox.machine import Counters, stats_of
from albatross_client.sandbox.model import ModelMachine
from albatross_client.sandbox.processes import Processes
from albatross_client.sandbox.state import Unikernel, with_unikernel
from albatross_client.values import Config, Interface, Timestamp
from tests.sandbox_fixtures import CLONE, IMAGE, WEB


def a_unikernel(name=WEB, process=1):
    return Unikernel(name, Config(image=IMAGE), b"", Timestamp(0), process)


def host_with(*unikernels):
    host = new_host(DEFAULT_ROOT_POLICY, {})
    for unikernel in unikernels:
        host = with_unikernel(host, unikernel)
    return host


def cpu_us(processes, host, name, now):
    return processes.readings(host, now)[name].rusage.utime.total_us


def test_a_process_that_cannot_be_read_once_stays_silent():
    processes, unikernel = Processes(ModelMachine()), a_unikernel()
    host = host_with(unikernel)
    before = processes.readings(host, 0.0)

    processes.start(host, unikernel, 1.0)

    assert (before, processes.readings(host, 2.0)) == ({}, {})


def test_a_new_process_of_the_same_name_is_heard():
    processes, old = Processes(ModelMachine()), a_unikernel()
    processes.start(host_with(old), old, 0.0)
    processes.silence(old)
    new = evolve(old, process=2)

    processes.stop(host_with(), old, 1.0)
    processes.start(host_with(new), new, 1.0)

    assert list(processes.readings(host_with(new), 2.0)) == [WEB]


def test_counters_of_what_cannot_be_read_do_not_restart():
    processes, unikernel = Processes(ModelMachine()), a_unikernel()

    processes.restart_counters(unikernel, 0.0)

    assert processes.readings(host_with(unikernel), 1.0) == {}


def test_a_group_without_demand_burns_nothing():
    processes, unikernel = Processes(ModelMachine()), a_unikernel()
    host = host_with(unikernel)

    processes.start(host, unikernel, 0.0)
    processes.spread_all(host, 5.0)

    assert cpu_us(processes, host, WEB, 100.0) == 0


def test_a_member_that_joins_takes_its_share_from_then_on():
    processes = Processes(ModelMachine())
    web, clone = a_unikernel(), a_unikernel(CLONE, 2)
    processes.set_demand(host_with(), WEB, Demand.constant(0.8), 0.0)
    processes.start(host_with(web), web, 0.0)

    processes.start(host_with(web, clone), clone, 10.0)

    host = host_with(web, clone)
    readings = processes.readings(host, 20.0)
    total = {name: each.rusage.utime.total_us for name, each in readings.items()}
    system = {name: each.rusage.stime.total_us for name, each in readings.items()}
    assert total[WEB] + system[WEB] == 12_000_000
    assert total[CLONE] + system[CLONE] == 4_000_000


def test_another_group_is_left_alone():
    processes = Processes(ModelMachine())
    web, api = a_unikernel(), a_unikernel(Name(("user",), "api"), 2)
    host = host_with(web, api)
    for unikernel in (web, api):
        processes.start(host, unikernel, 0.0)

    processes.set_demand(host, WEB, Demand.constant(1.0), 0.0)

    assert cpu_us(processes, host, api.name, 10.0) == 0


def test_the_model_lets_be_what_it_does_not_know():
    machine = ModelMachine()
    machine.burn(9, Load(Demand.constant(1.0), 0.0, 1, 1.0), 0.0)
    machine.stop(9)

    assert machine.read(9, 0.0) is None
    assert machine.exits() == ()


def test_closing_the_model_forgets_all():
    machine = ModelMachine()
    machine.start(a_unikernel(), 0.0)

    machine.close()

    assert machine.read(1, 0.0) is None


@pytest.mark.parametrize(
    ("cpu", "told"),
    [(0, 0), (9_999, 0), (10_000, 10_000), (1_234_567, 1_230_000)],
)
def test_a_host_tells_whole_ticks_alone(cpu, told):
    stats = stats_of(a_unikernel(), Counters(cpu_us=cpu))

    rusage = stats.rusage
    assert rusage.utime.total_us + rusage.stime.total_us == told
    assert rusage.utime.total_us % 10_000 == rusage.stime.total_us % 10_000 == 0
    assert stats.kinfo is not None
    assert stats.kinfo.runtime == told


def test_neither_part_of_the_cpu_time_ever_falls():
    parts = [
        stats_of(a_unikernel(), Counters(cpu_us=cpu)).rusage
        for cpu in range(0, 3_000_000, 7_000)
    ]

    users = [part.utime.total_us for part in parts]
    systems = [part.stime.total_us for part in parts]
    assert users == sorted(users)
    assert systems == sorted(systems)
    assert systems[-1] > 0


def test_every_interface_has_counters():
    two = (Interface("service"), Interface("net", "priv"))
    config = Config(image=IMAGE, interfaces=two)
    unikernel = evolve(a_unikernel(), config=config)

    stats = stats_of(unikernel, Counters(cpu_us=1_000_000))

    assert [each.bridge for each in stats.interfaces] == ["service", "priv"]
    assert all(each.input_packets == 1000 for each in stats.interfaces)
