"""The random numbers of the engine's own generators, for references in Python."""

import math


def seeded_random(seed):
    """evaluation/basics/random.ts: mulberry32."""
    state = seed & 0xFFFFFFFF

    def draw():
        nonlocal state
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = ((state ^ (state >> 15)) * (state | 1)) & 0xFFFFFFFF
        t ^= (t + ((t ^ (t >> 7)) * (t | 61))) & 0xFFFFFFFF
        t &= 0xFFFFFFFF
        return ((t ^ (t >> 14)) & 0xFFFFFFFF) / 2**32

    return draw


def seeded_normal(seed):
    """evaluation/basics/normal.ts."""
    draw = seeded_random(seed)

    def normal():
        a = draw()
        return math.sqrt(-2 * math.log(1 - a)) * math.cos(2 * math.pi * draw())

    return normal
