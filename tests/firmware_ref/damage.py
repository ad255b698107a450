"""Ways to damage a file: what storage, transfers and attackers do to it."""

from __future__ import annotations

import numpy as np

Rng = np.random.Generator
_WORDS = (0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF, 0x00FFFFFF)


def damage(content: bytes, rng: Rng) -> bytes:
    """A copy of `content`, damaged in a few places by one of six ways."""
    ways = (_truncate, _flip_bits, _overwrite_bytes, _extreme_words, _shift_words, _copy_blocks)
    damaged = bytearray(content)
    way = ways[rng.integers(len(ways))]
    for _ in range(rng.integers(1, 5)):
        way(damaged, rng)
    return bytes(damaged)


def _truncate(content: bytearray, rng: Rng) -> None:
    del content[rng.integers(len(content) + 1) :]


def _flip_bits(content: bytearray, rng: Rng) -> None:
    content[rng.integers(len(content))] ^= 1 << rng.integers(8)


def _overwrite_bytes(content: bytearray, rng: Rng) -> None:
    content[rng.integers(len(content))] = rng.integers(256)


def _extreme_words(content: bytearray, rng: Rng) -> None:
    _set_word(content, rng, int(rng.choice(_WORDS)))


def _shift_words(content: bytearray, rng: Rng) -> None:
    position = 4 * int(rng.integers(len(content) // 4))
    word = int.from_bytes(content[position : position + 4], "little")
    content[position : position + 4] = ((word + int(rng.integers(-16, 17))) % 2**32).to_bytes(
        4, "little"
    )


def _copy_blocks(content: bytearray, rng: Rng) -> None:
    source, target = rng.integers(len(content), size=2)
    block = content[source : source + rng.integers(1, 40)]
    content[target : target + len(block)] = block


def _set_word(content: bytearray, rng: Rng, word: int) -> None:
    position = 4 * int(rng.integers(len(content) // 4))
    content[position : position + 4] = word.to_bytes(4, "little")
