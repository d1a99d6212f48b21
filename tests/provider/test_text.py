import threading
import tracemalloc

from providers_sdk._provider.text import TextPieces


def add(text: TextPieces, piece: str) -> None:
    text.append(piece)
    if len(text) >= text.full_at:
        text.join_newest()


def test_the_text_is_that_of_all_pieces_in_their_order() -> None:
    text, wanted = TextPieces(), [f"{number} " for number in range(20_000)]
    for piece in wanted:
        add(text, piece)
    assert text.read() == "".join(wanted)
    assert len(text) < 5_000


def test_many_small_pieces_take_little_more_memory_than_their_text() -> None:
    text = TextPieces()
    tracemalloc.start()
    try:
        for number in range(100_000):
            add(text, f"{number:08}")
        assert tracemalloc.get_traced_memory()[0] < 1_300_000
    finally:
        tracemalloc.stop()


def test_another_thread_reads_whole_pieces_in_order_at_any_time() -> None:
    text, ended = TextPieces(), threading.Event()
    seen: list[str] = []

    def watch() -> None:
        while not ended.is_set():
            seen.append(text.read())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(30_000):
        add(text, "ab")
    ended.set()
    watcher.join()
    lengths = [len(found) for found in seen]
    assert lengths == sorted(lengths)
    assert all(found == "ab" * (len(found) // 2) for found in seen)
