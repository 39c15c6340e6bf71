"""albatrossctl decode and encode, as a shell sees them."""

import json
import subprocess
import sys
from io import BytesIO, TextIOWrapper

import pytest
from attrs import frozen

from albatross_client.cli import main
from albatross_client.framing import frame
from tests.client.vectors import FOLDER, FRAMES, of_kind

WIRES = of_kind("wire")
EXTENSIONS = of_kind("cert-extension")


@frozen
class Ended:
    """How a command ended, and what it said."""

    returncode: int
    stdout: bytes
    stderr: bytes


@pytest.fixture
def albatrossctl(monkeypatch, capsysbinary):
    """Run it with *said*, bytes, a stream or None, as standard input."""

    def run(*arguments, said=b""):
        stream = BytesIO(said) if isinstance(said, bytes) else said
        stdin = None if stream is None else TextIOWrapper(stream)
        monkeypatch.setattr(sys, "stdin", stdin)
        returncode = main([str(argument) for argument in arguments])
        return Ended(returncode, *capsysbinary.readouterr())

    return run


def is_one_line(octets):
    return octets.endswith(b"\n") and octets.count(b"\n") == 1


@pytest.mark.parametrize(
    ("kind", "vector"),
    [
        ("wire", WIRES["command-unikernel-create-blocks"]),
        ("wire", WIRES["data-console-utf8"]),
        ("cert-extension", EXTENSIONS["ext-policy-add-large"]),
    ],
    ids=["wire", "wire-of-utf8", "cert-extension"],
)
def test_a_message_is_decoded_and_encoded(albatrossctl, kind, vector):
    octets, meaning = vector

    decoded = albatrossctl("decode", "--kind", kind, said=octets.hex().encode())
    encoded = albatrossctl("encode", "--kind", kind, said=decoded.stdout)

    assert (decoded.returncode, encoded.returncode) == (0, 0)
    assert is_one_line(decoded.stdout)
    assert json.loads(decoded.stdout) == meaning
    assert encoded.stdout == octets.hex().encode() + b"\n"
    assert decoded.stderr + encoded.stderr == b""


def test_whitespace_between_digits_is_read_over(albatrossctl):
    octets, meaning = WIRES["header-root"]
    digits = "\n\t" + octets.hex(" ").upper() + " \r\n\n"

    decoded = albatrossctl("decode", said=digits.encode())

    assert json.loads(decoded.stdout) == meaning


ROOT = WIRES["header-root"][0].hex().encode()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        pytest.param("decode", b"", id="nothing"),
        pytest.param("decode", ROOT[:-1], id="odd-digits"),
        pytest.param("decode", ROOT[:-2], id="cut-off"),
        pytest.param("decode", ROOT + b"00", id="trailing-byte"),
        pytest.param("decode", b"hello", id="no-digits"),
        pytest.param("decode", b"\xff\xfe\x00", id="octets-for-digits"),
        pytest.param("decode", "٣٠".encode(), id="digits-of-another-script"),
        pytest.param("encode", b"", id="no-json"),
        pytest.param("encode", b"{", id="half-an-object"),
        pytest.param("encode", b"{}", id="empty-object"),
        pytest.param("encode", b'"\xff"', id="no-utf-8"),
        pytest.param("encode", b"\xef\xbb\xbf{}", id="byte-order-mark"),
        pytest.param("encode", b"[" * 100_000, id="deep"),
        pytest.param("encode", b"[" * 100_000 + b"]" * 100_000, id="deep-and-closed"),
        pytest.param("encode", b"9" * 10_000, id="long-number"),
        pytest.param("encode", b'{"header": NaN, "payload": 1}', id="not-a-number"),
        pytest.param("encode", b'{"a": 1, "a": 1}', id="twice-the-same-name"),
        pytest.param(
            "encode",
            json.dumps(WIRES["command-block-dump-0"][1])
            .replace('"dump": ', '"dump": 9999999999999999999')
            .encode(),
            id="number-beyond-63-bits",
        ),
    ],
)
def test_an_invalid_input_is_one_line_on_standard_error(albatrossctl, command, said):
    done = albatrossctl(command, said=said)

    assert done.returncode == 1
    assert done.stdout == b""
    assert is_one_line(done.stderr)


def test_a_command_is_no_message(albatrossctl):
    octets, _ = EXTENSIONS["ext-unikernel-info"]

    done = albatrossctl("decode", "--kind", "wire", said=octets.hex().encode())

    assert done.returncode == 1
    assert is_one_line(done.stderr)


@pytest.mark.parametrize("command", ["decode", "encode"])
def test_a_closed_standard_input_is_one_line_on_standard_error(albatrossctl, command):
    done = albatrossctl(command, said=None)

    said = b"albatrossctl: standard input is empty, or closed\n"
    assert (done.returncode, done.stderr) == (1, said)


class Unreadable(BytesIO):
    def read(self, _size=-1):
        raise OSError(5, "Input/output error")


def test_an_unreadable_standard_input_is_one_line_on_standard_error(albatrossctl):
    done = albatrossctl("decode", said=Unreadable())

    assert done.returncode == 1
    assert b"can't be read" in done.stderr


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    many = tmp_path / "frames"
    many.write_bytes(b"".join(map(frame, FRAMES)) * 5)
    program = "import sys; from albatross_client.cli import main; sys.exit(main())"

    done = subprocess.run(  # noqa: S603 - our own interpreter
        [
            *("/bin/sh", "-c", '"$@" | head -n 1', "sh"),
            *(sys.executable, "-c", program, "decode", "--frames", str(many)),
        ],
        capture_output=True,
        check=False,
    )

    assert is_one_line(done.stdout)
    assert done.stderr == b""


def test_the_frames_of_a_file_are_one_line_each(albatrossctl):
    done = albatrossctl("decode", "--frames", FOLDER / "stats_stream.bin")

    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert done.stderr == b""
    assert len(lines) == 161
    assert json.loads(lines[0])["payload"] == {"success": {"string": "subscribed"}}


GOOD, MEANING = WIRES["header-root"]


@pytest.mark.parametrize(
    ("octets", "good", "said"),
    [
        pytest.param(b"", 0, [], id="empty-file"),
        pytest.param(
            frame(GOOD) + frame(b"\x30") + frame(GOOD),
            2,
            ["frame 1 at offset 32:"],
            id="bad-frame",
        ),
        pytest.param(
            frame(b"x") + frame(b"") + frame(GOOD),
            1,
            ["frame 0 at offset 0:", "frame 1 at offset 5:"],
            id="two-bad-frames",
        ),
        pytest.param(
            frame(GOOD) + b"\x00\x00",
            1,
            ["frame 1 at offset 32: the file ends within it"],
            id="length-cut-off",
        ),
        pytest.param(
            frame(GOOD) + frame(GOOD)[:-1],
            1,
            ["frame 1 at offset 32: the file ends within it"],
            id="body-cut-off",
        ),
        pytest.param(
            frame(GOOD) + b"\xff\xff\xff\xff" + frame(GOOD),
            1,
            ["frame 1 at offset 32: a frame of 4294967295 bytes"],
            id="length-too-big",
        ),
        pytest.param(
            frame(b"x") + b"\xff\xff\xff\xff",
            0,
            ["frame 0 at offset 0:", "frame 1 at offset 5: a frame of 4294967295"],
            id="bad-frame-and-length",
        ),
    ],
)
def test_bad_frames_are_named_and_good_ones_printed(
    albatrossctl, tmp_path, octets, good, said
):
    file = tmp_path / "frames"
    file.write_bytes(octets)

    done = albatrossctl("decode", "--frames", file)

    errors = done.stderr.decode().splitlines()
    assert [json.loads(line) for line in done.stdout.splitlines()] == [MEANING] * good
    assert len(errors) == len(said)
    for error, beginning in zip(errors, said, strict=True):
        assert beginning in error
    assert done.returncode == (1 if said else 0)


def test_a_file_that_cannot_be_read_is_one_line_on_standard_error(
    albatrossctl, tmp_path
):
    for path in (tmp_path, tmp_path / "nowhere"):
        done = albatrossctl("decode", "--frames", path)

        assert done.returncode == 1
        assert is_one_line(done.stderr)


def test_frames_are_never_extensions(albatrossctl):
    file = FOLDER / "stats_stream.bin"

    done = albatrossctl("decode", "--frames", file, "--kind", "cert-extension")

    assert done.returncode == 1
    assert is_one_line(done.stderr)
