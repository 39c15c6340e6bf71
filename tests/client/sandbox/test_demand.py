"""Demands: step functions of cores over seconds."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albatross_client.names import Name
from albatross_client.sandbox.demand import Demand, Load, primary_of

STEPS = Demand(((0.0, 0.5), (10.0, 2.0), (20.0, 0.0)))


@pytest.mark.parametrize(
    ("second", "cores"),
    [(-5, 0.5), (0, 0.5), (9.99, 0.5), (10, 2.0), (19.9, 2.0), (20, 0), (1e9, 0)],
)
def test_a_step_holds_until_the_next(second, cores):
    assert STEPS.cores(second) == cores


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("2.5", ((0.0, 2.5),)),
        ("0:0.3,60:2.5", ((0.0, 0.3), (60.0, 2.5))),
        ("5:1", ((5.0, 1.0),)),
    ],
    ids=["constant", "steps", "one step"],
)
def test_a_demand_is_read_from_a_text(text, steps):
    assert Demand.parse(text).steps == steps


@pytest.mark.parametrize(
    ("second", "cores"),
    [(0, 2.0), (9, 2.0), (10, 0.5), (30, 2.0), (40, 0.5), (99, 0.5)],
)
def test_pieces_are_repeated_and_the_last_one_stays(second, cores):
    demand = Demand.repeated([(10, 2.0), (20, 0.5)], times=2)

    assert demand.cores(second) == cores


@pytest.mark.parametrize(
    "text",
    ["", "x", "1:", "0:1,0:2", "5:1,4:1", "-1", "0:-1", "1,2"],
)
def test_what_is_no_demand_is_refused_with_what_is_allowed(text):
    with pytest.raises(ValueError, match=r"is no demand: cores as 2\.5, steps as"):
        Demand.parse(text)


def test_a_demand_without_steps_is_refused():
    with pytest.raises(ValueError, match="at least one step"):
        Demand(())


@pytest.mark.parametrize("header", ["", "second,cores\n"], ids=["bare", "header"])
def test_a_demand_is_read_from_a_csv(tmp_path, header):
    path = tmp_path / "curve.csv"
    path.write_text(f"{header}0,0.5\n10,2\n20,0\n")

    assert Demand.parse(str(path)) == STEPS


@pytest.mark.parametrize(
    ("content", "line"),
    [("0,1\n1\n", 2), ("0,1\nx,2\n", 2), ("0,1,2\n", 1)],
    ids=["one column", "no number", "three columns"],
)
def test_a_bad_line_of_a_csv_is_named(tmp_path, content, line):
    path = tmp_path / "curve.csv"
    path.write_text(content)

    with pytest.raises(ValueError, match=rf"curve\.csv, line {line}: not second,cores"):
        Demand.read_csv(path)


def test_a_load_is_an_even_share_capped_at_the_members_cpus():
    load = Load(STEPS, since=100.0, members=2, cpus=0.9)

    assert [load.cores(at) for at in (100.0, 110.0, 120.0)] == [0.25, 0.9, 0.0]


def test_what_is_burned_is_the_integral_over_all_steps():
    load = Load(STEPS, since=100.0, members=2, cpus=0.9)

    assert load.burned(95.0, 130.0) == pytest.approx(15 * 0.25 + 10 * 0.9)


@given(st.lists(st.floats(0, 40), min_size=2, max_size=9))
def test_burning_in_pieces_is_burning_at_once(cuts):
    load = Load(STEPS, since=0.0, members=1, cpus=1.0)
    cuts = sorted(cuts)

    pieces = [load.burned(a, b) for a, b in itertools.pairwise(cuts)]

    assert sum(pieces) == pytest.approx(load.burned(cuts[0], cuts[-1]))


@pytest.mark.parametrize(
    ("label", "primary"),
    [
        ("web", "web"),
        ("web-clone-1", "web"),
        ("web-clone-17", "web"),
        ("web-clone-", "web-clone-"),
        ("web-clone-x", "web-clone-x"),
        ("web-clone-1-clone-2", "web-clone-1"),
    ],
)
def test_a_clone_belongs_to_the_primary_in_its_name(label, primary):
    assert primary_of(Name(("user",), label)) == Name(("user",), primary)
