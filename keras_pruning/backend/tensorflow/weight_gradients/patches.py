"""The inputs that a convolution multiplies its kernel with."""

import itertools

import tensorflow as tf


def shifted_inputs(x, kernel_size, strides, dilation, padding, output_size):
    """Returns the input of a convolution for each entry of its kernel.

    Args:
        x: tensor `(batch, *size, channels)` of 1, 2 or 3 spatial axes of known size.
        kernel_size, strides, dilation: integers for each spatial axis.
        padding: `"valid"`, `"same"` or `"causal"`.
        output_size: integers, the spatial shape of the output.

    Returns:
        List of tensors `(batch, *output_size, channels)`, in the order of the kernel.
    """
    axes = list(zip(x.shape[1:-1], kernel_size, strides, dilation, output_size, strict=True))
    x = tf.pad(x, [(0, 0), *(_pads(*axis, padding) for axis in axes), (0, 0)])
    phases = _phases(x, strides)
    shifted = []
    for entry in itertools.product(*map(range, kernel_size)):
        starts = [place * step for place, step in zip(entry, dilation, strict=True)]
        phase = phases[tuple(start % stride for start, stride in zip(starts, strides, strict=True))]
        first = [start // stride for start, stride in zip(starts, strides, strict=True)]
        kept = [slice(at, at + size) for at, size in zip(first, output_size, strict=True)]
        shifted.append(phase[(slice(None), *kept)])
    return shifted


def _pads(size, kernel, stride, step, output, padding):
    """Returns the zeros before and after an axis, up to a multiple of the stride."""
    reach = (kernel - 1) * step
    needed = (output - 1) * stride + reach + 1
    before = {"valid": 0, "causal": reach, "same": max(needed - size, 0) // 2}[padding]
    longest = max(needed, before + size)
    return before, longest + -longest % stride - before - size


def _phases(x, strides):
    """Returns a dictionary from first positions to every `strides`-th position of `x` from there.

    A strided slice of TensorFlow would take many times as long.
    """
    split = [(size // stride, stride) for size, stride in zip(x.shape[1:-1], strides, strict=True)]
    if all(stride == 1 for stride in strides):
        return {(0,) * len(strides): x}
    x = tf.reshape(x, (-1, *itertools.chain(*split), x.shape[-1]))
    count = len(strides)
    inside = [2 + 2 * axis for axis in range(count)]
    x = tf.transpose(x, (*inside, 0, *(axis - 1 for axis in inside), 2 * count + 1))
    return {phase: x[phase] for phase in itertools.product(*map(range, strides))}
