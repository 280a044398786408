# SPDX-License-Identifier: MIT
"""JAX: the same Newton-Schulz and soft cap, compiled by XLA for the CPU in float32."""

import os

# XLA reads this when it starts. Its thread pool has as many threads as the process may use processors.
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy  # noqa: E402

from shapes import MUON, STEPS, batch_flops, newton_schulz_flops, soft_cap_flops  # noqa: E402


@jax.jit
def newton_schulz(w, parameters):
    a, b, c = MUON
    x = w / (jnp.linalg.norm(w) + 1e-7)
    for _ in range(STEPS):
        gram = x @ x.T
        polynomial = b * gram + c * gram @ gram
        x = a * x + polynomial @ x
    return x


@jax.jit
def batched_newton_schulz(w, parameters):
    return jax.vmap(lambda each: newton_schulz(each, parameters))(w)


@jax.jit
def soft_cap(w, parameters):
    x = w - parameters["strength"] * (w @ w.T) @ w
    return x + parameters["strength"] * (x @ x.T) @ x


def unary(function, **settings):
    """A peer whose input is one matrix, or a batch of square ones below each other."""

    def make(case, matrix):
        w = jnp.asarray(matrix)
        if "batch" in case["parameters"]:
            w = w.reshape(int(case["parameters"]["batch"]), -1, w.shape[1])
        state = {}

        def run():
            state["y"] = function(w, case["parameters"])
            state["y"].block_until_ready()

        return run, lambda: numpy.asarray(state["y"]).reshape(matrix.shape)

    return {"make": make, **settings}


def offer(threads):
    work = {
        "orthogonalize": [unary(newton_schulz, name="jax", flops=newton_schulz_flops)],
        "orthogonalize_batch": [unary(batched_newton_schulz, name="jax-vmap", flops=batch_flops)],
        "soft_cap": [unary(soft_cap, name="jax", flops=soft_cap_flops)],
    }
    return f"jax {jax.__version__}", work
