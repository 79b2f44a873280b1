"""Shows results to people: TensorBoard event files and pictures of examples."""
