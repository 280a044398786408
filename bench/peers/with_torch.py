# SPDX-License-Identifier: MIT
"""PyTorch: Newton-Schulz as in Keller Jordan's Muon, the soft cap as in the code of arXiv 2507.13338, in float32; and
Newton-Schulz in bfloat16, which is what torch.optim.Muon does."""

import numpy
import torch

from shapes import MUON, STEPS, newton_schulz_flops, soft_cap_flops


def newton_schulz(g, dtype=torch.float32):
    a, b, c = MUON
    x = g.to(dtype)
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    if g.size(-2) > g.size(-1):
        x = x.mT
    for _ in range(STEPS):
        gram = x @ x.mT
        polynomial = b * gram + c * gram @ gram
        x = a * x + polynomial @ x
    if g.size(-2) > g.size(-1):
        x = x.mT
    return x


def soft_cap(w, strength):
    tall = w.size(-2) > w.size(-1)
    x = w.mT if tall else w
    x = x - strength * (x @ x.mT) @ x
    x = x + strength * (x @ x.mT) @ x
    return x.mT if tall else x


def unary(function, **settings):
    """A peer whose input is one matrix."""

    def make(case, matrix):
        w = torch.from_numpy(matrix)
        state = {}

        def run():
            with torch.no_grad():
                state["y"] = function(w, case["parameters"])

        return run, lambda: state["y"].float().numpy()

    return {"make": make, **settings}


def offer(threads):
    torch.set_num_threads(threads)
    work = {
        "orthogonalize": [
            unary(lambda w, _: newton_schulz(w), name="torch", flops=newton_schulz_flops),
            unary(lambda w, _: newton_schulz(w, torch.bfloat16), name="torch-bfloat16", note="as torch.optim.Muon"),
        ],
        "soft_cap": [
            unary(lambda w, p: soft_cap(w, p["strength"]), name="torch", flops=soft_cap_flops),
        ],
        "multiply": [],
    }
    return f"torch {torch.__version__}", work
