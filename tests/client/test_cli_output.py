"""What is read from files to be sent."""

import random
import tracemalloc
import zlib

from albatross_client.cli.output import read_content

MIB = 1024 * 1024
# What zlib can't make smaller.
IMAGE = random.Random(7).randbytes(8 * MIB)  # noqa: S311 - no secret


def test_an_image_that_is_compressed_is_held_once(tmp_path):
    """An image of 100 MB took 330 MB: itself, the stream, and its pieces."""
    file = tmp_path / "image"
    file.write_bytes(IMAGE)

    tracemalloc.start()
    try:
        stream = read_content(file, 1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert zlib.decompress(stream) == IMAGE
    assert peak < 1.5 * len(stream)
