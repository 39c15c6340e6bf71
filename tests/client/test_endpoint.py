"""What is known of a host before it is asked."""

import pytest

from albatross_client.certificates import load_authority
from tests.client.pki import domain_ca, write


@pytest.mark.parametrize("told", [False, True], ids=["without root", "with root"])
def test_the_dates_of_what_the_server_comes_from_count_once(
    tmp_path, endpoint, ca, told
):
    """Without it nothing works either, and who has a domain may not send it."""
    domain = domain_ca("user", ca)
    write(tmp_path, domain, *((ca,) if told else ()))
    authority = load_authority(tmp_path / "ca.pem", tmp_path / "ca.key")

    dates = endpoint(1025, authority=authority).validity

    assert [each.subject for each in dates] == ["CN=user", "CN=ca"]
