"""A daemon that holds connections may have all the descriptors there are."""

import resource
import subprocess
import sys

from autoscaler.shell.descriptors import most_descriptors

# In a process of its own: a limit that is lowered stays so.
PROGRAM = """
import resource
from autoscaler.shell.descriptors import allow_most_descriptors, most_descriptors
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 512))
allow_most_descriptors()
print(resource.getrlimit(resource.RLIMIT_NOFILE), most_descriptors())
"""


def test_a_process_uses_all_that_it_may_have():
    command = (sys.executable, "-c", PROGRAM)
    said = subprocess.check_output(command, text=True)  # noqa: S603 - ours

    assert said == "(512, 512) 512\n"


def test_what_has_no_limit_has_none():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)

    expected = None if most == resource.RLIM_INFINITY else most
    assert most_descriptors() == expected
