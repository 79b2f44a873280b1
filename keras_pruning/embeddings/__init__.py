"""Vectors of examples, from layers or files, and their geometry: neighbours and centroids."""
