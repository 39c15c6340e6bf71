import math

import pytest

from autoscaler.shell.web.exposition import Family, braced, number


def test_a_family_is_introduced_by_two_lines():
    family = Family("stream_up", "gauge", "Up\nor \\ down.")

    assert family.head == (
        "# HELP autoscaler_stream_up Up\\nor \\\\ down.\n"
        "# TYPE autoscaler_stream_up gauge\n"
    )


def test_what_labels_say_can_not_end_them():
    family = Family("x", "gauge", "X.")

    line = family.line(braced({"a": 'b"} 1\nc\\'}), 2)

    assert line == 'autoscaler_x{a="b\\"} 1\\nc\\\\"} 2\n'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "1"),
        (3, "3"),
        (3.0, "3"),
        (0.1, "0.1"),
        (1e-9, "1e-09"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_are_written_as_they_are_read(value, text):
    assert number(value) == text


def test_buckets_of_a_histogram_hold_all_that_is_less():
    family = Family("x", "histogram", "X.")

    lines = list(family.buckets({"kind": "y"}, (0.5, 1), [2, 0, 3], 12.5))

    assert lines == [
        'autoscaler_x_bucket{kind="y",le="0.5"} 2\n',
        'autoscaler_x_bucket{kind="y",le="1"} 2\n',
        'autoscaler_x_bucket{kind="y",le="+Inf"} 5\n',
        'autoscaler_x_sum{kind="y"} 12.5\n',
        'autoscaler_x_count{kind="y"} 5\n',
    ]
