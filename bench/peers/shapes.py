# SPDX-License-Identifier: MIT
"""FLOPs of what the peers execute, from the shape in the name of a case."""

MUON = (3.4445, -4.7750, 2.0315)
STEPS = 5


def sides(case):
    """(m, n) with m <= n."""
    rows, cols = map(int, case["name"].split("/")[3].split("x"))
    return min(rows, cols), max(rows, cols)


def newton_schulz_flops(case):
    """Five quintics by full products: X X^T, A A and B X."""
    m, n = sides(case)
    return STEPS * (4 * m * m * n + 2 * m**3)


def batch_flops(case):
    return int(case["parameters"]["batch"]) * newton_schulz_flops(case)


def soft_cap_flops(case):
    """Two cubics by full products: X X^T and A X."""
    m, n = sides(case)
    return 8 * m * m * n
