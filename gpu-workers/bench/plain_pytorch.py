"""The embedded model and its training mathematics, written plainly in PyTorch: the rival of `darkroom bench compute`.

Same shape, same batch, one process, one intra-op thread. Prints one JSON line per measurement:
images per second of rollout (6-step DPM-Solver++ 2M, groups of 12) and of training (DiffusionNFT, adaptive weighting,
three forwards and one backward where KL is on, two without; AdamW), median of several repeats.

    python3 -m venv .venv && .venv/bin/pip install torch==2.7.1 numpy
    .venv/bin/python gpu-workers/bench/plain_pytorch.py --precision bf16
"""

import argparse
import json
import math
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

DIM, LAYERS, HEADS, PATCH, SIDE, TOKENS = 128, 4, 4, 4, 32, 10
PATCHES = (SIDE // PATCH) ** 2
SIGMAS = [1.0, 0.903736, 0.789705, 0.652489, 0.484218, 0.273003, 0.0]


def patches(image):
    return F.unfold(image, PATCH, stride=PATCH).transpose(1, 2)


def image(patched):
    return F.fold(patched.transpose(1, 2), SIDE, PATCH, stride=PATCH)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.modulation = nn.Linear(DIM, 6 * DIM)
        self.qkv = nn.Linear(DIM, 3 * DIM)
        self.out = nn.Linear(DIM, DIM)
        self.up = nn.Linear(DIM, 4 * DIM)
        self.down = nn.Linear(4 * DIM, DIM)

    def forward(self, h, condition):
        batch, length, _ = h.shape
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(condition).unsqueeze(1).chunk(6, -1)
        a = torch.addcmul(shift1, F.layer_norm(h, (DIM,)), scale1 + 1)
        q, k, v = self.qkv(a).view(batch, length, 3, HEADS, DIM // HEADS).permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, length, DIM)
        h = torch.addcmul(h, gate1, self.out(a))
        a = torch.addcmul(shift2, F.layer_norm(h, (DIM,)), scale2 + 1)
        return torch.addcmul(h, gate2, self.down(F.gelu(self.up(a), approximate="tanh")))


class Dit(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.words = nn.Embedding(vocabulary, 64)
        self.text = nn.Linear(64, DIM)
        self.patch = nn.Linear(3 * 3 * PATCH * PATCH, DIM)
        self.position = nn.Parameter(torch.randn(1, PATCHES + TOKENS, DIM) * 0.1)
        self.time1 = nn.Linear(128, DIM)
        self.time2 = nn.Linear(DIM, DIM)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.modulation = nn.Linear(DIM, 2 * DIM)
        self.velocity = nn.Linear(DIM, 3 * PATCH * PATCH)
        self.register_buffer("frequency", torch.exp(-math.log(10000) * torch.arange(64) / 64) * 1000)

    def forward(self, x, source, reference, t, tokens):
        text = self.text(self.words(tokens))
        h = self.patch(torch.cat([patches(x), patches(source), patches(reference)], -1))
        h = torch.cat([h, text], 1) + self.position
        angle = t[:, None] * self.frequency
        condition = self.time2(F.silu(self.time1(torch.cat([angle.cos(), angle.sin()], -1))))
        condition = F.silu(condition + text.mean(1))
        for block in self.blocks:
            h = block(h, condition)
        shift, scale = self.modulation(condition).unsqueeze(1).chunk(2, -1)
        h = torch.addcmul(shift, F.layer_norm(h[:, :PATCHES], (DIM,)), scale + 1)
        return image(self.velocity(h))


@torch.no_grad()
def draw(model, source, reference, tokens, x):
    logsnr = [math.log((1 - s) / s) if 0 < s < 1 else (-math.inf if s >= 1 else math.inf) for s in SIGMAS]
    steps, previous = len(SIGMAS) - 1, None
    for i in range(steps):
        s, t = SIGMAS[i], SIGMAS[i + 1]
        v = model(x, source, reference, torch.full((len(x),), s), tokens).float()
        m = x - s * v
        if i in (0, steps - 1):
            x = x + (t - s) * v
        else:
            h, h0 = logsnr[i + 1] - logsnr[i], logsnr[i] - logsnr[i - 1]
            e, inverse = math.expm1(-h), (h / h0 if math.isfinite(h0) else 0.0)
            x = (t / s) * x - (1 - t) * e * m - 0.5 * (1 - t) * e * inverse * (m - previous)
        previous = m
    return x


def nft_loss(v, old, x_t, x0, t, optimality, clip=1.0, beta=1.0):
    t = t[:, None, None, None]
    plus = x_t - t * (beta * v + (1 - beta) * old) - x0
    minus = x_t - t * ((1 + beta) * old - beta * v) - x0
    weight = lambda d: d.detach().double().abs().mean((1, 2, 3)).clamp(min=1e-5).float()
    positive = (plus**2).mean((1, 2, 3)) / weight(plus)
    negative = (minus**2).mean((1, 2, 3)) / weight(minus)
    return (clip / beta * (optimality * positive + (1 - optimality) * negative)).mean()


def rate(work, images, repeats):
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return images / statistics.median(seconds)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--vocabulary", type=int, default=256)
    arguments.add_argument("--precision", choices=["f32", "bf16"], default="bf16")
    arguments.add_argument("--unit", type=int, default=18, help="samples per gradient unit")
    arguments.add_argument("--repeats", type=int, default=7)
    arguments.add_argument("--threads", type=int, default=1)
    a = arguments.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    model, old = Dit(a.vocabulary), Dit(a.vocabulary)
    old.load_state_dict(model.state_dict())
    old.requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-4, weight_decay=1e-4, fused=True)
    bf16 = a.precision == "bf16"

    def inputs(batch):
        shape = (batch, 3, SIDE, SIDE)
        return torch.randn(shape), torch.zeros(shape), torch.randint(0, a.vocabulary, (batch, TOKENS))

    source, reference, tokens = inputs(12)

    def rollout():
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            for _ in range(4):
                draw(old, source, reference, tokens, torch.randn(12, 3, SIDE, SIDE))

    s, r, k = inputs(a.unit)

    def train():
        for _ in range(4):
            x0, noise = torch.randn_like(s), torch.randn_like(s)
            t = torch.tensor(SIGMAS[:6])[torch.randint(0, 6, (a.unit,))]
            x_t = (1 - t[:, None, None, None]) * x0 + t[:, None, None, None] * noise
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                v_old = old(x_t, s, r, t, k).float()
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                v = model(x_t, s, r, t, k).float()
            loss = nft_loss(v, v_old, x_t, x0, t, torch.rand(a.unit))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    parameters = sum(p.numel() for p in model.parameters())
    rollout_rate, train_rate = rate(rollout, 48, a.repeats), rate(train, 4 * a.unit, a.repeats)
    # One whole step, sequentially: 144 images generated and 144 samples trained, as the embedded recipe does.
    step_rate = 1 / (1 / rollout_rate + 1 / train_rate)
    print(json.dumps({"parameters": parameters, "threads": a.threads, "precision": a.precision,
                      "rolloutImagesPerSecond": round(rollout_rate, 1), "trainImagesPerSecond": round(train_rate, 1),
                      "stepImagesPerSecond": round(step_rate, 1)}))


if __name__ == "__main__":
    main()
