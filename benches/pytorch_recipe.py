"""Trains a flower model in PyTorch as a Floret model file says it was trained, to tell engine and recipe apart.

    floret train PHOTOS --model residual_flower --out m.safetensors
    python benches/pytorch_recipe.py m.safetensors PHOTOS --model residual_flower --seed 1

The split of the photos (by the hash of their content), the input size and every setting of the recipe are read from the
file; only the random numbers differ. Prints a line of JSON. Needs torch, numpy, pillow and blake3.
"""

import argparse
import copy
import json
import math
import struct
import sys
import time
from pathlib import Path

import blake3
import numpy as np
import torch
from PIL import Image, ImageOps
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "golden"))
from flower_models import CLASSES, MODELS, build  # noqa: E402

EVALUATION_BATCH = 64
LUMA = torch.tensor([0.299, 0.587, 0.114])


def metadata(path):
    """The metadata of a safetensors file, its JSON values parsed."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        texts = json.loads(file.read(length))["__metadata__"]
    return {name: json.loads(texts[name]) for name in ("training", "splits", "preprocessing", "classes", "mirror", "looks")}


def load(folder, stated):
    """Photos squeezed to the stored size as uint8 [n, 3, size, size], labels and parts; copies of a photo count once."""
    size = stated["preprocessing"]["stored_size"]
    photos, labels, parts, seen = [], [], [], set()
    for label, name in enumerate(stated["classes"]):
        for file in sorted((Path(folder) / name).iterdir()):
            identity = blake3.blake3(file.read_bytes()).hexdigest()[:32]
            if identity in seen:
                continue
            seen.add(identity)
            image = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
            photos.append(np.asarray(image.resize((size, size), Image.Resampling.BILINEAR)))
            labels.append(label)
            parts.append(stated["splits"][identity])
    pixels = torch.from_numpy(np.stack(photos)).permute(0, 3, 1, 2).contiguous()
    return pixels, torch.tensor(labels), np.array(parts)


def sample(pixels, matrix, size):
    """Normalised photos seen through `matrix`, which leads from the input to the stored photo, both in -1..1."""
    grid = F.affine_grid(matrix, [len(pixels), 3, size, size], align_corners=False)
    return F.grid_sample(pixels.float() / 127.5 - 1, grid, padding_mode="border", align_corners=False)


def middle(pixels, size, part=1.0, mirror=1.0):
    """The middle `part` of each side, or its mirror image."""
    matrix = torch.tensor([[mirror * part, 0.0, 0.0], [0.0, part, 0.0]], device=pixels.device).expand(len(pixels), 2, 3)
    return sample(pixels, matrix, size)


def augment(pixels, size, settings):
    """A random view of each photo: crop, mirror image, turn, colour, cutout, as src/data/augment.rs has them."""
    count, device = len(pixels), pixels.device
    uniform = lambda low, high: torch.empty(count, device=device).uniform_(low, high)  # noqa: E731
    area, ratio = uniform(settings["crop_area_min"], 1), settings["crop_aspect_max"]
    aspect = uniform(-math.log(ratio), math.log(ratio)).exp()
    width, height = (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)
    mirror = torch.where(uniform(0, 1) < (0.5 if settings["flip"] else 0.0), -1.0, 1.0)
    angle = uniform(-1, 1) * math.radians(settings["rotation"])
    rows = [
        [width * angle.cos() * mirror, -width * angle.sin(), uniform(-1, 1) * (1 - width)],
        [height * angle.sin() * mirror, height * angle.cos(), uniform(-1, 1) * (1 - height)],
    ]
    photos = sample(pixels, torch.stack([torch.stack(row, 1) for row in rows], 1), size)

    factor = lambda name: 1 + settings[name] * uniform(-1, 1).view(-1, 1, 1, 1)  # noqa: E731
    brightness, contrast, saturation = factor("brightness"), factor("contrast"), factor("saturation")
    grey = (photos * LUMA.to(device).view(1, 3, 1, 1)).sum(1, keepdim=True)
    photos = brightness * contrast * (grey + saturation * (photos - grey)) + contrast * (brightness - 1)
    if settings["cutout"] > 0:
        at = (torch.arange(size, device=device) + 0.5) / size
        inside = [(at - uniform(0, 1)[:, None]).abs() < settings["cutout"] / 2 for _ in range(2)]
        photos = photos * ~(inside[0][:, None, :, None] & inside[1][:, None, None, :])
    return photos


def batch(pixels, labels, chosen, size, recipe):
    """The photos and target distributions of a step."""
    settings = recipe["augmentation"]
    photos, targets = augment(pixels[chosen], size, settings), F.one_hot(labels[chosen], CLASSES).float()
    if settings["mixup"] > 0:
        other = chosen[torch.randperm(len(chosen), device=chosen.device)]
        share = torch.distributions.Beta(settings["mixup"], settings["mixup"]).sample([len(chosen)]).to(photos)
        blend = lambda mine, theirs, share: share * mine + (1 - share) * theirs  # noqa: E731
        photos = blend(photos, augment(pixels[other], size, settings), share.view(-1, 1, 1, 1))
        targets = blend(targets, F.one_hot(labels[other], CLASSES).float(), share.view(-1, 1))
    return photos.contiguous(memory_format=torch.channels_last), targets


def learning_rate(recipe, step, steps):
    """As src/recipe.rs has it."""
    schedule, peak = recipe["schedule"], recipe["learning_rate"]
    if schedule["kind"] == "constant":
        return peak
    done, warm_up = step + 0.5, max(schedule["warmup"] * steps, 1.0)
    if done < warm_up:
        return peak * done / warm_up
    return peak * 0.5 * (1 + math.cos(math.pi * min((done - warm_up) / max(steps - warm_up, 1.0), 1.0)))


@torch.no_grad()
def follow(average, model, decay):
    """Moves averaged weights and running statistics towards the model's."""
    for mine, new in zip(average.state_dict().values(), model.state_dict().values()):
        mine.lerp_(new, 1 - decay) if mine.is_floating_point() else mine.copy_(new)


@torch.inference_mode()
def accuracy(model, pixels, labels, size, mirror, looks):
    """Share of photos classified right by the mean of the answers to the middles `looks` and, with `mirror`, their mirror images."""
    model.eval()
    right = 0
    for photos, truth in zip(pixels.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH)):
        views = [(part, side) for part in looks for side in ([1.0, -1.0] if mirror else [1.0])]
        answers = sum(model(middle(photos, size, *view)).softmax(1) for view in views)
        right += (answers.argmax(1) == truth).sum().item()
    return right / len(labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="model file with the split and the recipe")
    parser.add_argument("photos", help="folder of class folders")
    parser.add_argument("--model", choices=MODELS, default="residual_flower")
    parser.add_argument("--actions", default="LAB", help="order of the parts of a convolution")
    parser.add_argument("--epochs", type=int, help="default: the file's")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.manual_seed(options.seed)

    stated = metadata(options.file)
    recipe = stated["training"]["recipe"]
    epochs, size = options.epochs or recipe["epochs"], MODELS[options.model][1]
    pixels, labels, parts = load(options.photos, stated)
    pixels, labels = pixels.to(options.device), labels.to(options.device)
    train, test = (torch.from_numpy(np.flatnonzero(parts == part)).to(options.device) for part in ("train", "test"))

    model = build(options.model, options.actions).to(options.device, memory_format=torch.channels_last)
    for parameter in model.parameters():
        torch.nn.init.kaiming_normal_(parameter) if parameter.dim() > 1 else torch.nn.init.zeros_(parameter)
    kernels = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    others = [parameter for parameter in model.parameters() if parameter.dim() == 1]
    groups = [{"params": kernels, "weight_decay": recipe["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, eps=recipe["optimizer"]["epsilon"])
    average = copy.deepcopy(model)
    steps = epochs * math.ceil(len(train) / recipe["batch_size"])
    start, step = time.perf_counter(), 0
    for _ in range(epochs):
        model.train()
        for chosen in train[torch.randperm(len(train), device=train.device)].split(recipe["batch_size"]):
            photos, targets = batch(pixels, labels, chosen, size, recipe)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(recipe, step, steps)
            loss = F.cross_entropy(model(photos), targets, label_smoothing=recipe["label_smoothing"])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            follow(average, model, recipe["weight_average"])
            step += 1
    report = {**vars(options), "epochs": epochs, "torch": torch.__version__}
    report["seconds"] = round(time.perf_counter() - start, 1)
    report["test_accuracy"] = round(accuracy(average, pixels[test], labels[test], size, stated["mirror"], stated["looks"]), 4)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
