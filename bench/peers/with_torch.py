# SPDX-License-Identifier: MIT
"""PyTorch: Newton-Schulz as in Keller Jordan's Muon, the soft cap as in the code of arXiv 2507.13338, in float32; and
Newton-Schulz in bfloat16, which is what torch.optim.Muon does."""

import numpy
import torch

from shapes import MUON, STEPS, batch_flops, newton_schulz_flops, soft_cap_flops


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


def batched_newton_schulz(g):
    """The same on a batch, with the fused torch.baddbmm."""
    a, b, c = MUON
    x = g / (g.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(STEPS):
        gram = torch.bmm(x, x.mT)
        polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, polynomial, x, beta=a)
    return x


def power_iteration(w, iterations):
    generator = torch.Generator().manual_seed(1)
    v = torch.nn.functional.normalize(torch.randn(w.size(1), generator=generator), dim=0)
    for _ in range(iterations):
        v = torch.nn.functional.normalize(w.mT @ (w @ v), dim=0)
    return (w @ v).norm()


def training_step(case, matrix):
    """All weights of gpt2_small_step.cpp, cut from its numbers in the same way."""
    stock = torch.from_numpy(matrix).reshape(-1)
    parameters = case["parameters"]
    width = matrix.shape[1]
    shapes = int(parameters["layers"]) * ([(width, width)] * 4 + [(width, 4 * width), (4 * width, width)])
    if parameters["head"] > 0:
        shapes.append((int(parameters["head"]), width))
    weights, gradients, place = [], [], 0
    for rows, cols in shapes:
        if place + rows * cols > stock.numel():
            place = 0
        block = stock[place : place + rows * cols]
        gradients.append(block.clone().reshape(rows, cols))
        weights.append(block.flip(0).reshape(rows, cols) * (0.9 / (rows**0.5 + cols**0.5)))
        place = (place + width * width) % stock.numel()

    def run():
        with torch.no_grad():
            for k, gradient in enumerate(gradients):
                stepped = weights[k] - parameters["learning_rate"] * newton_schulz(gradient)
                weights[k] = soft_cap(stepped, parameters["strength"])

    return run, None


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
        "orthogonalize_batch": [
            unary(
                lambda w, p: batched_newton_schulz(w.reshape(int(p["batch"]), -1, w.size(1))).reshape(w.shape),
                name="torch-baddbmm",
                flops=batch_flops,
            ),
        ],
        "power_iteration": [unary(lambda w, p: power_iteration(w, int(p["iterations"])), name="torch")],
        "gpt2_small_step": [{"make": training_step, "name": "torch", "note": "without proof"}],
    }
    return f"torch {torch.__version__}", work
