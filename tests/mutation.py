"""Messages broken at random: decoders refuse or read them, but survive."""

import random
from collections.abc import Iterator, Sequence

# Tags, lengths and signs at the edges of the grammar
_TELLING = bytes(
    [0x00, 0x01, 0x02, 0x04, 0x05, 0x0C, 0x18, 0x30, 0x31, 0x7F, 0x80, 0x81, 0x82, 0x84]
) + bytes([0x1F, 0x3F, 0x40, 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xBF, 0xFE, 0xFF])
_LONGEST_CUT = 12


def mutations(seeds: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Yield *seeds*, each broken in one to three places, for ever."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    while True:
        octets = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            _mutate(octets, chance)
        yield bytes(octets)


def _mutate(octets: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(octets) + 1)
    match chance.randrange(5):
        case 0:
            octets[at : at + 1] = bytes([chance.choice(_TELLING)])
        case 1:
            octets[at : at + 1] = chance.randbytes(1)
        case 2:
            del octets[at : at + chance.randint(1, _LONGEST_CUT)]
        case 3:
            octets[at:at] = chance.randbytes(chance.randint(1, _LONGEST_CUT))
        case _:
            octets[at:at] = octets[at : at + chance.randint(1, _LONGEST_CUT)]
