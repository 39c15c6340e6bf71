"""The vectors: messages encoded and read again by a real host."""

import json
from pathlib import Path

from albatross_client.framing import FrameReader

FOLDER = Path(__file__).parent.parent / "vectors"
VECTORS = json.loads((FOLDER / "vectors.json").read_text("utf-8"))
STREAM = (FOLDER / "stats_stream.bin").read_bytes()
# Frame 0 says "subscribed"; 40 ticks of four unikernels follow.
FRAMES = tuple(FrameReader(1 << 20).feed(STREAM))


def of_kind(*kinds):
    """Return the octets and the meaning of every vector of *kinds*, by name."""
    return {
        vector["name"]: (bytes.fromhex(vector["der_hex"]), vector["meaning"])
        for vector in VECTORS
        if vector["kind"] in kinds
    }
