"""The norm of each example's gradient by the weights: closed forms, and one gradient at a time."""
