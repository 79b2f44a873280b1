import numpy as np

from keras_pruning.models.outputs import Outputs
from keras_pruning.scores import Gini


def test_by_hand():
    outputs = Outputs(np.log(np.array([[0.5, 0.5], [0.9, 0.1]], "float32")), np.array([0, 1]))
    np.testing.assert_allclose(Gini().observe(outputs), [0.5, 1 - 0.81 - 0.01], rtol=1e-6)
