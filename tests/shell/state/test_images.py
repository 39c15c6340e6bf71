import hashlib
import os

import pytest

from autoscaler.shell.log import Log
from autoscaler.shell.state.images import ImageFiles, ImagesInMemory

IMAGE = b"\x7fELF" + bytes(5000)
DIGEST = hashlib.sha256(IMAGE).digest()


def other(number):
    image = b"\x7fELF" + bytes([number]) * 1000
    return hashlib.sha256(image).digest(), image


@pytest.fixture
def lines():
    return []


@pytest.fixture
def log(lines):
    return Log(lambda level, name, fields: lines.append((level, name, dict(fields))))


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "images"


@pytest.fixture(params=["files", "memory"])
def images(request, directory, log):
    return ImageFiles(directory, log) if request.param == "files" else ImagesInMemory()


async def test_what_was_never_put_is_not_there(images):
    assert await images.get(DIGEST) is None


async def test_an_image_comes_back_as_it_was(images):
    await images.put(DIGEST, IMAGE)
    await images.put(*other(1))

    assert await images.get(DIGEST) == IMAGE


async def test_an_image_that_does_not_fit_its_digest_is_not_given_out(images):
    await images.put(DIGEST, IMAGE[:-1])

    assert await images.get(DIGEST) is None
    await images.put(DIGEST, IMAGE)
    assert await images.get(DIGEST) == IMAGE


async def test_a_damaged_file_is_removed_and_said(directory, log, lines):
    images = ImageFiles(directory, log)
    await images.put(DIGEST, IMAGE)
    file = directory / DIGEST.hex()
    file.write_bytes(b"rubbish")

    assert await images.get(DIGEST) is None
    assert not file.exists()
    assert lines == [("warning", "image_damaged", {"file": str(file)})]


async def test_images_outlive_the_process(directory, log):
    await ImageFiles(directory, log).put(DIGEST, IMAGE)

    assert await ImageFiles(directory, log).get(DIGEST) == IMAGE
    assert [path.name for path in directory.iterdir()] == [DIGEST.hex()]


async def test_nobody_else_may_read_the_images(directory, log):
    await ImageFiles(directory, log).put(DIGEST, IMAGE)

    assert directory.stat().st_mode & 0o077 == 0
    assert (directory / DIGEST.hex()).stat().st_mode & 0o077 == 0


async def test_the_images_used_last_are_kept(directory, log):
    images = ImageFiles(directory, log, most_bytes=3 * 1004)
    for number in range(3):
        digest, image = other(number)
        await images.put(digest, image)
        os.utime(directory / digest.hex(), (number, number))
    await images.get(other(0)[0])

    await images.put(*other(3))

    kept = {path.name for path in directory.iterdir()}
    assert kept == {other(number)[0].hex() for number in (0, 2, 3)}


async def test_the_newest_image_is_kept_however_large_it_is(directory, log):
    images = ImageFiles(directory, log, most_bytes=10)
    await images.put(*other(1))

    await images.put(DIGEST, IMAGE)

    assert await images.get(DIGEST) == IMAGE
    assert await images.get(other(1)[0]) is None


async def test_what_a_crash_left_unfinished_goes(directory, log):
    directory.mkdir()
    unfinished = directory / "tmp123.unfinished"
    unfinished.write_bytes(b"half")

    await ImageFiles(directory, log).put(DIGEST, IMAGE)

    assert not unfinished.exists()


async def test_a_disk_that_refuses_is_said_and_no_failure(directory, log, lines):
    directory.write_text("a file in the way")

    await ImageFiles(directory, log).put(DIGEST, IMAGE)

    [(level, name, fields)] = lines
    assert (level, name) == ("warning", "image_not_kept")
    assert str(directory) in fields["error"]


async def test_a_write_that_fails_half_way_leaves_nothing(directory, log, lines):
    (directory / DIGEST.hex()).mkdir(parents=True)

    await ImageFiles(directory, log).put(DIGEST, IMAGE)

    assert [path.name for path in directory.iterdir()] == [DIGEST.hex()]
    assert [name for _, name, _ in lines] == ["image_not_kept"]
