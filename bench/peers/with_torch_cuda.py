# SPDX-License-Identifier: MIT
"""PyTorch on the card: torch.optim.Muon (bfloat16 inside), eager and compiled, and a straightforward soft cap, on the
weights of GPT-2-small as in cuda_weight_step.cpp: 12 x {768 x 768 four times, 768 x 3072, 3072 x 768} and 50304 x 768."""

import json
import sys

import torch


def shapes():
    every = []
    for _ in range(12):
        every += [(768, 768)] * 4 + [(768, 3072), (3072, 768)]
    return every + [(50304, 768)]


def parameters(dtype):
    generator = torch.Generator("cuda").manual_seed(1)
    result = []
    for rows, cols in shapes():
        scale = 0.9 / (rows**0.5 + cols**0.5)
        weight = torch.randn(rows, cols, generator=generator, device="cuda", dtype=torch.float32).mul_(scale)
        parameter = torch.nn.Parameter(weight.to(dtype))
        parameter.grad = torch.randn(rows, cols, generator=generator, device="cuda", dtype=torch.float32).mul_(0.01).to(dtype)
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


def report(results, name, ms):
    results[name] = ms
    print(f"  {name:58s} {ms:8.3f} ms", flush=True)


def main():
    results = {"torch": torch.__version__, "device": torch.cuda.get_device_name()}
    print(results)
    with torch.no_grad():
        for dtype in (torch.float32, torch.bfloat16):
            name = str(dtype).removeprefix("torch.")
            optimizer = torch.optim.Muon(parameters(dtype), lr=0.02, momentum=0.95)
            report(results, f"torch.optim.Muon eager, {name} weights", milliseconds(optimizer.step))
        weights = parameters(torch.float32)
        gradients = [w.grad for w in weights]
        report(results, "Newton-Schulz alone, eager", milliseconds(lambda: [newton_schulz(g) for g in gradients]))
        report(results, "soft cap, eager", milliseconds(lambda: [soft_cap(w.data, 0.05) for w in weights]))
        if "quick" in sys.argv:
            return
        compiled = torch.compile(newton_schulz)
        report(results, "Newton-Schulz alone, compiled", milliseconds(lambda: [compiled(g) for g in gradients]))
        compiled_cap = torch.compile(soft_cap)
        report(results, "soft cap, compiled", milliseconds(lambda: [compiled_cap(w.data, 0.05) for w in weights]))
        for dtype in (torch.float32,):
            name = str(dtype).removeprefix("torch.")
            optimizer = torch.optim.Muon(parameters(dtype), lr=0.02, momentum=0.95)
            report(results, f"torch.optim.Muon compiled, {name} weights", milliseconds(torch.compile(optimizer.step)))
    if len(sys.argv) > 1 and sys.argv[-1].endswith(".json"):
        with open(sys.argv[-1], "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
