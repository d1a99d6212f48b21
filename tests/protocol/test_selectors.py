"""Selectors find a token on a page however it is written, and nothing else."""

import time
from dataclasses import dataclass

import pytest

from providers_sdk.errors import InvalidArgument
from providers_sdk.plugin import CookieValue, ElementText, Meta, Page, ScriptJson, ScriptMatch, Selector, TokenPage

NEXT = '<script id="__NEXT_DATA__" type="application/json">{"props": {"a.b": [{"token": "t-1"}], "id": 7}}</script>'
STATE = '<script>var x = 1; window.__STATE__ = {}; window.__STATE__ =\n {"user": {"token": "t-2"}}; go()</script>'


def page(html: str) -> Page:
    return Page(html.encode(), url="https://acme.example/talk")


@pytest.mark.parametrize(
    ("html", "token"),
    [
        ("<code id=t>abc</code>", "abc"),
        ("<code id=t>\n  a <b>b</b>\tc </code>", "a b c"),
        ("<code id=t> </code><code id=t>second</code>", "second"),
        ("<code>abc</code>", None),
        ("", None),
    ],
)
def test_the_text_of_an_element_is_a_token(html: str, token: str | None) -> None:
    assert ElementText("#t").find(page(html)) == token


def test_a_pattern_takes_a_part_of_an_elements_text() -> None:
    selector = ElementText("p", r"Code: ([0-9]{4})")
    assert selector.find(page("<p>Hello</p><p>Your Code:\n1234.</p>")) == "1234"


@pytest.mark.parametrize(
    ("html", "token"),
    [
        ('<meta name="csrf-token" content=" abc ">', "abc"),
        ('<meta content="abc" name="CSRF-Token"/>', "abc"),
        ('<meta property="csrf-token" content="abc">', "abc"),
        ('<meta http-equiv="csrf-token" content="abc">', "abc"),
        ('<meta name="csrf-token"><meta name="csrf-token" content="abc">', "abc"),
        ('<meta name="csrf-token-2" content="abc">', None),
        ('<meta name="csrf-token" content="">', None),
        ("<meta>", None),
    ],
)
def test_a_meta_element_holds_a_token(html: str, token: str | None) -> None:
    assert Meta("csrf-token").find(page(html)) == token


@pytest.mark.parametrize(
    ("html", "token"),
    [
        ("<script>var nonce = '0a1b';</script>", "0a1b"),
        ("<script>x</script><script>nonce='0a1b'</script>", "0a1b"),
        ("<p>nonce = '0a1b'</p>", None),
        ("<script src='x'></script>", None),
    ],
)
def test_a_pattern_finds_a_token_in_an_inline_script(html: str, token: str | None) -> None:
    assert ScriptMatch(r"nonce {0,3}= {0,3}'([0-9a-f]{4})'").find(page(html)) == token


@pytest.mark.parametrize(
    ("selector", "token"),
    [
        (ScriptJson(("props", "a.b", 0, "token")), "t-1"),
        (ScriptJson("props.id"), "7"),
        (ScriptJson("props.id", css="#__NEXT_DATA__"), "7"),
        (ScriptJson("props.id", css="#other"), None),
        (ScriptJson("user.token", after="window.__STATE__ ="), "t-2"),
        (ScriptJson("user.token", after="window.__OTHER__ ="), None),
        (ScriptJson("user", after="window.__STATE__ ="), None),
        (ScriptJson("props.nothing.at.all"), None),
        (ScriptJson("props.id.deeper"), None),
        (ScriptJson(("props", "a.b", 7)), None),
        (ScriptJson("props", after=""), None),
    ],
    ids=str,
)
def test_a_path_finds_a_token_in_json(selector: ScriptJson, token: str | None) -> None:
    assert selector.find(page(NEXT + STATE)) == token


@pytest.mark.parametrize("script", ["{'a': 1}", "", "[" * 100_000, '{"a": true}', '{"a": null}', '{"a": ["x"]}', "7"])
def test_what_is_no_token_in_json_is_not_found(script: str) -> None:
    html = f'<script type="application/json">{script}</script><script>x = {script}</script>'
    assert ScriptJson("a").find(page(html)) is None
    assert ScriptJson("a", after="x =").find(page(html)) is None


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("nonce", "has no group"),
        ("(", "is no regular expression"),
        (r'"nonce": "(\w+)"', "repeats without a bound"),
        (r"(.*)", "repeats without a bound"),
        (r"(a{2,})", "repeats without a bound"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_the_right_way(pattern: str, words: str) -> None:
    for make in (ScriptMatch, lambda text: ElementText("p", text)):
        with pytest.raises(InvalidArgument, match=words):
            make(pattern)


@pytest.mark.parametrize("pattern", [r"([*+a]{1,9})", r"\*\+(a)", r"[]*](a)", r"[^]+]{1,3}(a)", r"(a{2,3}b?)"])
def test_a_literal_star_or_plus_is_no_repetition(pattern: str) -> None:
    assert ScriptMatch(pattern).pattern == pattern


def test_a_large_hostile_page_costs_no_more_than_its_size() -> None:
    html = "<script>" + 'nonce = "' * 50_000 + "window.__STATE__ = [" * 20_000 + "</script>"
    started = time.process_time()
    assert ScriptMatch(r'nonce = "([0-9a-f]{10})"').find(page(html)) is None
    assert ScriptJson("a", after="window.__STATE__ =").find(page(html)) is None
    assert time.process_time() - started < 10


def test_a_cookie_of_the_page_is_a_token() -> None:
    found = Page(b"<p>", cookies={"XSRF-TOKEN": "abc", "empty": ""})
    assert [CookieValue(name).find(found) for name in ("XSRF-TOKEN", "empty", "other")] == ["abc", None, None]
    assert str(CookieValue("XSRF-TOKEN")) == "cookie 'XSRF-TOKEN'"


# --- an author's own ---


class Comment:
    """A selector of an author, without a text."""

    def find(self, page: Page) -> str | None:
        return page.html.partition(b"<!-- token ")[2].partition(b" ")[0].decode() or None


@dataclass(frozen=True)
class Title:
    """A selector of an author, with a text."""

    prefix: str

    def find(self, page: Page) -> str | None:
        return page.title.removeprefix(self.prefix) or None


def test_a_class_of_the_author_is_a_selector() -> None:
    own: tuple[Selector, ...] = (Comment(), Title("Chat "))
    where = TokenPage({"a": (Comment(), Meta("a")), "b": (Title("Chat "),), "c": own})
    found = page("<!-- token abc --><title>Chat 7</title>")
    assert where.extract(found) == {"a": "abc", "b": "7", "c": "abc"}


def test_a_missing_token_names_each_selector() -> None:
    selectors = (
        *(
            Comment(),
            Title("x"),
            Meta("m"),
            ElementText("#t"),
            ScriptMatch("(a)"),
            ScriptJson("a.b"),
            ScriptJson(("a", 0)),
        ),
        *(ScriptJson("a", css="#s"), ScriptJson("a", after="x =")),
    )
    message = TokenPage({"t": selectors}).describe_missing(page("<p>"), {})
    assert message.endswith(
        "holds no t (looked for t: Comment, Title(prefix='x'), meta 'm', text of #t, script match '(a)', "
        "'a.b' in JSON script, 'a.0' in JSON script, 'a' in JSON of #s, 'a' in the JSON after 'x =')"
    )
