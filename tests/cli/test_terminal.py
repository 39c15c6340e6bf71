import pytest

from autoscaler.cli.terminal import speaks_unicode


@pytest.mark.parametrize(
    ("environment", "encoding", "speaks"),
    [
        pytest.param({"LANG": "en_GB.UTF-8"}, "utf-8", True, id="as usual"),
        pytest.param({"LC_ALL": "C.utf8"}, "UTF-8", True, id="written otherwise"),
        pytest.param(
            {"LC_ALL": "", "LC_CTYPE": "fr_FR.UTF-8", "LANG": "C"},
            "utf-8",
            True,
            id="one that is empty is not set",
        ),
        pytest.param(
            {"LC_CTYPE": "C.UTF-8", "LANG": "C"}, "utf-8", False, id="Python has set it"
        ),
        pytest.param({"LC_CTYPE": "C.UTF-8"}, "utf-8", True, id="in an empty locale"),
        pytest.param(
            {"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, "utf-8", False, id="the first one"
        ),
        pytest.param({"LANG": "de_DE.ISO-8859-1"}, "utf-8", False, id="Latin"),
        pytest.param({"LANG": "de_DE.UTF-8"}, "ascii", False, id="written in ASCII"),
        pytest.param({"LANG": "de_DE.UTF-8"}, None, False, id="nobody knows"),
        pytest.param({}, "utf-8", False, id="nothing is set"),
    ],
)
def test_a_terminal_speaks_unicode_where_its_locale_does(environment, encoding, speaks):
    assert speaks_unicode(environment, encoding) is speaks
