"""Floret's random numbers (src/rng.rs) again, in NumPy: Philox4x32-10, addressed by index.

Logarithm and cosine are float32, as there; the two libraries may differ in the last bit.
"""

import numpy as np

INITIALISATION, DROPOUT, TEST = 0, 3, 7  # streams of src/rng.rs

_LOW = np.uint64(0xFFFF_FFFF)
_MULTIPLIERS = np.uint64(0xD251_1F53), np.uint64(0xCD9E_8D57)
_WEYL = 0x9E37_79B9, 0xBB67_AE85


def philox4x32(counter, key):
    """Four arrays of random words for a counter of four uint64 arrays (32 bits used) and a key of two numbers."""
    c0, c1, c2, c3 = (np.asarray(word, np.uint64) for word in counter)
    k0, k1 = key
    for _ in range(10):
        product_0, product_1 = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (
            (product_1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0),
            product_1 & _LOW,
            (product_0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1),
            product_0 & _LOW,
        )
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFF_FFFF, (k1 + _WEYL[1]) & 0xFFFF_FFFF
    return c0, c1, c2, c3


class Random:
    """The sequence of `seed` for a stream, a substream and a step."""

    def __init__(self, seed, stream, substream, step):
        self.key = seed & 0xFFFF_FFFF, seed >> 32
        self.rest = step, substream, stream

    def words(self, count):
        """The first `count` random words, as uint64."""
        blocks = np.arange((count + 3) // 4, dtype=np.uint64)
        fixed = [np.full_like(blocks, word) for word in self.rest]
        return np.stack(philox4x32([blocks, *fixed], self.key), axis=1).reshape(-1)[:count]

    def uniform(self, count):
        """The first `count` numbers uniform in [0, 1), float32."""
        return (self.words(count) >> np.uint64(8)).astype(np.float32) * np.float32(1 / 16_777_216)

    def normal(self, count):
        """The first `count` standard normal numbers by Box and Muller, float32."""
        first, second = self.uniform(2 * count).reshape(count, 2).T
        radius = np.sqrt(np.float32(-2) * np.log(np.float32(1) - first))
        return radius * np.cos(np.float32(2 * np.pi) * second)

    def below(self, count, bound):
        """The first `count` whole numbers in 0..bound."""
        return (self.words(count) * np.uint64(bound) >> np.uint64(32)).astype(np.int64)


# Random123's published vector: a slip above shows here, not as a puzzling loss.
assert [int(word[0]) for word in philox4x32([[0xFFFF_FFFF]] * 4, (0xFFFF_FFFF, 0xFFFF_FFFF))] == [
    0x408F_276D,
    0x41C8_3B0E,
    0xA20B_C7C6,
    0x6D54_51FD,
]
