"""Distributions with one plugin each, installed in a folder as pip would."""

import importlib
from pathlib import Path

GOOD = """
from providers_sdk.plugin import FinishReason, Provider, hookimpl

class Stranger(Provider):
    offline = True
    models = (default_model,) = ("m",)

    def complete(self, request, http):
        yield "the stranger says " + request.prompt
        yield FinishReason("stop")

@hookimpl
def register_providers(register):
    register("{name}", Stranger)
"""


class Shelf:
    """A folder on the path where distributions are put as pip would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def module(self, name: str) -> str:
        """The module that brings the provider ``name``."""
        return "stranger_" + name.replace("-", "_").replace(".", "_")

    def put(self, name: str, source: str = GOOD, *, group: str = "providers_sdk", distribution: str = "") -> None:
        """Install a distribution with one plugin ``name``."""
        module = self.module(name)
        (self.folder / f"{module}.py").write_text(source.replace("{name}", name))
        self.metadata(distribution or f"dist-{name}", f"[{group}]\n{name} = {module}\n".encode())

    def metadata(self, distribution: str, entry_points: bytes) -> None:
        """Install a distribution's metadata."""
        folder = self.folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_bytes(entry_points)
        importlib.invalidate_caches()
