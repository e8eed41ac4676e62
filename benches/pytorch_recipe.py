"""Trains a flower model in PyTorch on a folder of class folders, to tell what the engine and what the recipe gives.

    FLORET_FLOWERS=photos python benches/pytorch_recipe.py --model residual_flower --recipe modern --epochs 10 --seed 1

Recipes: `textbook` is Adam 0.001 at batch 10 without augmentation; `modern` is AdamW 2e-3 with weight decay 0.05 on
kernels, warm-up and cosine, random resized crop, flip, colour, mixup, label smoothing and an average of the weights.
Photos are split 80 / 5 / 15 within each class. Prints a line an epoch, then a line of JSON.
Needs torch, numpy and pillow.
"""

import argparse
import copy
import json
import math
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "golden"))
from flower_models import CLASSES, MODELS, build  # noqa: E402

COPY_SCALE = 2  # Photos are kept at twice the input size, so that a crop has pixels to show.
CROP_AREA, CROP_RATIO = (0.4, 1.0), (3 / 4, 4 / 3)
COLOUR = 0.3
MIXUP, LABEL_SMOOTHING = 0.2, 0.1
AVERAGE_DECAY = 0.998
WARM_UP = 0.05  # of all steps
EVALUATION_BATCH = 64


def load(folder, size):
    """Photos as uint8 [n, 3, size, size] and their labels; a photo's longer side is cropped at both ends."""
    classes = sorted(path for path in Path(folder).iterdir() if path.is_dir())
    if len(classes) != CLASSES:
        sys.exit(f"expected {CLASSES} class folders in {folder}, found {len(classes)}")
    photos, labels = [], []
    for label, path in enumerate(classes):
        for file in sorted(path.iterdir()):
            image = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
            photos.append(np.asarray(ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)))
            labels.append(label)
    pixels = torch.from_numpy(np.stack(photos)).permute(0, 3, 1, 2)
    return pixels.contiguous(memory_format=torch.channels_last), torch.tensor(labels)


def split(labels, seed):
    """Indices of the train, validation and test photos: 80 / 5 / 15 of each class."""
    random = np.random.default_rng(seed)
    parts = [], [], []
    for label in range(CLASSES):
        indices = random.permutation(np.flatnonzero(labels.numpy() == label))
        cuts = [round(0.8 * len(indices)), round(0.85 * len(indices))]
        for part, chosen in zip(parts, np.split(indices, cuts)):
            part.extend(chosen.tolist())
    return [torch.tensor(part) for part in parts]


def normalise(pixels):
    return pixels / 127.5 - 1


def whole(pixels, size):
    """Photos without augmentation: shrunk to the input size."""
    return normalise(F.interpolate(pixels.float(), (size, size), mode="bilinear", antialias=True))


def augment(pixels, size):
    """Random resized crop and flip (one bilinear sampling), then brightness, contrast and saturation."""
    count = len(pixels)
    uniform = lambda low, high: torch.empty(count).uniform_(low, high)  # noqa: E731
    area, ratio = uniform(*CROP_AREA), uniform(*(math.log(bound) for bound in CROP_RATIO)).exp()
    width, height = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
    flip = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    crop = torch.zeros(count, 2, 3)
    crop[:, 0, 0], crop[:, 0, 2] = flip * width, uniform(-1, 1) * (1 - width)
    crop[:, 1, 1], crop[:, 1, 2] = height, uniform(-1, 1) * (1 - height)
    grid = F.affine_grid(crop, [count, 3, size, size], align_corners=False)
    photos = F.grid_sample(pixels.float(), grid, padding_mode="border", align_corners=False)
    grey = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    factor = lambda: uniform(1 - COLOUR, 1 + COLOUR).view(-1, 1, 1, 1)  # noqa: E731
    photos = photos * factor()
    mean = (photos * grey).sum(1, keepdim=True).mean((2, 3), keepdim=True)
    photos = mean + (photos - mean) * factor()
    luma = (photos * grey).sum(1, keepdim=True)
    photos = (luma + (photos - luma) * factor()).clamp(0, 255)
    return normalise(photos).contiguous(memory_format=torch.channels_last)


def mix(photos, targets):
    """Mixup: every photo and its target blended with another's of the batch."""
    share, other = np.random.beta(MIXUP, MIXUP), torch.randperm(len(photos))
    return share * photos + (1 - share) * photos[other], share * targets + (1 - share) * targets[other]


class Average:
    """Moving average of weights and running statistics; young averages follow faster."""

    def __init__(self, model):
        self.model, self.updates = copy.deepcopy(model).eval(), 0

    @torch.no_grad()
    def update(self, model):
        self.updates += 1
        decay = min(AVERAGE_DECAY, (1 + self.updates) / (10 + self.updates))
        for mine, new in zip(self.model.state_dict().values(), model.state_dict().values()):
            if mine.is_floating_point():
                mine.lerp_(new, 1 - decay)


@torch.inference_mode()
def accuracy(model, photos, labels, mirrored):
    """Share of photos classified right; `mirrored` averages with the mirrored photo's probabilities."""
    model.eval()
    right = 0
    for batch, truth in zip(photos.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH)):
        probabilities = model(batch).softmax(1)
        if mirrored:
            probabilities = probabilities + model(batch.flip(3)).softmax(1)
        right += (probabilities.argmax(1) == truth).sum().item()
    return right / len(labels)


def optimizer_and_schedule(model, modern, steps):
    if not modern:
        optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
        return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    groups = [
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": 0.05},
        {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=2e-3)
    warm_up = max(1, round(WARM_UP * steps))

    def rate(step):
        if step < warm_up:
            return (step + 1) / warm_up
        return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / (steps - warm_up)))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, rate)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=MODELS, default="residual_flower")
    parser.add_argument("--recipe", choices=["textbook", "modern"], default="modern")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, help="default: 10 for textbook, 32 for modern")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    modern = options.recipe == "modern"
    batch_size = options.batch or (32 if modern else 10)
    torch.manual_seed(options.seed)
    np.random.seed(options.seed)

    size = MODELS[options.model][1]
    folder = os.environ.get("FLORET_FLOWERS", ROOT.parent / "shared" / "flowers")
    pixels, labels = load(folder, size * COPY_SCALE)
    train, validation, test = split(labels, options.seed)
    held_back = {
        name: (whole(pixels[part], size), labels[part]) for name, part in (("validation", validation), ("test", test))
    }
    plain = None if modern else whole(pixels[train], size)

    model = build(options.model).to(memory_format=torch.channels_last)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.kaiming_normal_(parameter)
        else:
            torch.nn.init.zeros_(parameter)
    # A short last batch would upset the statistics: its photos come in another epoch.
    batches = max(1, len(train) // batch_size)
    optimizer, schedule = optimizer_and_schedule(model, modern, options.epochs * batches)
    average = Average(model) if modern else None
    start = time.perf_counter()
    for epoch in range(1, options.epochs + 1):
        model.train()
        total = 0.0
        for chosen in torch.randperm(len(train))[: batches * batch_size].split(batch_size):
            targets = F.one_hot(labels[train[chosen]], CLASSES).float()
            if modern:
                photos, targets = mix(augment(pixels[train[chosen]], size), targets)
            else:
                photos = plain[chosen]
            smoothing = LABEL_SMOOTHING if modern else 0.0
            loss = F.cross_entropy(model(photos), targets, label_smoothing=smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            if average:
                average.update(model)
            total += loss.item()
        judged = average.model if average else model
        found = accuracy(judged, *held_back["validation"], mirrored=False)
        seconds = time.perf_counter() - start
        print(f"Epoch {epoch}: cost={total / batches:.3f}, validation={found:.3f} ({seconds:.0f} secs)", flush=True)
    report = {**vars(options), "batch": batch_size, "torch": torch.__version__, "seconds": round(seconds, 1)}
    report["test_accuracy"] = round(accuracy(judged, *held_back["test"], mirrored=False), 4)
    report["test_accuracy_mirrored"] = round(accuracy(judged, *held_back["test"], mirrored=True), 4)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
