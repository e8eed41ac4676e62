"""Ten training losses of each flower model by PyTorch, written to losses.json beside this file.

Weights, photos, labels and dropout masks come from Floret's own generator (philox.py), so the file holds losses only.
They are those of a float64 run. Rounding can send a training run astray (a ReLU input that changes sign alters a
gradient, and Adam's first steps go by the gradient's sign), so each run takes the first seed where it does not: where
float32, and weights off by one part in ten million, give the same losses to `STABLE`.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import torch
from flower_models import CLASSES, MODELS, build
from philox import DROPOUT, INITIALISATION, TEST, Random
from torch import nn

STEPS, BATCH, BLOCK = 10, 4, 16
PERTURBATION, PERTURBED_RUNS, STABLE = 1e-7, 2, 1e-5


def initialise(model, seed):
    """He initialisation: parameter p, element i (HWIO, or [in, out]) is `normal(i) · sqrt(2 / fan_in)`; biases are 0."""
    for number, parameter in enumerate(model.parameters()):
        if parameter.dim() == 1:
            nn.init.zeros_(parameter)
            continue
        to_torch = (3, 2, 0, 1) if parameter.dim() == 4 else (1, 0)
        shape = [parameter.shape[to_torch.index(axis)] for axis in range(parameter.dim())]
        fan_in = np.prod(shape[:-1])
        numbers = Random(seed, INITIALISATION, number, 0).normal(parameter.numel())
        kernel = numbers.reshape(shape) * np.sqrt(np.float32(2) / np.float32(fan_in))
        parameter.data = torch.from_numpy(kernel.transpose(to_torch).copy())


def batch(size, seed, step):
    """The photos of a step, NCHW in -1..1, made of blocks of 16 × 16 equal pixels, and their classes."""
    blocks = size // BLOCK
    colours = Random(seed, TEST, step, 0).uniform(BATCH * blocks * blocks * 3) * np.float32(2) - np.float32(1)
    pixels = colours.reshape(BATCH, blocks, blocks, 3).repeat(BLOCK, axis=1).repeat(BLOCK, axis=2)
    labels = Random(seed, TEST, 1000 + step, 0).below(BATCH, CLASSES)
    return torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()), torch.from_numpy(labels)


class Run:
    """One training run; `step` returns the loss before the update."""

    def __init__(self, name, actions, seed, dtype, perturbed=None):
        self.size, self.seed, self.dtype, self.number = MODELS[name][1], seed, dtype, 0
        self.model = build(name, actions)
        initialise(self.model, seed)
        self.model.to(dtype).train()
        if perturbed is not None:
            self._perturb(perturbed)
        dropouts = [module for module in self.model.modules() if isinstance(module, nn.Dropout)]
        for layer, module in enumerate(dropouts):
            module.register_forward_hook(lambda module, inputs, _, layer=layer: self._drop(inputs[0], layer, module.p))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.001, betas=(0.9, 0.999), eps=1e-8)

    def _perturb(self, number):
        generator = torch.Generator().manual_seed(number)
        with torch.no_grad():
            for parameter in self.model.parameters():
                noise = torch.randn(parameter.shape, generator=generator, dtype=self.dtype)
                parameter.mul_(1 + PERTURBATION * noise)

    def _drop(self, x, layer, drop_prob):
        """Our mask in the place of PyTorch's: kept where `uniform(i) < keep_prob`, i counting in NHWC order."""
        n, c, h, w = x.shape
        uniform = Random(self.seed, DROPOUT, layer, self.number).uniform(x.numel())
        keep = torch.from_numpy(uniform.reshape(n, h, w, c) < np.float32(1 - drop_prob)).permute(0, 3, 1, 2)
        return x * keep / (1 - drop_prob)

    def step(self):
        photos, labels = batch(self.size, self.seed, self.number)
        loss = nn.functional.cross_entropy(self.model(photos.to(self.dtype)), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.number += 1
        return loss.item()


def losses(name, actions, seed):
    """The losses of a float64 run and the largest relative difference of its companions', or None above `STABLE`."""
    exact = Run(name, actions, seed, torch.float64)
    companions = [Run(name, actions, seed, torch.float32)]
    companions += [Run(name, actions, seed, torch.float64, number) for number in range(PERTURBED_RUNS)]
    found, spread = [], 0.0
    for _ in range(STEPS):
        loss = exact.step()
        found.append(loss)
        spread = max(spread, *[abs(other.step() / loss - 1) for other in companions])
        if spread > STABLE:
            return None
    return found, spread


def main():
    torch.set_num_threads(1)  # The order of sums, and so the float32 runs, must not hang on the machine.
    runs = []
    for name, actions in itertools.product(MODELS, ("LA", "LAB")):
        for seed in itertools.count(1):
            result = losses(name, actions, seed)
            if result:
                break
        found, spread = result
        print(f"{name} {actions}, seed {seed}: {found[0]:.6f} … {found[-1]:.6f}, others within {spread:.1e}", flush=True)
        runs.append({"model": name, "actions": actions, "seed": seed, "losses": found})
    document = {
        "torch": torch.__version__,
        "optimizer": "Adam 0.001, 0.9, 0.999, 1e-8",
        "batch_size": BATCH,
        "block": BLOCK,
        "runs": runs,
    }
    Path(__file__).with_name("losses.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
