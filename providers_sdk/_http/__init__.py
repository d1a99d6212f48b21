"""HTTP: the only package that imports requests."""
