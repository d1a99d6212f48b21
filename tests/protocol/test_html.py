import time
from dataclasses import replace

import pytest

from providers_sdk._protocol.html import MAX_TAGS
from providers_sdk.errors import TooLarge
from providers_sdk.plugin import Attr, Page, ScriptValue, TokenPage

NONCE = Attr(".chat", "data-nonce")
WANTED = TokenPage(
    {
        "nonce": (NONCE, Attr("#chat", "data-nonce"), ScriptValue("search_nonce")),
        "post": (Attr(".chat", "data-post"),),
    },
    path="/talk",
)


def page(html: str, **given: int) -> Page:
    return Page(html.encode(), url="https://acme.example/talk", status=given.get("status", 200))


@pytest.mark.parametrize(
    "html",
    [
        '<div class="chat" data-nonce="0a1b2c3d4e">',
        "<div data-nonce='0a1b2c3d4e' class='big chat blue'>",
        "<DIV CLASS=chat DATA-NONCE=0a1b2c3d4e>",
        '<div class="chat"\n\n  data-nonce = "0a1b2c3d4e"\n>',
        '<div class="chat" data-nonce="&#48;a1b2c3d4&#x65;">',
        '<p><div class="chat" data-nonce=" 0a1b2c3d4e ">',
        '<div class="chat"><div class="chat" data-nonce="0a1b2c3d4e">',
        '<div class="chat" data-nonce=""><div class="chat" data-nonce="0a1b2c3d4e">',
        '<!-- <div class="chat" data-nonce="decoy"> --><div class="chat" data-nonce="0a1b2c3d4e">',
        '<script>\'<div class="chat" data-nonce="decoy">\'</script><div class=chat data-nonce=0a1b2c3d4e>',
        '<input id="img" data-nonce="decoy"><div class="chat" data-nonce="0a1b2c3d4e" data-nonce="second">',
        '<div class="chat" data-nonce="0a1b2c3d4e"></div><div class="chat" data-nonce="later">',
    ],
)
def test_an_attribute_is_found_however_the_page_is_written(html: str) -> None:
    assert NONCE.find(page(html)) == "0a1b2c3d4e"


def test_a_pattern_takes_a_part_of_an_attribute() -> None:
    attr = Attr("a", "href", r"nonce=([0-9a-f]{10})")
    assert attr.find(page('<a href="/x"><a href="/y?nonce=0a1b2c3d4e&amp;z">')) == "0a1b2c3d4e"
    assert attr.find(page('<a href="/x">')) is None
    assert attr.find(page(f'<a href="{"x" * 1000}nonce=0a1b2c3d4e">')) is None


def test_an_attribute_of_several_words_is_one_text() -> None:
    assert Attr("div", "class").find(page('<div class="a  b">')) == "a b"


@pytest.mark.parametrize(
    "script",
    [
        'var p = {"search_nonce":"0a1b2c3d4e"}',
        '{"search_nonce" :\n  "0a1b2c3d4e"}',
        'x = ["search_nonce"]; y = {"search_nonce": "0a1b2c3d4e"}',
        '{"search_nonce": 7, "search_nonce": "0a1b2c3d4e"}',
        '{"search_nonce": "0a1b2c3d4\\u0065"}',
        '/*<![CDATA[*/{"search_nonce":"0a1b2c3d4e"}/*]]>*/',
    ],
)
def test_a_script_value_is_found_in_any_inline_script(script: str) -> None:
    html = f'<p>"search_nonce": "decoy"</p><script src="x.js"></script><script>0</script><script>{script}</script>'
    assert ScriptValue("search_nonce").find(page(html)) == "0a1b2c3d4e"


@pytest.mark.parametrize(
    "script",
    [
        *('{"nonce":"x"}', '{"search_nonce":7}', '{"search_nonce":""}', '{"search_nonce":"\\x41"}', '"search_nonce"'),
        *('{"search_nonce":"a\nb"}', '{"search.nonce":"x"}', f'{{"search_nonce":"{"x" * 201}"}}'),
    ],
)
def test_what_is_no_script_value_is_none(script: str) -> None:
    assert ScriptValue("search_nonce").find(page(f"<script>{script}</script>")) is None
    assert ScriptValue("search_nonce").find(page(script)) is None


def test_a_name_with_the_marks_of_patterns_is_taken_literally() -> None:
    assert ScriptValue("a.b(").find(page('<script>{"axb(": "no", "a.b(": "yes"}</script>')) == "yes"


def test_tokens_come_from_the_best_selector_that_finds_one() -> None:
    script = '<script>{"search_nonce": "third"}</script>'
    second = '<div id="chat" data-nonce="second" data-post="9">'
    first = '<div class="chat" data-nonce="first" data-post="7">'
    assert WANTED.extract(page(script + second + first)) == {"nonce": "first", "post": "7"}
    assert WANTED.extract(page(script + second)) == {"nonce": "second"}
    assert WANTED.extract(page(script)) == {"nonce": "third"}
    assert WANTED.extract(page("")) == {}


def test_a_token_of_a_size_that_no_token_has_is_none() -> None:
    assert WANTED.extract(page(f'<div class="chat" data-nonce="{"x" * 4096}" data-post="{"x" * 4097}">')) == {
        "nonce": "x" * 4096
    }


def test_the_report_says_what_is_missing_where_it_was_looked_for_and_what_the_page_was() -> None:
    found = page('<title>Welcome\n back</title><div class="chat" data-post="7">')
    report = WANTED.describe_missing(found, WANTED.extract(found))
    assert report == (
        "the page https://acme.example/talk "
        f"(status 200, title 'Welcome back', {len(found.html)} bytes) holds no nonce "
        "(looked for nonce: .chat data-nonce, #chat data-nonce, script value 'search_nonce'); found: post"
    )
    assert "no nonce and no post" in WANTED.describe_missing(page(""), {})
    assert "it asks for a password" in WANTED.describe_missing(page('<input type="PASSWORD">'), {})


def test_a_token_that_is_optional_may_be_missing() -> None:
    where = replace(WANTED, optional=("post",))
    assert where.missing({"nonce": "x"}) == []
    assert where.missing({"post": "7"}) == ["nonce"]
    assert where.required({"nonce": "x", "post": "7"}) == {"nonce": "x"}
    assert "holds no nonce (looked for nonce:" in where.describe_missing(page(""), {})


def test_the_report_cuts_a_long_title_and_shows_no_control_characters() -> None:
    report = WANTED.describe_missing(page(f"<title>\x1b[2J{'x' * 5000}</title>"), {})
    assert "\x1b" not in report
    assert len(report) < 500


@pytest.mark.parametrize(
    ("html", "title"),
    [
        ("<title> a\n b </title>", "a b"),
        ("<TITLE>é &amp; b</TITLE>", "é & b"),
        ("<title><b>a</title>", "<b>a"),
        ("<p>a", ""),
        ("", ""),
    ],
)
def test_a_title_is_one_line(html: str, title: str) -> None:
    assert page(f"<meta charset=utf-8>{html}").title == title


@pytest.mark.parametrize(
    "html", [b'<?xml version="1.0"?><html><title>a</title>', b"<title>a</title>", b"/etc/hostname", b"."]
)
def test_a_page_of_any_dialect_is_read_without_a_warning(html: bytes) -> None:
    assert Page(html).title == ("a" if b"<" in html else "")


def test_a_page_that_asks_for_a_password_is_a_login() -> None:
    assert page("<form><input type=password></form>").is_login
    assert not page("<form><input type=text></form><p>password").is_login


def test_a_page_of_too_many_tags_is_refused_before_it_is_parsed() -> None:
    assert Page(b"<p>" * MAX_TAGS).html
    with pytest.raises(TooLarge, match=f"has {MAX_TAGS + 1} tags; at most {MAX_TAGS} are read") as caught:
        Page(b"<p>" * (MAX_TAGS + 1), url="https://acme.example/", status=200)
    assert (caught.value.url, caught.value.status) == ("https://acme.example/", 200)


HOSTILE = {
    "open tags": b"<a " * 16_000,
    "open attributes": b'<p x="' * 10_000,
    "nested tags": b"<div>" * 20_000,
    "formatting across tables": b"<font><table>" * 10_000,
    "attributes": b"<p " + b" ".join(b"a%d" % number for number in range(40_000)) + b">",
    "entities": b"&lt" * 200_000,
    "keys without values": b"<script>" + b'"nonce" ' * 100_000 + b"</script>",
    "space after a key": b'<script>"nonce"' + b" " * 800_000 + b"</script>",
    "open strings": b"<script>" + b'"nonce":"' * 80_000 + b"</script>",
    "no HTML": bytes(range(256)) * 2_000,
}


@pytest.mark.parametrize("html", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_page_costs_no_more_than_its_size(html: bytes) -> None:
    started = time.thread_time()
    hostile = Page(html)
    WANTED.describe_missing(hostile, WANTED.extract(hostile))
    assert ScriptValue("nonce").find(hostile) is None
    assert time.thread_time() - started < 5.0  # quadratic work would take minutes
