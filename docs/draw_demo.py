"""Draw ``docs/demo.svg``, a picture of ``providers demo``; run ``python docs/draw_demo.py`` after the demo changes."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).with_name("demo.svg")
WIDTH = 84
_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"
_FONT_FACES = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def run_demo() -> str:
    """Return what ``providers demo`` prints, with its colours."""
    environment = {**os.environ, "COLUMNS": str(WIDTH), "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "providers_sdk", "demo"]
    done = subprocess.run(  # noqa: S603  the command is this interpreter's own
        command, env=environment, capture_output=True, text=True, encoding="utf-8", check=True
    )
    return done.stdout


def draw(printed: str) -> str:
    """Return the picture as SVG; it loads nothing, so its font is one that the reader has."""
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text.from_ansi(printed))
    svg = console.export_svg(title="providers demo", unique_id="demo")
    return re.sub(r"Fira Code(, ?monospace)?", _FONT, _FONT_FACES.sub("", svg))


if __name__ == "__main__":
    PICTURE.write_text(draw(run_demo()), encoding="utf-8")
