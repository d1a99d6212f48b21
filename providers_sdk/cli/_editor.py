"""The prompt of a conversation with prompt_toolkit: several lines, a history, and the model in the prompt.

Enter sends; Alt-Enter, or Escape and then Enter, begins a new line; a pasted text keeps its lines. Ctrl-C empties the
line, and ends the program where it is empty.
"""

import os
from collections.abc import Callable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from providers_sdk._config.places import data_folder
from providers_sdk.cli._slash import SLASH_COMMANDS
from providers_sdk.cli._terminal import say

__all__ = ["make_editor"]


def make_editor(describe: Callable[[], str]) -> Callable[[], str | None]:
    """Return a function that returns what the user types next, ``None`` after Ctrl-D.

    :param describe: returns what the prompt shows.
    """
    session: PromptSession[str] = PromptSession(
        history=_make_history(),
        key_bindings=_make_key_bindings(),
        completer=WordCompleter(list(SLASH_COMMANDS), sentence=True),
        complete_while_typing=False,
        prompt_continuation="... ",
        multiline=False,
    )

    def read() -> str | None:
        try:
            return session.prompt(f"{describe()}> ")
        except EOFError:
            return None

    return read


def _make_key_bindings() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("escape", "enter")
    def _begin_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("c-c")
    def _empty_or_leave(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt())

    return keys


def _make_history() -> History:
    """Return what was typed before, from a file that only the user may read; an empty one where no files are kept."""
    folder = data_folder()
    if folder is None:
        return InMemoryHistory()
    file = folder / "chat-history"
    try:
        _create_private(file)
    except OSError as error:
        say(f"Note: what you type is not remembered: {error}")
        return InMemoryHistory()
    return FileHistory(file)


def _create_private(file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    os.chmod(file, 0o600)
