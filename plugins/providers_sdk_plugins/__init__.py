"""The bundled providers: one module each, found by the same entry points as anybody's."""
