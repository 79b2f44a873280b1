"""Rules that count the floating-point operations of a TensorFlow graph.

A multiplication and an addition of a matrix product or a convolution are two operations. Any other
arithmetic, such as an activation, a mean or a normalisation, is one operation for each element of
its larger side, and moving data is none. A graph with an operation of floats that has no rule is
not counted at all.
"""

import math

import tensorflow as tf

# Operations that move data, of which the shape or the place changes and not the values.
_FREE = (
    "AssignVariableOp BatchToSpaceND Bitcast BroadcastGradientArgs BroadcastTo Cast CheckNumerics "
    "Concat ConcatOffset ConcatV2 ConjugateTranspose Const DepthToSpace EnsureShape ExpandDims "
    "Fill Gather GatherNd GatherV2 Identity IdentityN MatrixBandPart MatrixDiagV3 "
    "MatrixDiagPartV3 MirrorPad MirrorPadGrad NoOp OneHot OnesLike Pack Pad PadV2 Placeholder "
    "PreventGradient Range ReadVariableOp ResizeNearestNeighbor ResourceGather ResourceGatherNd "
    "Reshape Reverse ReverseV2 Roll ScatterNd Select SelectV2 Shape ShapeN Size Slice "
    "SpaceToBatchND SpaceToDepth Split SplitV Squeeze StopGradient StridedSlice StridedSliceGrad "
    "TensorScatterUpdate Tile Transpose Unpack VariableShape Where ZerosLike"
)
# Operations that take one operation for each element of their larger side.
_SIMPLE = (
    "Abs Acos Acosh Add AddV2 ArgMax ArgMin Asin Asinh Assert AssignAddVariableOp "
    "AssignSubVariableOp Atan Atan2 Atanh BiasAdd BiasAddGrad Ceil Cos Cosh Cumprod Cumsum Div "
    "DivNoNan Elu EluGrad Equal Erf Erfc Erfinv EuclideanNorm Exp Expm1 Floor FloorDiv FloorMod "
    "Greater GreaterEqual InvGrad IsFinite IsInf IsNan L2Loss LeakyRelu LeakyReluGrad Less "
    "LessEqual Lgamma Log Log1p Max Maximum Mean Min Minimum Mod Mul MulNoNan Neg NotEqual Pow "
    "Prod RandomStandardNormal RandomUniform RealDiv Reciprocal ReciprocalGrad Relu Relu6 "
    "Relu6Grad ReluGrad ResizeNearestNeighborGrad Rint Round Rsqrt RsqrtGrad SegmentMean "
    "SegmentSum Selu SeluGrad Sigmoid SigmoidGrad Sign Sin Sinh Softplus SoftplusGrad Softsign "
    "SoftsignGrad SparseSegmentSum Sqrt SqrtGrad Square SquaredDifference "
    "StatelessRandomNormalV2 StatelessRandomUniformV2 StatelessTruncatedNormalV2 Sub Sum Tan Tanh "
    "TanhGrad TensorScatterAdd TruncatedNormal UnsortedSegmentSum Xdivy Xlogy"
)
_CALLS = frozenset(("PartitionedCall", "StatefulPartitionedCall"))
# Kinds of numbers that are no floats, and text.
_PLAIN = frozenset(
    (
        *(tf.bool, tf.string, tf.int8, tf.int16, tf.int32, tf.int64),
        *(tf.uint8, tf.uint16, tf.uint32, tf.uint64),
    )
)


class NotCounted(Exception):
    """An operation of a graph has no rule, or a shape that is not known."""


def operations_in(graph, outputs):
    """Returns the number of floating-point operations that some outputs of a graph need.

    Operations that no output depends on are left out, as TensorFlow prunes them too.

    Args:
        graph: `tf.Graph`.
        outputs: list of its tensors, and of operations that run for their effects.

    Raises:
        NotCounted: if an operation of floats has no rule, or a shape is not known.
    """
    reached, queue = {}, [getattr(output, "op", output) for output in outputs]
    while queue:
        operation = queue.pop()
        if operation.name not in reached:
            reached[operation.name] = operation
            queue += [tensor.op for tensor in operation.inputs]
            queue += operation.control_inputs
    return sum(_operations(graph, operation) for operation in reached.values())


def _operations(graph, operation):
    """Returns the floating-point operations of one operation of a graph."""
    kind = operation.type
    inputs, outputs = list(operation.inputs), list(operation.outputs)
    if kind in _FREE.split():
        return 0
    if kind in _SIMPLE.split():
        floats = [tensor for tensor in inputs + outputs if tensor.dtype.is_floating]
        return max(map(_size, floats), default=0)
    if kind in _RULES:
        return _RULES[kind](operation, inputs, outputs)
    if kind in _CALLS:
        # The graphs of functions are not part of TensorFlow's public interface.
        function = graph._get_function(operation.get_attr("f").name).graph
        return operations_in(function, [*function.outputs, *function.control_outputs])
    # Arithmetic of integers, text and booleans. Loops and other functions are no such thing.
    is_plain = all(tensor.dtype in _PLAIN for tensor in inputs + outputs)
    if not is_plain or any(attribute.HasField("func") for attribute in _attributes(operation)):
        raise NotCounted(kind)
    return 0


def _attributes(operation):
    return operation.node_def.attr.values()


def _of_product(transposed):
    """Returns the rule of a matrix product.

    Args:
        transposed: name of the attribute that says whether the first matrix is transposed.
    """

    def rule(operation, inputs, outputs):
        axis = -2 if operation.get_attr(transposed) else -1
        return 2 * _size(outputs[0]) * _dimensions(inputs[0])[axis]

    return rule


def _of_convolution(filters, result, summed=slice(-1)):
    """Returns the rule of a convolution or its gradients.

    Each element of the result is a sum over a window, of all channels of its group.

    Args:
        filters: position of the filters among the inputs and outputs.
        result: position of the result of the convolution, or of its gradient.
        summed: axes of the filters that the sum goes over. Defaults to all but the last.
    """

    def rule(operation, inputs, outputs):
        tensors = [*inputs, *outputs]
        return 2 * _size(tensors[result]) * math.prod(_dimensions(tensors[filters])[summed])

    return rule


def _of_einsum(operation, inputs, outputs):
    """Two operations for each combination of all indices, without those that `...` stands for."""
    equation = operation.get_attr("equation").decode()
    terms = equation.partition("->")[0].split(",")
    if "." in equation:
        raise NotCounted(equation)
    sizes = {}
    for term, tensor in zip(terms, inputs, strict=True):
        sizes |= dict(zip(term, _dimensions(tensor), strict=True))
    return len(terms) * math.prod(sizes.values())


def _of_softmax(operation, inputs, outputs):
    """Maximum, difference, exponential, sum, and quotient or logarithm."""
    return 5 * _size(inputs[0])


def _of_sum(operation, inputs, outputs):
    return (len(inputs) - 1) * _size(outputs[0])


def _of_pooling(operation, inputs, outputs):
    """One for each element of each window. The gradient of the result comes last."""
    result = inputs[-1] if operation.type.endswith("Grad") else outputs[0]
    return math.prod(operation.get_attr("ksize")) * _size(result)


def _of_interpolation(operation, inputs, outputs):
    """Three times the difference, product and sum of two values, for each element of the result."""
    is_gradient = operation.type.endswith("Grad")
    return 9 * _size(inputs[0] if is_gradient else outputs[0])


def _dimensions(tensor):
    """Returns the shape of a tensor as integers."""
    if not tensor.shape.is_fully_defined():
        raise NotCounted(f"shape {tensor.shape}")
    return tensor.shape.as_list()


def _size(tensor):
    return math.prod(_dimensions(tensor))


_RULES = {
    "MatMul": _of_product("transpose_a"),
    "BatchMatMul": _of_product("adj_x"),
    "BatchMatMulV2": _of_product("adj_x"),
    "BatchMatMulV3": _of_product("adj_x"),
    "Conv2D": _of_convolution(1, -1),
    "Conv2DBackpropFilter": _of_convolution(-1, 2),
    "Conv2DBackpropInput": _of_convolution(1, 2),
    "Conv3D": _of_convolution(1, -1),
    "Conv3DBackpropFilterV2": _of_convolution(-1, 2),
    "Conv3DBackpropInputV2": _of_convolution(1, 2),
    # One channel of each filter `(height, width, channels, multiplier)`
    "DepthwiseConv2dNative": _of_convolution(1, -1, slice(2)),
    "DepthwiseConv2dNativeBackpropFilter": _of_convolution(-1, 2, slice(2)),
    "DepthwiseConv2dNativeBackpropInput": _of_convolution(1, 2, slice(2)),
    "Einsum": _of_einsum,
    "LogSoftmax": _of_softmax,
    "Softmax": _of_softmax,
    "SoftmaxCrossEntropyWithLogits": _of_softmax,
    "SparseSoftmaxCrossEntropyWithLogits": _of_softmax,
    "AddN": _of_sum,
    "AvgPool": _of_pooling,
    "AvgPoolGrad": _of_pooling,
    "MaxPool": _of_pooling,
    "MaxPoolGrad": _of_pooling,
    "ResizeBilinear": _of_interpolation,
    "ResizeBilinearGrad": _of_interpolation,
}
