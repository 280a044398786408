# SPDX-License-Identifier: MIT
"""optax: the Newton-Schulz inside optax.contrib.muon, compiled."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax  # noqa: E402
import optax  # noqa: E402
from optax.contrib import _muon  # noqa: E402

from shapes import MUON, STEPS, newton_schulz_flops  # noqa: E402
from with_jax import unary  # noqa: E402


@jax.jit
def newton_schulz(w, parameters):
    return _muon.orthogonalize_via_newton_schulz(w, jax.numpy.asarray(MUON), ns_steps=STEPS)


def offer(threads):
    if not hasattr(_muon, "orthogonalize_via_newton_schulz"):
        raise ImportError(f"optax {optax.__version__} has no optax.contrib._muon.orthogonalize_via_newton_schulz")
    work = {"orthogonalize": [unary(newton_schulz, name="optax", flops=newton_schulz_flops)]}
    return f"optax {optax.__version__}", work
