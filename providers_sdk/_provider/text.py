"""The text that an attempt has delivered so far, as pieces."""

__all__ = ["TextPieces"]

_MANY = 4_096


class TextPieces(list[str]):
    """Pieces of text: appending one costs next to nothing, and of many small ones only their text is kept.

    A piece of a few characters is an object of fifty bytes and more. So the newest pieces are joined whenever there are
    some thousand of them. One thread appends; others may ask for the text at any time, because each step is atomic.
    """

    def __init__(self) -> None:
        super().__init__()
        self.full_at = _MANY
        """Number of pieces at which :meth:`join_newest` is due."""

    def join_newest(self) -> None:
        """Join the pieces that were not joined before."""
        start = self.full_at - _MANY
        self[start:] = ["".join(self[start:])]
        self.full_at += 1

    def read(self) -> str:
        """Return the whole text."""
        return "".join(self)
