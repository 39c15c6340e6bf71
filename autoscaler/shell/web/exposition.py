"""The text in which metrics are told; pure.

Prometheus' exposition format 0.0.4: a HELP and a TYPE line for each family,
then its samples, one a line.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from attrs import field, frozen

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Kind = Literal["counter", "gauge", "histogram"]
Labels = Mapping[str, str]


@frozen
class Family:
    """Metrics of one name.

    Attributes:
        name: Without our prefix.
        kind: What they are.
        meaning: One sentence.
    """

    name: str
    kind: Kind
    meaning: str
    full_name: str = field(init=False)

    @full_name.default
    def _full(self) -> str:
        return f"autoscaler_{self.name}"

    @property
    def head(self) -> str:
        """The lines before its samples."""
        meaning = self.meaning.replace("\\", r"\\").replace("\n", r"\n")
        return (
            f"# HELP {self.full_name} {meaning}\n# TYPE {self.full_name} {self.kind}\n"
        )

    def line(self, labels: str, value: float) -> str:
        """Return the line of one sample, *labels* as `braced` returns them."""
        return f"{self.full_name}{labels} {number(value)}\n"

    def buckets(
        self,
        labels: Labels,
        bounds: Sequence[float],
        counts: Sequence[int],
        total: float,
    ) -> Iterator[str]:
        """Yield the lines of one histogram.

        Arguments:
            labels: Its labels.
            bounds: Upper ends of its buckets, the last one is endless.
            counts: How many are in each of them.
            total: The sum of all that is in them.
        """
        below = 0
        for bound, count in zip((*bounds, math.inf), counts, strict=True):
            below += count
            within = braced({**labels, "le": number(bound)})
            yield f"{self.full_name}_bucket{within} {below}\n"
        yield f"{self.full_name}_sum{braced(labels)} {number(total)}\n"
        yield f"{self.full_name}_count{braced(labels)} {below}\n"


def braced(labels: Labels) -> str:
    """Return *labels* as they stand behind a name."""
    said = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{said}}}"


def number(value: float) -> str:
    """Return *value* as a sample's."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    return str(int(value)) if value == int(value) else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
