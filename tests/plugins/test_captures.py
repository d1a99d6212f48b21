"""Recordings of a real WordPress with AI Power, replayed byte for byte; the same claims on the fake's own bytes."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers_sdk import Chunk, Client, FinishReason, ProviderError, Refused, ServedModel, StreamTruncated, Usage
from providers_sdk.errors import (
    AuthenticationFailed,
    EmptyAnswer,
    HTTPStatusError,
    InvalidAnswer,
    PromptRejected,
    TokenPageFailed,
)
from providers_sdk.plugin import iter_deltas, iter_events
from providers_sdk.testing import Connection, RawServer, deltas

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("PROVIDERS_SDK_CAPTURES") or ROOT.parent / "shared" / "captures" / "aipower")
recorded = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recordings are not here; set PROVIDERS_SDK_CAPTURES")

FRONT_PAGE = "01_front_page_gzip"
STREAM = "10_stream_min_urlencoded"
NONCE = "77f045b39a"
PIECES = (
    "Hello", "! ", "Привет, ", "世界 ", "🍕", '\n\nHe said: "quoted" ', "and 'single'",
    "\n- line <b>one</b> & two\n", '```py\nprint("\\n")\n```', "\tend.",
)  # fmt: skip
TEXT = "".join(PIECES)
SERVED = ServedModel("gpt-4o-mini-2024-07-18")
CHUNKS: list[Chunk] = [SERVED, *PIECES, FinishReason("stop")]
KEY = "Incorrect API key provided: bad. You can find your API key at https://platform.openai.com/account/api-keys."

PAGES = {  # recording: nonce and post id that stand on it
    FRONT_PAGE: (NONCE, "4"),
    "68_front_page_shortcode_and_widget": (NONCE, "4"),
    "69f_page_two_shortcodes": (NONCE, "8"),
}
FAILED_PAGES = {  # recording: class, status, Retry-After, words
    "04_front_page_no_shortcode": (Refused, 200, None, "shows no chat, though AI Power runs on this site"),
    "06_page_404": (TokenPageFailed, 404, None, "Page not found – Rig Blog"),
    "07_maintenance_mode_front": (TokenPageFailed, 503, 600.0, "Maintenance"),
}
ANSWERS = {  # recording: chunks
    STREAM: CHUNKS,
    "16_stream_usage_chunk_empty_choices": [SERVED, *PIECES, Usage(21, 42), FinishReason("stop")],
    "50_json_full_urlencoded": [TEXT, FinishReason(None)],
    "64_http10_close_delimited": CHUNKS,
}
REFUSALS = {  # recording: class, status, words, text that had come
    "08_maintenance_mode_post": (HTTPStatusError, 503, "Briefly unavailable for scheduled maintenance.", ""),
    "19_stream_upstream_cut": (StreamTruncated, 200, "cut off", "Hello! Привет, 世界 🍕"),
    "30_wrong_nonce": (AuthenticationFailed, 403, "The link you followed has expired.", ""),
    "32_empty_message_stream": (Refused, 200, "It appears that nothing was inputted.", ""),
    "40_upstream_bad_stream": (Refused, 200, KEY, ""),
    "44_no_api_key_stream": (Refused, 200, "Unable to initialize the AI instance.", ""),
    "45_banned_word_stream": (PromptRejected, 200, "Your message contains prohibited words.", ""),
    "47b_token_limit_stream_second": (Refused, 200, "You have reached your token limit.", ""),
    "50d_json_null_content": (InvalidAnswer, 200, "dict", ""),
    "52_token_limit_json": (Refused, 200, "You have reached your token limit.", ""),
    "55_upstream_bad_json": (Refused, 200, KEY, ""),
    "58_upstream_html500_json": (EmptyAnswer, 200, "without any text", ""),
}


class Replay(RawServer):
    """Says one recording to every GET and another to every POST, whatever is asked."""

    def __init__(self, *, page: str = FRONT_PAGE, answer: str = STREAM, write_size: int = 1 << 20) -> None:
        super().__init__()
        self._write_size = write_size
        self._says = {"GET": _bytes(page, "response.raw"), "POST": _bytes(answer, "response.raw")}

    def serve(self, connection: Connection) -> None:
        while (received := connection.receive()) is not None:
            self.requests.append(received)
            says = self._says[received.method]
            for start in range(0, len(says), self._write_size):
                connection.send(says[start : start + self._write_size])
            if b"\r\nConnection: close\r\n" in says:
                return


def _bytes(recording: str, kind: str) -> bytes:
    return (FOLDER / f"{recording}.{kind}.bin").read_bytes()


def ask(server: RawServer) -> Iterator[Chunk]:
    with Client("aipower", retries=0, settings={"aipower": {"url": server.url}}) as client:
        yield from client.chat("Hi there").chunks()


@recorded
def test_the_tables_cover_every_recording() -> None:
    names = {path.name.removesuffix(".response.raw.bin") for path in FOLDER.glob("*.response.raw.bin")}
    assert names == {*PAGES, *FAILED_PAGES, *ANSWERS, *REFUSALS}


@recorded
@pytest.mark.parametrize("page", PAGES)
def test_a_recorded_page_holds_these_tokens(page: str) -> None:
    with Replay(page=page) as server:
        assert list(ask(server)) == CHUNKS
        form = server.requests[-1].form
    assert (form["_wpnonce"], form["post_id"], form["bot_id"]) == (*PAGES[page], "0")


@recorded
@pytest.mark.parametrize("page", FAILED_PAGES)
def test_a_recorded_page_that_failed_says_how(page: str) -> None:
    kind, status, retry_after, words = FAILED_PAGES[page]
    with Replay(page=page) as server, pytest.raises(ProviderError) as raised:
        list(ask(server))
    assert type(raised.value) is kind
    assert (raised.value.status, raised.value.retry_after) == (status, retry_after)
    assert words in raised.value.message
    assert {received.method for received in server.requests} == {"GET"}


@recorded
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_recorded_answer_gives_its_very_text(answer: str) -> None:
    with Replay(answer=answer) as server:
        assert list(ask(server)) == ANSWERS[answer]


@recorded
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_recorded_answer_sent_byte_by_byte_is_the_same(answer: str) -> None:
    with Replay(answer=answer, write_size=1) as server:
        assert list(ask(server)) == ANSWERS[answer]


@recorded
@pytest.mark.parametrize("answer", REFUSALS)
def test_a_recorded_refusal_is_an_error_of_its_class(answer: str) -> None:
    kind, status, words, partial = REFUSALS[answer]
    with Replay(answer=answer) as server, pytest.raises(ProviderError) as raised:
        list(ask(server))
    error = raised.value
    assert type(error) is kind
    assert words in error.message
    assert (error.provider, error.status, error.partial) == ("aipower", status, partial)


@recorded
def test_a_recorded_wrong_nonce_is_posted_once_where_the_page_fetched_anew_holds_the_same() -> None:
    with Replay(answer="30_wrong_nonce") as server, pytest.raises(AuthenticationFailed, match="cached copy"):
        list(ask(server))
    assert [received.method for received in server.requests] == ["GET", "POST", "GET"]


@pytest.fixture(params=["recorded", "fake service"])
def stream(request: pytest.FixtureRequest) -> tuple[bytes, list[Chunk]]:
    """An event stream, and its chunks."""
    if request.param == "fake service":
        return b"".join(deltas(PIECES)), CHUNKS[1:]
    if not FOLDER.is_dir():
        pytest.skip("the recordings are not here; set PROVIDERS_SDK_CAPTURES")
    return _bytes(STREAM, "body"), CHUNKS


def test_a_stream_cut_at_any_byte_gives_the_same_chunks(stream: tuple[bytes, list[Chunk]]) -> None:
    body, chunks = stream
    for cut in range(len(body) + 1):
        assert list(iter_deltas(iter_events([body[:cut], body[cut:]]))) == chunks, f"cut at byte {cut}"


def test_a_stream_fed_byte_by_byte_gives_the_same_chunks(stream: tuple[bytes, list[Chunk]]) -> None:
    body, chunks = stream
    assert list(iter_deltas(iter_events(bytes([byte]) for byte in body))) == chunks


def test_a_stream_with_other_line_ends_gives_the_same_chunks(stream: tuple[bytes, list[Chunk]]) -> None:
    body, chunks = stream
    for end in (b"\r\n", b"\r"):
        other = body.replace(b"\n", end)
        for cut in range(0, len(other), 7):
            assert list(iter_deltas(iter_events([other[:cut], other[cut:]]))) == chunks
