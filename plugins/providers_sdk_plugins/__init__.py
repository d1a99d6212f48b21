"""The bundled providers: one module each, found by entry points like any other plugin."""
