from albatross_client.names import Name
from albatross_client.values import ResourcePolicy
from autoscaler.cli.setting_up.candidates import MOST_PROPOSED, find_candidates
from tests.core.builders import make_info

USER = Name(("user",))
NOW = 1000.0


def policies(**changes):
    limits = {"cpuids": frozenset(range(20)), "unikernels": 20, "memory": 4096}
    return {
        USER: ResourcePolicy(**{"bridges": frozenset({"br0"}), **limits, **changes})
    }


def found(*labels, **changes):
    infos = {Name(("user",), label): make_info(n) for n, label in enumerate(labels)}
    return find_candidates(infos, policies(**changes), NOW)


def test_what_runs_is_offered_in_the_order_of_names_and_clones_are_not():
    offered = found("web", "web-clone-1", "api", "shop-clone-2")

    labels = [each.name.label for each in offered]
    # Of shop-clone-2 there is no primary: it may be one itself.
    assert labels == ["api", "shop-clone-2", "web"]


def test_where_there_is_much_room_some_are_proposed():
    [web] = found("web")

    assert (web.clones, web.limit, web.complaint) == (MOST_PROPOSED, None, None)


def test_clones_that_run_count_as_clones_that_fit():
    [web] = found("web", "web-clone-1", unikernels=3)

    assert web.clones == 2
    assert web.limit is not None


def test_what_has_no_room_for_one_clone_says_why():
    [web] = found("web", unikernels=1)

    assert web.complaint == (
        "a clone needs 1 of unikernels, and 1 of 1 are taken in the policy of user"
    )


def test_a_label_that_leaves_no_room_for_a_number_can_not_be_a_primarys():
    [long] = found("w" * 51)

    assert long.complaint == "its label is longer than 50 characters"


def test_memory_bounds_what_fits():
    [web] = found("web", memory=32 * 4)

    assert web.clones == 3
