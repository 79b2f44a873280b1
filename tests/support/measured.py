"""The numbers that a measurement of training gives."""

FIT = {
    "beginning": 5.0,
    "warm": 1.0,
    "constant": 0.5,
    "slope": 0.01,
    "flops": 30,
    "forward_flops": 10,
}
