"""Prompts on their way through WordPress: what is sent, what arrives, and what the caller is warned of."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers_sdk import Client, Limits
from providers_sdk._http.client import Http, HttpSession
from providers_sdk._http.clock import Clock
from providers_sdk.errors import InvalidArgument, UnsupportedOption
from providers_sdk.plugin import Message, PromptAltered, Request
from providers_sdk_plugins._wordpress import find_losses, keep_lines, keep_marks
from providers_sdk_plugins.aipower import AnyAIPower
from providers_sdk_plugins.fakes.aipower import AIPowerSite, sanitize

SCRIPT = "what does <script>alert(1)</script> do?"
LOOP = "for (i=0;i<n;i++){ if (a[i]>b) x<y; }"
TABLE = [  # written, sent, arrives at the model, what the warning names
    ("Hello, 100% sure & 'quoted' \"twice\" \\n", None, None, ""),
    ("one\ntwo\r\nthree\rfour", "one\u2028two\u2028three\u2028four", None, ""),
    ("def f():\n    return 1", "def f():\u2028\u00a0\u00a0\u00a0\u00a0return 1", None, ""),
    ("if x:\n\treturn", "if x:\u2028\u00a0\u00a0\u00a0\u00a0return", None, ""),
    ("a\n\n\nb", "a\u2028\u2028\u2028b", None, ""),
    ("if a < b and c > d:", None, None, ""),
    ("x\u2028y\u0085z\u000bw", None, None, ""),
    (SCRIPT, None, "what does do?", "what stands between < and > (<script>)"),
    (LOOP, None, "for (i=0;ib) x&lt;y; }", "what stands between < and > (<n;i++){ if (a[i]>)"),
    ("SELECT 1 <> 2", None, "SELECT 1 2", "what stands between < and > (<>)"),
    ("is 1 < 2", None, "is 1 &lt; 2", "< alone, which becomes &lt; (< 2)"),
    ("a%41b and %%4141", None, "ab and", "percent codes (%41)"),
    ("a   b\tc", None, "a b c", "tabs and runs of spaces within a line"),
    ("Hello \n", "Hello \u2028", None, ""),
    ("Hello  ", None, "Hello", "white space at the end"),
]  # fmt: skip
PRESERVED = [
    (SCRIPT, "what does &lt;script>alert(1)&lt;/script> do?"),
    (LOOP, "for (i=0;i&lt;n;i++){ if (a[i]>b) x&lt;y; }"),
    ("a%41b and %%4141", "a%\u200b41b and %%\u200b4141"),
    ("100% of it, 5 %x", "100% of it, 5 %x"),
]


@contextmanager
def client_of(site: AIPowerSite, **settings: str) -> Iterator[Client]:
    with Client("aipower", retries=0, settings={"aipower": {**site.client_settings(), **settings}}) as client:
        yield client


@pytest.mark.parametrize(("written", "sent", "arrives", "lost"), TABLE)
def test_a_prompt_arrives_as_the_table_says(written: str, sent: str | None, arrives: str | None, lost: str) -> None:
    with AIPowerSite() as site, client_of(site) as client, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PromptAltered)
        assert client.chat(written).text == site.text
        assert site.requests[-1].form["message"] == (sent or written)
        assert site.messages == [arrives or sent or written]
    said = [str(warning.message) for warning in caught]
    assert (lost in said[0]) if lost else (said == [])
    assert len(said) == bool(lost)


@pytest.mark.parametrize(("written", "arrives"), PRESERVED)
def test_preserve_all_also_keeps_tags_and_percent_codes(written: str, arrives: str) -> None:
    with AIPowerSite() as site, client_of(site, preserve="all") as client:
        assert client.chat(written).text == site.text
        assert site.messages == [site.requests[-1].form["message"]] == [arrives]


def test_another_value_of_preserve_is_refused_before_anything_is_sent() -> None:
    with AIPowerSite() as site, client_of(site, preserve="most") as client:
        with pytest.raises(InvalidArgument, match="'preserve' is 'lines' or 'all', not 'most'"):
            client.chat("Hi")
        assert site.requests == []


def test_a_client_warns_once_and_names_the_line_that_asked() -> None:
    with AIPowerSite() as site, client_of(site) as client:
        with pytest.warns(PromptAltered, match="aipower: the site changes this prompt") as caught:
            client.chat(SCRIPT).close()
        assert caught[0].filename == __file__
        client.chat("a  b").close()  # a warning here is an error


def test_another_client_warns_anew() -> None:
    for _ in range(2):
        with AIPowerSite() as site, client_of(site) as client, pytest.warns(PromptAltered):
            client.chat(SCRIPT).close()


def test_where_warnings_are_errors_each_such_prompt_is_refused() -> None:
    with AIPowerSite() as site, client_of(site) as client:
        for _ in range(2):
            with pytest.raises(UnsupportedOption, match="lost: what stands between < and >"):
                client.chat(SCRIPT)
        assert site.requests == []


def test_a_strict_request_is_refused_before_anything_is_sent() -> None:
    with AIPowerSite() as site:
        provider, pool = AnyAIPower({"url": site.url}), HttpSession(proxy="")
        request = Request((Message("user", SCRIPT),), "default", strict=True)
        with pytest.raises(UnsupportedOption, match="which strict=True forbids; lost: what stands between < and >"):
            next(provider.complete(request, Http(pool, Clock(Limits()), site.url)))
        assert site.requests == []
        pool.close()


def test_a_strict_request_that_arrives_unchanged_is_asked() -> None:
    with AIPowerSite() as site:
        provider, pool = AnyAIPower({"url": site.url}), HttpSession(proxy="")
        request = Request((Message("user", "one\n  two"),), "default", strict=True)
        http = Http(pool, Clock(Limits()), site.url)
        assert "".join(map(str, provider.complete(request, http))) == f"{site.text}stop"
        http.close()
        pool.close()


PIECES = st.sampled_from(
    ["<", ">", "%", "41", "aF", " ", "\t", "\n", "\r", "a", "b>", "<b", "&", "&lt;", "\u00a0", "\v"]
)


@given(st.lists(PIECES).map("".join))
def test_what_is_not_warned_of_arrives_as_it_is_sent(written: str) -> None:
    sent = keep_lines(written)
    assert (sanitize(sent) == sent) is (not list(find_losses(sent)))


@given(st.lists(PIECES).map("".join))
def test_with_all_preserved_only_white_space_can_be_lost(written: str) -> None:
    sent = keep_marks(keep_lines(written))
    assert "".join(sanitize(sent).split()) == "".join(sent.split())


MARKS = str.maketrans({"↵": "\n", "⏎": "\u2028", "·": "\u00a0", "¦": "\u200b"})


def documented() -> Iterator[tuple[str, str, str, str]]:
    """Yield the rows of the document's two tables of prompts, each with its setting ``preserve``."""
    text = (Path(__file__).parents[2] / "docs" / "aipower.md").read_text(encoding="utf-8")
    for preserve, table in zip(("lines", "all"), text.split("| written | sent |")[1:], strict=True):
        for row in table.split("\n\n")[0].splitlines()[2:]:
            written, sent, arrives = (cell.translate(MARKS) for cell in re.findall(r"`([^`]*)`", row))
            yield preserve, written, sent, arrives


@pytest.mark.parametrize(("preserve", "written", "sent", "arrives"), list(documented()))
def test_the_documents_table_is_true(preserve: str, written: str, sent: str, arrives: str) -> None:
    with AIPowerSite() as site, client_of(site, preserve=preserve) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptAltered)
        client.chat(written).close()
        assert (site.requests[-1].form["message"], site.messages) == (sent, [arrives])


def test_the_document_has_eight_rows_and_three() -> None:
    assert [preserve for preserve, *_ in documented()] == ["lines"] * 8 + ["all"] * 3
