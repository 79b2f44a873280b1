"""The PyTorch side of `datagnosis_peer.py`: the twin of our CNN, and its training."""

import importlib
import sys
import tempfile
import types

from timing import FASHION_MNIST, THREADS


def twin(num_classes, width=32):
    """Returns the layers of `keras_pruning.models.networks.cnn` in channels-last memory format."""
    import torch
    from torch import nn

    layers, channels = [], 1
    for filters in (width, 2 * width, 4 * width):
        convolution = nn.Conv2d(channels, filters, 3, stride=2, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(filters, momentum=0.1, eps=1e-5), nn.ReLU()]
        channels = filters
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes)]
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def plain(num_examples, epochs, batch_size, learning_rate):
    """Returns a function that trains the twin in a bare loop."""
    x, y, num_classes = _data(num_examples)

    def train():
        parts = _parts(num_classes, learning_rate)
        for _ in range(epochs):
            _train_one_epoch(*parts, x, y, batch_size)

    return train


def epoch(num_examples, batch_size, learning_rate):
    """Returns a function that trains the twin for one more epoch."""
    x, y, num_classes = _data(num_examples)
    parts = _parts(num_classes, learning_rate)
    return lambda: _train_one_epoch(*parts, x, y, batch_size)


def _train_one_epoch(model, loss, optimizer, x, y, batch_size):
    import torch

    for rows in torch.randperm(len(x)).split(batch_size):
        optimizer.zero_grad()
        loss(model(x[rows]), y[rows]).backward()
        optimizer.step()


def plugin(score, num_examples, epochs, batch_size, learning_rate):
    """Returns a function that trains the twin with the plug-in of datagnosis for `score`.

    The files that the plug-in writes at every step go to a folder that this process removes.
    """
    stand_in_for_torchvision()
    from datagnosis.plugins.core.datahandler import DataHandler

    module = importlib.import_module(f"datagnosis.plugins.generic.plugin_{score}")
    x, y, num_classes = _data(num_examples)
    folder = tempfile.TemporaryDirectory(prefix="keras_pruning-")
    own = {"aum": {"save_dir": folder.name}, "forgetting": {"total_samples": len(x)}}

    def train():
        model, loss, optimizer = _parts(num_classes, learning_rate)
        scoring = module.plugin(
            model, loss, optimizer, learning_rate, epochs, num_classes, **own.get(score, {})
        )
        data = DataHandler(x, y, batch_size=batch_size)
        scoring.fit(data, use_caches_if_exist=False, workspace=folder.name)
        return scoring.scores

    return train


def stand_in_for_torchvision():
    """Replaces torchvision, which datagnosis imports for features that are not used here.

    PyPI's torchvision cannot be imported together with a CPU build of torch.
    """
    package = types.ModuleType("torchvision")
    for name in ("transforms", "datasets"):
        module = types.ModuleType(f"torchvision.{name}")
        setattr(package, name, module)
        sys.modules[f"torchvision.{name}"] = module
    sys.modules["torchvision"] = package


def _data(num_examples):
    import torch

    import keras_pruning as kp

    torch.set_num_threads(THREADS)
    examples = kp.load_examples(FASHION_MNIST, fraction=num_examples / 60_000)
    x = torch.from_numpy(examples.stored_inputs(slice(None))).permute(0, 3, 1, 2) / 255
    return x.contiguous(), torch.from_numpy(examples.labels), examples.num_classes


def _parts(num_classes, learning_rate):
    import torch

    model = twin(num_classes)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=learning_rate, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    return model, torch.nn.CrossEntropyLoss(), optimizer
