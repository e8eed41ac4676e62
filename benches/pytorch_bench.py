"""Speed of the flower models in PyTorch: training and inference, eager and compiled, as JSON.

    python benches/pytorch_bench.py --models residual_flower --batches 10 --modes eager --threads 2
    python benches/pytorch_bench.py --models residual_flower --batches 10 32 --modes eager --device cuda

Photos are random; on a CPU in channels-last order, PyTorch's faster layout there, on a GPU in both orders, of which the
faster one counts, each pass by itself. Arithmetic is f32 throughout: TF32 is off. A figure is the median of several passes;
the passes of training and inference take turns, so that a busy moment of the machine touches both.
Needs torch; compiling needs a C++ compiler too.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "golden"))
from flower_models import CLASSES, MODELS, build  # noqa: E402


def wait(device):
    """Until a GPU has done what it was told: calls return before."""
    if device == "cuda":
        torch.cuda.synchronize()


def seconds_per_call(call, seconds, device="cpu"):
    """Mean seconds of a call, repeated for at least `seconds`; a GPU is waited for every 10 calls."""
    calls, start = 0, time.perf_counter()
    while True:
        for _ in range(10 if device == "cuda" else 1):
            call()
            calls += 1
        wait(device)
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return elapsed / calls


def measure(name, batch_size, mode, device, layout, passes, seconds):
    """Images a second to train and to classify, and milliseconds to classify one photo, medians of `passes`."""
    torch._dynamo.reset()
    size = MODELS[name][1]
    photos = torch.rand(batch_size, 3, size, size).mul(2).sub(1).to(device).contiguous(memory_format=layout)
    labels = torch.randint(CLASSES, (batch_size,)).to(device)
    trained, frozen = (build(name).to(device=device, memory_format=layout) for _ in range(2))
    trained.train()
    frozen.eval()
    optimizer = torch.optim.Adam(trained.parameters(), lr=0.001)
    train_forward, infer_forward = trained, frozen
    if mode == "compiled":
        train_forward, infer_forward = (torch.compile(model, dynamic=False) for model in (trained, frozen))

    def train():
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(train_forward(photos), labels).backward()
        optimizer.step()

    def infer(batch):
        with torch.inference_mode():
            infer_forward(batch)

    calls = [train, lambda: infer(photos), lambda: infer(photos[:1])]
    for call in calls:  # Compilation and first allocations are no part of the figure.
        call()
        call()
    wait(device)
    times = [[seconds_per_call(call, seconds, device) for call in calls] for _ in range(passes)]
    train_s, infer_s, one_s = (statistics.median(column) for column in zip(*times))
    return {
        "train_images_per_s": round(batch_size / train_s, 1),
        "infer_images_per_s": round(batch_size / infer_s, 1),
        "infer_ms_per_image": round(one_s * 1000, 3),
    }


def fastest(name, batch_size, mode, device, passes, seconds):
    """What `measure` finds, the better of both memory layouts where the device has two worth trying."""
    layouts = [torch.channels_last] + ([torch.contiguous_format] if device == "cuda" else [])
    runs = [measure(name, batch_size, mode, device, layout, passes, seconds) for layout in layouts]
    best = {"train_images_per_s": max, "infer_images_per_s": max, "infer_ms_per_image": min}
    return {figure: better(run[figure] for run in runs) for figure, better in best.items()}


def arguments(description):
    """What every comparison can be told; benches/onnxruntime_bench.py reads the same."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--batches", nargs="+", type=int, default=[10, 32])
    parser.add_argument("--threads", nargs="+", type=int, default=[2, 1])
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a pass")
    return parser


def main():
    parser = arguments(__doc__)
    parser.add_argument("--modes", nargs="+", choices=["eager", "compiled"], default=["eager", "compiled"])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    options = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    results = []
    # On a GPU the processor's threads have nothing to do.
    for threads in options.threads if options.device == "cpu" else [1]:
        torch.set_num_threads(threads)
        for name in options.models:
            for batch_size in options.batches:
                for mode in options.modes:
                    run = {"model": name, "batch": batch_size, "mode": mode, "threads": threads}
                    run.update(fastest(name, batch_size, mode, options.device, options.passes, options.seconds))
                    print(run, file=sys.stderr, flush=True)
                    results.append(run)
    device = torch.cuda.get_device_name() if options.device == "cuda" else "cpu"
    print(json.dumps({"torch": torch.__version__, "device": device, "runs": results}, indent=1))


if __name__ == "__main__":
    main()
