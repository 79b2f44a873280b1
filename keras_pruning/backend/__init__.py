"""Everything that depends on one backend of Keras: startup, and a folder for each backend."""
