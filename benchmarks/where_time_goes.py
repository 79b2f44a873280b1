"""Where the time goes in a training step, the neighbour search, prediction depth and GraNd.

TensorFlow's profiler notes when each thread begins and ends an operation. The functions of NumPy in
`STEPS` are noted in the same way. A row is the share of one kind of work in all that the threads
did, not counting the time in which a function waits for those that it calls.

python benchmarks/where_time_goes.py [EXAMPLES] [VECTORS]
"""

import contextlib
import re
import tempfile
from collections import Counter
from pathlib import Path
from unittest import mock

import knn
import training_step
from rows import Row, main
from timing import FASHION_MNIST, tensorflow

# Kinds of work, each with a pattern of "thread | operation". The first that matches counts.
KINDS = {
    "reading and shuffling batches": r"^tf_data",
    "candidates among products (NumPy)": r"NumPy: (offer|offer_above)$",
    "settling near ties, sorting (NumPy)": r"NumPy: _settled$",
    "centring and copying vectors (NumPy)": r"NumPy: (centered|with_halves)$",
    "votes and depths (NumPy)": r"NumPy: (vote|depth)$",
    "convolutions, backward": r"Conv\w*Backprop",
    "convolutions, forward": r":\w*Conv\w*$",
    "matrix products": r":\w*(MatMul|Einsum)\w*$",
    "normalization": r"norm|moments",
    "optimizer": r"sgd|adam|Assign\w*Variable",
    "copies": r":\w*(Transpose|Reshape|Concat\w*|Slice|Gather\w*|Pad|Cast|Pack)$",
    "sums, activations": r":\w*(Relu\w*|Mul|Sum|Add\w*|Sub|Mean|RealDiv|Square|Greater|Bias\w*)$",
    "scheduling operations": r"Executor",
}
# Functions of NumPy, by the object that has them.
STEPS = {
    "keras_pruning.backend.tensorflow.candidate_tiles:Tile": ("offer", "offer_above"),
    "keras_pruning.backend.tensorflow.neighbor_search:Search": ("_settled", "centered"),
    "keras_pruning.backend.tensorflow.candidate_walks": ("with_halves",),
    "keras_pruning.embeddings.neighbors": ("vote",),
    "keras_pruning.scores.prediction_depth": ("depth",),
}
# Less is not told
LEAST = 2.0


def shares(function):
    """Calls a function once and returns the share of each kind of work in percent."""
    tf = tensorflow()
    with tempfile.TemporaryDirectory() as folder, _noted(tf):
        with tf.profiler.experimental.Profile(folder):
            function()
        (path,) = Path(folder).rglob("*.xplane.pb")
        times = _times(path)
    kinds = Counter()
    for event, time in times.items():
        kinds[_kind(event)] += time
    total = sum(kinds.values())
    return {kind: 100 * time / total for kind, time in kinds.most_common()}


@contextlib.contextmanager
def _noted(tf):
    """Notes the functions of `STEPS` in the profile."""
    import importlib

    with contextlib.ExitStack() as patches:
        for place, names in STEPS.items():
            module, _, attribute = place.partition(":")
            owner = importlib.import_module(module)
            owner = getattr(owner, attribute) if attribute else owner
            for name in names:
                traced = _traced(tf, getattr(owner, name), name)
                patches.enter_context(mock.patch.object(owner, name, traced))
        yield


def _traced(tf, function, name):
    def call(*arguments, **options):
        with tf.profiler.experimental.Trace(f"NumPy: {name}"):
            return function(*arguments, **options)

    return call


def _times(path):
    """Returns the time of each "thread | operation" by itself, a `Counter` in picoseconds."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space, times = xplane_pb2.XSpace(), Counter()
    space.ParseFromString(path.read_bytes())
    for plane in space.planes:
        for line in plane.lines:
            open_events = []
            for event in sorted(line.events, key=lambda e: (e.offset_ps, -e.duration_ps)):
                name = f"{line.name} | {plane.event_metadata[event.metadata_id].name}"
                # A mark inside of an operation
                if name.endswith("ParallelFor"):
                    continue
                while open_events and open_events[-1][1] <= event.offset_ps:
                    open_events.pop()
                # The time of an inner event is not that of the outer one
                if open_events:
                    times[open_events[-1][0]] -= event.duration_ps
                times[name] += event.duration_ps
                open_events.append((name, event.offset_ps + event.duration_ps))
    return Counter({name: time for name, time in times.items() if not _waits(name)})


def _waits(event):
    """Returns whether a thread only waits for others, as Python does for TensorFlow."""
    thread, _, operation = event.partition(" | ")
    return "NumPy" not in operation and ("python" in thread or thread.isdigit() or not thread)


def _kind(event):
    found = (kind for kind, pattern in KINDS.items() if re.search(pattern, event))
    return next(found, "the rest")


def measure(num_examples=5_000, num_vectors=20_000):
    tensorflow()
    import keras

    import keras_pruning as kp
    from keras_pruning.models import loading

    examples = kp.load_examples(FASHION_MNIST, fraction=num_examples / 60_000)
    keras.utils.set_random_seed(0)
    small, deep = (
        loading.build(name, examples.spec, examples.num_classes, width=width)
        for name, width in (("cnn", 32), ("resnet18", 16))
    )

    def score(model, name):
        return lambda: kp.score_checkpoints([model], examples, [name])

    works = {
        f"a training epoch, `cnn`, {num_examples:,} images": training_step.epoch_of_keras(
            num_examples, True
        ),
        f"`nearest`, {num_vectors:,} × {num_vectors:,} × 512": knn.ours(num_vectors, 512, 30),
        f"prediction depth, `resnet18` of width 16, {num_examples:,} images": score(
            deep, "prediction_depth"
        ),
        f"`grand`, `resnet18` of width 16, {num_examples:,} images": score(deep, "grand"),
        f"`grand`, `cnn`, {num_examples:,} images": score(small, "grand"),
    }
    for work, function in works.items():
        function()  # traces the graphs
        for kind, share in shares(function).items():
            if share >= LEAST:
                yield Row(work, kind, share, unit="%")


if __name__ == "__main__":
    main(measure)
