"""What a Solo5 image says of itself: for which processor and tender it is.

Laws: whatever the bytes are, the only error is `ImageError`; nothing is read
beyond what the image's own tables name, and these are bounded first.
"""

import enum


class Architecture(enum.Enum):
    """Which processors run an image."""

    X86_64 = "x86_64"
    AARCH64 = "aarch64"
    PPC64LE = "ppc64le"
