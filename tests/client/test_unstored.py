"""Keys reach OpenSSL without reaching a disk."""

from pathlib import Path

import pytest

from albatross_client import tls
from albatross_client.certificates import Authority
from albatross_client.commands import UnikernelInfo
from albatross_client.minting import Ask, mint
from albatross_client.names import ROOT
from albatross_client.unstored import (
    in_memory_file,
    in_pipe,
    in_private_file,
    unstored,
)
from tests.client.pki import TODAY, root

WAYS = [
    pytest.param(way, id=way.__name__)
    for way in (unstored, in_memory_file, in_pipe, in_private_file)
]


def open_descriptors():
    # Listing them opens one more, which is gone when it is looked at.
    return {each.name for each in Path("/proc/self/fd").iterdir() if _target(each)}


def _target(descriptor):
    try:
        return descriptor.readlink()
    except OSError:
        return None


@pytest.mark.parametrize("way", WAYS)
def test_what_is_lent_can_be_read_and_is_gone_after(way):
    before = open_descriptors()

    with way(b"secret") as path:
        content = Path(path).read_bytes()

    assert content == b"secret"
    assert open_descriptors() == before


@pytest.mark.parametrize("way", [way for way in WAYS if way.id != "in_private_file"])
def test_no_file_of_a_disk_is_involved(way, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with way(b"secret") as path:
        lent = str(Path(path).readlink())
        held = list(tmp_path.rglob("*"))

    assert lent.startswith(("/memfd:", "pipe:"))
    assert held == []


def test_the_last_resort_is_for_the_owner_alone_and_unlinked(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with in_private_file(b"secret") as path:
        mode = Path(path).stat().st_mode & 0o777
        around = Path(path).parent.stat().st_mode & 0o777

    assert (mode, around) == (0o600, 0o700)
    assert list(tmp_path.iterdir()) == []


def test_more_than_a_pipe_takes_is_an_error_and_no_deadlock():
    before = open_descriptors()

    with pytest.raises(BlockingIOError), in_pipe(bytes(1 << 21)):
        pass

    assert open_descriptors() == before


@pytest.mark.parametrize("way", WAYS)
def test_a_context_can_be_made_in_every_way(way, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(tls, "unstored", way)
    ca = root()
    authority = Authority((ca.certificate,), ca.key, (), tmp_path / "ca.pem")

    context = tls.client_context(
        mint(authority, Ask(ROOT, UnikernelInfo()), TODAY), ca.certificate
    )

    assert context.cert_store_stats()["x509_ca"] == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("lacking", "expected"),
    [
        pytest.param(("_has_memory_files",), "pipe:", id="no memfd"),
        pytest.param(("_has_memory_files", "_has_descriptor_paths"), "/", id="neither"),
    ],
)
def test_the_next_best_way_is_taken_where_one_lacks(monkeypatch, lacking, expected):
    for probe in lacking:
        monkeypatch.setattr(f"albatross_client.unstored.{probe}", lambda: False)

    with unstored(b"secret") as path:
        lent = str(Path(path).resolve())
        content = Path(path).read_bytes()

    assert content == b"secret"
    assert expected in lent
