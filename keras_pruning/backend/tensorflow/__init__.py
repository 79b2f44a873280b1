"""TensorFlow code: passes over examples, stores by row, compiled graphs, neighbour search."""
