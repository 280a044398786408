# SPDX-License-Identifier: MIT
"""Training steps of the example transformer: sigmax-transformer and PyTorch in turns, the same model, batch and threads.

usage: transformer_torch.py [--program PATH] [--threads N] [--steps N] [--rounds N] [--batch N] [--optimizer NAME]
                            [--device cpu|cuda]

PyTorch runs eagerly, in floats, with its fused kernels: scaled_dot_product_attention, GELU, cross_entropy and, for adamw,
the fused optimizer. Muon is torch.optim.Muon for the matrices and fused AdamW for embedding and head. Ours is the whole
step of `train` without a constraint, batches included. On a CUDA device both compute in IEEE floats, all of the batch at
once, and --steps should be some hundreds, because ours counts from its first step. Prints tokens a second of the best
round of each, and the ratio.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import torch
from torch.nn import functional

WIDTH, BLOCKS, HEADS, KEY_WIDTH, MLP_WIDTH, CONTEXT, VOCABULARY = 256, 3, 4, 64, 1024, 256, 65
GELU_DIVISOR, LOGIT_SCALE = 1.1290, 8.0
ALPHA = 1 / (2 * BLOCKS)


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        inner = HEADS * KEY_WIDTH
        self.query, self.key, self.value = (torch.nn.Linear(WIDTH, inner, bias=False) for _ in range(3))
        self.output = torch.nn.Linear(inner, WIDTH, bias=False)
        self.mlp_in = torch.nn.Linear(WIDTH, MLP_WIDTH, bias=False)
        self.mlp_out = torch.nn.Linear(MLP_WIDTH, WIDTH, bias=False)

    def forward(self, x, cosine, sine):
        def heads(z):
            return z.view(*z.shape[:2], HEADS, KEY_WIDTH).transpose(1, 2)

        def rotated(z):
            a, b = z.chunk(2, dim=-1)
            return torch.cat((a * cosine - b * sine, a * sine + b * cosine), dim=-1)

        q, k, v = rotated(heads(self.query(x))), rotated(heads(self.key(x))), heads(self.value(x))
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True, scale=1 / KEY_WIDTH)
        y = self.output(y.transpose(1, 2).reshape(x.shape[0], x.shape[1], -1))
        x = torch.lerp(x, y / 3, ALPHA)
        return torch.lerp(x, self.mlp_out(functional.gelu(self.mlp_in(x)) / GELU_DIVISOR), ALPHA)


class Transformer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(VOCABULARY, WIDTH)
        self.blocks = torch.nn.ModuleList(Block() for _ in range(BLOCKS))
        self.head = torch.nn.Linear(WIDTH, VOCABULARY, bias=False)
        pairs = KEY_WIDTH // 2
        angles = torch.outer(torch.arange(CONTEXT), 10000.0 ** (-torch.arange(pairs) / pairs))
        self.register_buffer("cosine", angles.cos())
        self.register_buffer("sine", angles.sin())

    def forward(self, tokens):
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, self.cosine, self.sine)
        return LOGIT_SCALE * self.head(x)


def optimizers_of(model, name):
    if name == "adamw":
        return [torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), fused=True)]
    ends = [model.embedding.weight, model.head.weight]
    return [torch.optim.Muon(model.blocks.parameters(), lr=0.02), torch.optim.AdamW(ends, lr=1e-3, fused=True)]


def of_torch(given):
    torch.manual_seed(1)
    torch.set_num_threads(given.threads)
    model = Transformer().to(given.device)
    optimizers = optimizers_of(model, given.optimizer)
    tokens = torch.randint(VOCABULARY, (given.batch, CONTEXT + 1), device=given.device)

    def step():
        loss = functional.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
        for each in optimizers:
            each.zero_grad(set_to_none=True)
        loss.backward()
        for each in optimizers:
            each.step()

    def wait():
        if given.device == "cuda":
            torch.cuda.synchronize()

    step()
    wait()
    start = time.perf_counter()
    for _ in range(given.steps):
        step()
    wait()
    return given.steps * given.batch * CONTEXT / (time.perf_counter() - start)


def of_sigmax(given):
    with tempfile.TemporaryDirectory() as folder:
        command = [given.program, "train", "--preset", "shakespeare", "--out", folder, "--constraint", "none"]
        command += ["--position-bias", "0", "--attention-scale", str(1 / KEY_WIDTH), "--attention-gain", str(1 / 3)]
        command += ["--residual-scale", "1", "--logit-scale", str(LOGIT_SCALE)]
        rate = "0.02" if given.optimizer == "muon" else "0.001"
        command += ["--learning-rate", rate, "--embedding-learning-rate", rate]
        command += ["--optimizer", given.optimizer, "--threads", str(given.threads), "--batch", str(given.batch)]
        micro_batch = given.batch if given.device == "cuda" else min(8, given.batch)
        command += ["--device", given.device, "--micro-batch", str(micro_batch)]
        command += ["--steps", str(given.steps + 1), "--log-every", str(given.steps)]
        command += ["--validate-every", "1000000", "--checkpoint-every", "1000000", "--no-certificate"]
        if given.text:
            command += ["--text", given.text]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        line = (pathlib.Path(folder) / "metrics.jsonl").read_text().splitlines()[0]
        return json.loads(line)["tokens_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/dev/bin/sigmax-transformer")
    parser.add_argument("--text", default="")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--optimizer", choices=("adamw", "muon"), default="adamw")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    given = parser.parse_args()
    best = {"sigmax": 0.0, "torch": 0.0}
    for _ in range(given.rounds):
        best["torch"] = max(best["torch"], of_torch(given))
        best["sigmax"] = max(best["sigmax"], of_sigmax(given))
    where = torch.cuda.get_device_name() if given.device == "cuda" else f"{given.threads} threads"
    print(
        f"{given.optimizer}, batch {given.batch} x {CONTEXT}, {where}: sigmax {best['sigmax']:.0f} tokens/s, "
        f"PyTorch {torch.__version__} {best['torch']:.0f} tokens/s, {best['sigmax'] / best['torch']:.2f}x"
    )


if __name__ == "__main__":
    main()
