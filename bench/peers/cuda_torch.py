# SPDX-License-Identifier: MIT
"""PyTorch on the card: torch.optim.Muon (bfloat16 inside), eager and compiled, and a straightforward soft cap, on the
weights of GPT-2-small as in cuda_weight_step.cpp: 12 x {768 x 768 four times, 768 x 3072, 3072 x 768} and 50304 x 768.

usage: cuda_torch.py [--json FILE]
"""

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


def report(rows, work, contender, ms):
    rows.append({"work": work, "shape": "GPT-2-small, all weights", "contender": contender, "milliseconds": ms})
    print(f"{work:26s} {'GPT-2-small':20s} {contender:34s} {ms:9.4f} ms", flush=True)


def main():
    rows = []
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}", flush=True)
    with torch.no_grad():
        for dtype in (torch.float32, torch.bfloat16):
            name = str(dtype).removeprefix("torch.")
            optimizer = torch.optim.Muon(parameters(dtype), lr=0.02, momentum=0.95)
            report(rows, "Muon's step", f"torch.optim.Muon, {name}", milliseconds(optimizer.step))
        weights = parameters(torch.float32)
        gradients = [w.grad for w in weights]

        def orthogonalize_all():
            return [newton_schulz(g) for g in gradients]

        def cap_all():
            for w in weights:
                soft_cap(w.data, 0.05)

        report(rows, "orthogonalize bf16", "torch, eager", milliseconds(orthogonalize_all))
        report(rows, "soft cap bf16", "torch, eager", milliseconds(cap_all))
        report(rows, "orthogonalize bf16", "torch, as a CUDA graph", milliseconds(as_graph(orthogonalize_all)))
        report(rows, "soft cap bf16", "torch, as a CUDA graph", milliseconds(as_graph(cap_all)))
        compiled = torch.compile(newton_schulz)

        def compiled_orthogonalize_all():
            return [compiled(g) for g in gradients]

        report(rows, "orthogonalize bf16", "torch, compiled", milliseconds(compiled_orthogonalize_all))
        graph = as_graph(compiled_orthogonalize_all)
        report(rows, "orthogonalize bf16", "torch, compiled, as a CUDA graph", milliseconds(graph))
        optimizer = torch.optim.Muon(parameters(torch.float32), lr=0.02, momentum=0.95)
        report(rows, "Muon's step", "torch.optim.Muon, compiled", milliseconds(torch.compile(optimizer.step)))
    if "--json" in sys.argv:
        with open(sys.argv[sys.argv.index("--json") + 1], "w") as file:
            lines = ",\n".join("  " + json.dumps(row) for row in rows)
            file.write('{"rows": [\n' + lines + "\n]}\n")


if __name__ == "__main__":
    main()
