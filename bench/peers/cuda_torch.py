# SPDX-License-Identifier: MIT
"""PyTorch on the card: torch.optim.Muon (bfloat16 inside), eager and compiled, and a straightforward soft cap, on the
weights of GPT-2-small as in cuda_weight_step.cpp: 12 x {768 x 768 four times, 768 x 3072, 3072 x 768} and 50304 x 768.

usage: cuda_torch.py [--json FILE] [--seconds TOTAL] [--only eager|compiled|compiled-optimizer]

Groups of rows run in processes of their own (limited.py), all of them within TOTAL seconds, 125 where none are given:
what torch.compile makes of 73 weights at once takes minutes on some machines. --only runs one group, without a limit.
"""

import argparse
import functools
import importlib.util
import os
import sys
import tempfile

import limited

if importlib.util.find_spec("torch") is None:
    print("  torch.optim.Muon is skipped: PyTorch is missing")
    sys.exit(0)

SHAPE = "GPT-2-small, all weights"


def shapes():
    every = []
    for _ in range(12):
        every += [(768, 768)] * 4 + [(768, 3072), (3072, 768)]
    return every + [(50304, 768)]


@functools.cache
def weights():
    return parameters(torch.float32)


def parameters(dtype):
    generator = torch.Generator("cuda").manual_seed(1)
    result = []
    for rows, cols in shapes():
        scale = 0.9 / (rows**0.5 + cols**0.5)
        weight = torch.randn(rows, cols, generator=generator, device="cuda", dtype=torch.float32).mul_(scale)
        parameter = torch.nn.Parameter(weight.to(dtype))
        gradient = torch.randn(rows, cols, generator=generator, device="cuda", dtype=torch.float32).mul_(0.01)
        parameter.grad = gradient.to(dtype)
        result.append(parameter)
    return result


def milliseconds(run, times=10):
    for _ in range(3):
        run()
    best = float("inf")
    for _ in range(3):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(times):
            run()
        end.record()
        torch.cuda.synchronize()
        best = min(best, begin.elapsed_time(end) / times)
    return best


def newton_schulz(g):
    """What torch.optim.Muon does to a gradient, without its momentum and update."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.bfloat16()
    if g.size(0) > g.size(1):
        x = x.T
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(5):
        gram = x @ x.T
        polynomial = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.addmm(x, polynomial, x, beta=a)
    return x.T if g.size(0) > g.size(1) else x


def soft_cap(w, strength):
    """p2(p1(W)), p1(x) = x - strength x^3, p2(x) = x + strength x^3, on the short side, in bfloat16."""
    x = w.bfloat16()
    tall = w.size(0) > w.size(1)
    x = x.T if tall else x
    x = x - strength * (x @ x.T) @ x
    x = x + strength * (x @ x.T) @ x
    w.copy_(x.T if tall else x)


def as_graph(run):
    """The same work without the host: what is launched by run(), captured once."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def step_of_one(weight, gradient, momentum):
    """What torch.optim.Muon(lr=0.02, momentum=0.95) does to one weight."""
    momentum.lerp_(gradient, 1 - 0.95)
    direction = newton_schulz(gradient.lerp(momentum, 0.95))
    weight.mul_(1 - 0.02 * 0.1)
    weight.add_(direction, alpha=-0.02 * max(1, weight.size(0) / weight.size(1)) ** 0.5)


# What is timed. Each of these makes a function of no arguments.


def muon(dtype):
    return torch.optim.Muon(parameters(dtype), lr=0.02, momentum=0.95).step


def orthogonalize_all(by=newton_schulz):
    gradients = [w.grad for w in weights()]
    return lambda: [by(g) for g in gradients]


def cap_all():
    values = [w.data for w in weights()]
    return lambda: [soft_cap(w, 0.05) for w in values]


@functools.cache
def compiled_newton_schulz():
    return torch.compile(newton_schulz)


def muon_compiled_by_weight():
    # One graph a shape, of which there are four: what all weights at once take minutes to compile, this takes seconds.
    step = torch.compile(step_of_one, dynamic=False)
    state = [(w.data, w.grad, torch.zeros_like(w.data)) for w in parameters(torch.float32)]
    return lambda: [step(*each) for each in state]


def muon_compiled():
    return torch.compile(muon(torch.float32))


# Seconds, what takes them, and the rows: work, contender, and how to make what is timed.
GROUPS = {
    "eager": (
        40,
        "measuring",
        [
            ("Muon's step", "torch.optim.Muon, float32", lambda: muon(torch.float32)),
            ("Muon's step", "torch.optim.Muon, bfloat16", lambda: muon(torch.bfloat16)),
            ("orthogonalize bf16", "torch, eager", orthogonalize_all),
            ("soft cap bf16", "torch, eager", cap_all),
            ("orthogonalize bf16", "torch, as a CUDA graph", lambda: as_graph(orthogonalize_all())),
            ("soft cap bf16", "torch, as a CUDA graph", lambda: as_graph(cap_all())),
        ],
    ),
    "compiled": (
        50,
        "compiling",
        [
            ("orthogonalize bf16", "torch, compiled", lambda: orthogonalize_all(compiled_newton_schulz())),
            (
                "orthogonalize bf16",
                "torch, compiled, as a CUDA graph",
                lambda: as_graph(orthogonalize_all(compiled_newton_schulz())),
            ),
            ("Muon's step", "torch, compiled weight by weight", muon_compiled_by_weight),
        ],
    ),
    "compiled-optimizer": (70, "compiling", [("Muon's step", "torch.optim.Muon, compiled", muon_compiled)]),
}


def print_row(work, contender, text):
    print(f"{work:26s} {'GPT-2-small':20s} {contender:34s} {text}", flush=True)


def measure(group, table):
    """The rows of one group, in this process. One that fails leaves the others alone."""
    global torch
    import torch

    if not torch.cuda.is_available():
        sys.exit("  torch.optim.Muon is skipped: this PyTorch sees no CUDA device")
    if group == "eager":
        print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}", flush=True)
    with torch.no_grad():
        for work, contender, make in GROUPS[group][2]:
            try:
                ms = milliseconds(make())
            except Exception as error:
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
                print_row(work, contender, reason)
                table.add(work, SHAPE, contender, None, error=reason)
            else:
                print_row(work, contender, f"{ms:9.4f} ms")
                table.add(work, SHAPE, contender, ms)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json")
    parser.add_argument("--seconds", type=float, default=125)
    parser.add_argument("--only", choices=GROUPS)
    arguments = parser.parse_args()
    if arguments.only:
        measure(arguments.only, limited.Table(arguments.json))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.json or os.path.join(folder, "rows.json")
        if os.path.exists(path):
            os.remove(path)
        groups = {
            name: (limit, activity, [(work, SHAPE, contender) for work, contender, _ in rows])
            for name, (limit, activity, rows) in GROUPS.items()
        }
        command = [sys.executable, os.path.abspath(__file__), "--json", path, "--only"]
        limited.run_groups(groups, path, lambda name: [*command, name], print_row, arguments.seconds)


if __name__ == "__main__":
    main()
