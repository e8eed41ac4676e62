"""The four flower models in PyTorch, written from the notation's description and not from Floret's code.

A layer is `[kind, options, child...]`; macros are Python functions that return layers.
Tensors are NCHW here, as PyTorch has them; a flattened tensor is in height, width, channel order, as Floret has it.
"""

import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 5


def conv(ksize, chn, stride=1):
    return ["conv", {"ksize": ksize, "chn": chn, "stride": stride}]


def pool(kind, stride, ksize=None):
    return [kind, {"stride": stride, "ksize": ksize or stride}]


def serial(*children):
    return ["serial", {}, *children]


def parallel(*children):
    return ["parallel", {}, *children]


def add(x, *children):
    return ["add", {"x": x}, *children]


def pn(n, cnt1):
    return serial(conv(3, n, 2), *[conv(3, n)] * cnt1)


def rfull(n, cnt):
    return serial(*[add(True, serial(conv(3, n), conv(3, n)))] * cnt)


def rhalf(n, cnt1):
    return serial(add(False, serial(conv(3, n, 2), conv(3, n)), pool("avg", 2)), rfull(n, cnt1))


def bfull(n1, n4, cnt):
    return serial(*[add(True, serial(conv(1, n1), conv(3, n1), conv(1, n4)))] * cnt)


def bhalf(n1, n4, cnt1):
    half = add(False, serial(conv(1, n1, 2), conv(3, n1), conv(1, n4)), pool("avg", 2))
    return serial(half, bfull(n1, n4, cnt1))


def cross(chn):
    return parallel(conv([1, 3], chn), conv([3, 1], chn))


I1 = parallel(conv(1, 4), conv(3, 6), serial(conv(3, 6), conv(3, 6)), serial(pool("avg", 1, 3), conv(1, 4)))
R = parallel(conv(3, 12, 2), serial(conv(3, 12), conv(3, 12, 2)), pool("avg", 2, 3))
I2 = parallel(
    conv(1, 8),
    serial(conv(3, 8), cross(8)),
    serial(conv(1, 8), conv(3, 8), cross(8)),
    serial(pool("avg", 1, 3), conv(1, 8)),
)

# name: body, input size, parameters of convolutions and dense layers
MODELS = {
    "inception_flower": (
        serial(conv(3, 6, 2), I1, R, I1, R, I2, R, I2, pool("avg", 6), ["dropout", {"keep_prob": 0.7}]),
        96,
        43_885,
    ),
    "plain_flower": (
        serial(conv(7, 16, 2), pool("max", 2), *[conv(3, 16)] * 4, pn(32, 3), pn(64, 3), pool("avg", 4)),
        64,
        173_637,
    ),
    "residual_flower": (
        serial(conv(7, 16, 2), pool("max", 2), rfull(16, 2), rhalf(32, 1), rhalf(64, 1), pool("avg", 4)),
        64,
        173_637,
    ),
    "bottleneck_flower": (
        serial(
            conv(7, 16, 2),
            pool("max", 2, 3),
            bfull(16, 64, 1),
            bhalf(32, 128, 2),
            bhalf(64, 256, 1),
            pool("avg", 4),
        ),
        64,
        189_925,
    ),
}


class Window(nn.Module):
    """A strided operation under SAME: window j starts at `j·s + (s−1)//2 − (k−1)//2`, the output has `size // s`.

    `operation` is called with the input and symmetric padding where PyTorch's own gives those windows, and otherwise
    with an input padded (or, below zero, cropped) to the exact extent and no padding.
    """

    def __init__(self, ksize, stride, size, fill):
        super().__init__()
        self.ksize, self.stride, self.fill = ksize, stride, fill
        self.out_size = [n // s for n, s in zip(size, stride)]
        before = [(k - 1) // 2 - (s - 1) // 2 for k, s in zip(ksize, stride)]
        after = [
            (out - 1) * s + k - b - n for out, s, k, b, n in zip(self.out_size, stride, ksize, before, size)
        ]
        own = [(n + 2 * b - k) // s + 1 for n, b, k, s in zip(size, before, ksize, stride)]
        self.simple = min(before) >= 0 and own == self.out_size
        self.padding = before if self.simple else [0, 0]
        self.extent = [before[1], after[1], before[0], after[0]]

    def forward(self, x):
        return self.operation(x if self.simple else F.pad(x, self.extent, value=self.fill))


class Conv(Window):
    def __init__(self, in_channels, options, size, actions):
        ksize, stride = _pair(options["ksize"]), _pair(options["stride"])
        super().__init__(ksize, stride, size, 0.0)
        self.actions = actions
        self.linear = nn.Conv2d(in_channels, options["chn"], ksize, stride, self.padding)
        self.norm = nn.BatchNorm2d(options["chn"], eps=1e-5, momentum=0.1, affine=False)

    def operation(self, x):
        for action in self.actions:
            x = {"L": self.linear, "A": F.relu, "B": self.norm}[action](x)
        return x


class Max(Window):
    def operation(self, x):
        return F.max_pool2d(x, self.ksize, self.stride, self.padding)


class Average(Window):
    def operation(self, x):
        return F.avg_pool2d(x, self.ksize, self.stride, self.padding, count_include_pad=False)

    def forward(self, x):
        mean = super().forward(x)
        # Explicit zeros count as pixels to PyTorch: take them out again.
        return mean if self.simple else mean / super().forward(torch.ones_like(x))


class Parallel(nn.Module):
    def __init__(self, children):
        super().__init__()
        self.branches = nn.ModuleList(children)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class Add(nn.Module):
    def __init__(self, children, x):
        super().__init__()
        self.branches, self.x = nn.ModuleList(children), x

    def forward(self, x):
        total = self.branches[0](x)
        summands = [branch(x) for branch in self.branches[1:]] + ([x] if self.x else [])
        for summand in summands:
            repeat = total.shape[1] // summand.shape[1]
            total = total + (summand if repeat == 1 else summand.repeat(1, repeat, 1, 1))
        return total


class Head(nn.Module):
    """Flattens in height, width, channel order, then a dense layer."""

    def __init__(self, in_features):
        super().__init__()
        self.linear = nn.Linear(in_features, CLASSES)

    def forward(self, x):
        return self.linear(x.permute(0, 2, 3, 1).flatten(1))


def _pair(value):
    return list(value) if isinstance(value, list) else [value, value]


def _layer(spec, channels, size, actions):
    """A layer's module, output channels and output size."""
    kind, options, *specs = spec
    if kind == "conv":
        module = Conv(channels, options, size, actions)
        return module, options["chn"], module.out_size
    if kind in ("max", "avg"):
        window = Max if kind == "max" else Average
        fill = float("-inf") if kind == "max" else 0.0
        module = window(_pair(options["ksize"]), _pair(options["stride"]), size, fill)
        return module, channels, module.out_size
    if kind == "dropout":
        return nn.Dropout(1 - options["keep_prob"]), channels, size
    if kind == "serial":
        modules = []
        for child in specs:
            module, channels, size = _layer(child, channels, size, actions)
            modules.append(module)
        return nn.Sequential(*modules), channels, size
    modules, counts, sizes = zip(*[_layer(child, channels, size, actions) for child in specs])
    assert all(other == sizes[0] for other in sizes), f"children of {kind} differ in size: {sizes}"
    if kind == "parallel":
        return Parallel(modules), sum(counts), sizes[0]
    assert kind == "add", kind
    summands = counts + ((channels,) if options["x"] else ())
    assert all(counts[0] % count == 0 for count in summands), f"channels of add: {summands}"
    return Add(modules, options["x"]), counts[0], sizes[0]


def build(name, actions="LAB"):
    """A flower model with its head for five classes; its parameters come in the order of the text."""
    body, size, parameters = MODELS[name]
    module, channels, out_size = _layer(body, 3, [size, size], actions)
    model = nn.Sequential(module, Head(channels * out_size[0] * out_size[1]))
    total = sum(parameter.numel() for parameter in model.parameters())
    assert total == parameters, f"{name} has {total} parameters, not {parameters}"
    return model
