"""Speed of the flower models in ONNX Runtime on the CPU, exported from PyTorch; inference alone, as JSON.

    python benches/onnxruntime_bench.py --models residual_flower --batches 10 --threads 2

Needs torch, onnx, onnxscript and onnxruntime.
"""

import io
import json
import statistics
import sys
from pathlib import Path

import onnxruntime
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
from pytorch_bench import MODELS, arguments, build, seconds_per_call  # noqa: E402


def session(name, threads):
    """A session of the model, for any number of photos."""
    size = MODELS[name][1]
    file = io.BytesIO()
    batch = torch.export.Dim("batch")
    program = torch.onnx.export(
        build(name).eval(), (torch.rand(2, 3, size, size),), dynamo=True, dynamic_shapes=({0: batch},), verbose=False
    )
    program.save(file)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])


def measure(name, batch_size, threads, passes, seconds):
    """Images a second to classify, and milliseconds to classify one photo, medians of `passes`."""
    size = MODELS[name][1]
    run = session(name, threads)
    key = run.get_inputs()[0].name
    photos = torch.rand(batch_size, 3, size, size).mul(2).sub(1).numpy()
    calls = [lambda: run.run(None, {key: photos}), lambda: run.run(None, {key: photos[:1]})]
    for call in calls:
        call()
    times = [[seconds_per_call(call, seconds) for call in calls] for _ in range(passes)]
    infer_s, one_s = (statistics.median(column) for column in zip(*times))
    return {"infer_images_per_s": round(batch_size / infer_s, 1), "infer_ms_per_image": round(one_s * 1000, 3)}


def main():
    options = arguments(__doc__).parse_args()
    results = []
    for threads in options.threads:
        for name in options.models:
            for batch_size in options.batches:
                run = {"model": name, "batch": batch_size, "threads": threads}
                run.update(measure(name, batch_size, threads, options.passes, options.seconds))
                results.append(run)
    print(json.dumps({"onnxruntime": onnxruntime.__version__, "runs": results}, indent=1))


if __name__ == "__main__":
    main()
