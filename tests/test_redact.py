import base64
import html
import json
import pickle
import string
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from providers_sdk._redact import HIDDEN, Redactor, bare_url, printable, snippet

SECRET = "sk-4f/9+é\"q'\\ z&<%"
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda text: quote(text, safe=""),
    "percent, slashes kept": quote,
    "percent, lower case": lambda text: "".join(f"%{byte:02x}" if byte > 127 else chr(byte) for byte in text.encode()),
    "form": quote_plus,
    "lower-case form": lambda text: quote_plus(text).lower() if text == text.lower() else quote_plus(text),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON as UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON of PHP": lambda text: json.dumps(text).replace("/", "\\/")[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "repr": lambda text: repr(text)[1:-1],
    "repr among quotes": lambda text: repr(f"'{text}\"")[3:-2],
    "repr of bytes": lambda text: repr(text.encode())[2:-1],
    "HTML": html.escape,
    "HTML of PHP": lambda text: html.escape(text).replace("&#x27;", "&#039;"),
    "JSON of HTML": lambda text: json.dumps(html.escape(text))[1:-1],
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_a_secret_is_hidden_in_every_spelling(spell: Callable[[str], str]) -> None:
    redact = Redactor.of([SECRET])
    assert redact(f"<{spell(SECRET)}> and {spell(SECRET)}.") == f"<{HIDDEN}> and {HIDDEN}."


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", ":", "::"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_hidden_in_base64_wherever_it_begins(
    encode: Callable[[bytes], bytes], before: str, after: str
) -> None:
    header = encode(f"{before}{SECRET}{after}".encode()).decode()
    shown = Redactor.of([SECRET])(f"Basic {header}")
    assert HIDDEN in shown
    assert len(shown.replace(HIDDEN, "")) <= len(f"Basic {header}") - len(SECRET)


letters = string.ascii_letters + string.digits + " \"'\\/+%&<>=-_.:;@!?é🍕\t"
secrets = st.text(letters, min_size=4, max_size=24).filter(lambda secret: len(secret.strip()) >= 4)
surroundings = st.text(letters + "[]{}\n…", max_size=12)


@settings(max_examples=400)
@given(secrets, surroundings, surroundings, st.sampled_from(sorted(SPELLINGS)))
@example('ab"/', "", "", "JSON of PHP")
@example("a  b", "", "", "form")
@example("\\\\\\\\", "\\", "\\", "JSON in JSON")
def test_no_spelling_of_a_secret_survives_in_any_surroundings(
    secret: str, before: str, after: str, spelling: str
) -> None:
    assume(secret not in HIDDEN)
    spelled = SPELLINGS[spelling](secret)
    shown = Redactor.of([secret])(before + spelled + after)
    assert spelled not in shown
    assert secret not in shown


@given(secrets, st.binary(max_size=7), st.binary(max_size=7))
def test_no_base64_of_a_secret_survives_in_any_surroundings(secret: str, before: bytes, after: bytes) -> None:
    raw = secret.encode()
    shown = Redactor.of([secret])(base64.b64encode(before + raw + after).decode())
    first, last = (8 * len(before) + 5) // 6, 8 * (len(before) + len(raw)) // 6
    assert base64.b64encode(before + raw).decode()[first:last] not in shown


@settings(max_examples=300)
@given(secrets, st.text(letters, max_size=60), st.integers(5, 40))
@example("00000\\\\000100010", "", 16)
def test_a_secret_that_a_snippet_has_cut_is_hidden_but_for_a_few_characters(
    secret: str, before: str, most: int
) -> None:
    secret = " ".join(secret.split())
    assume(len(secret) >= 4)
    assume(secret not in HIDDEN)
    shown = Redactor.of([secret])(snippet(f"{before} {secret} and so on", most))
    for size in range(4, len(secret) + 1):
        assert not shown.removesuffix("…").endswith(secret[:size]) or before.count(secret[:size])


@given(st.text(), secrets)
def test_text_without_the_secret_is_left_alone(text: str, secret: str) -> None:
    found = Redactor.of([f"sk-{secret}-0123456789"])(text)
    assert found == text


def test_a_value_too_short_to_be_a_secret_hides_nothing() -> None:
    redact = Redactor.of(["", "a", "abc", "    ", " a  "])
    assert redact("a abc     .") == "a abc     ."


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    redact = Redactor.of(["secret", "secret-and-more"])
    assert redact("secret-and-more, secret") == f"{HIDDEN}, {HIDDEN}"


def test_a_secret_with_the_marks_of_patterns_is_taken_literally() -> None:
    redact = Redactor.of([".*.*", "a{9}(b|"])
    assert redact("nothing .*.* a{9}(b|") == f"nothing {HIDDEN} {HIDDEN}"


def test_the_redactor_itself_shows_no_secret_and_pickles() -> None:
    redact = Redactor.of([SECRET])
    assert SECRET not in repr(redact)
    assert "sk-" not in repr(redact)
    assert pickle.loads(pickle.dumps(redact))(SECRET) == HIDDEN


MIXED = ["+ + + + tail", "a+ +b +c+ d", "key ++ and more", "+++ ++ +++x", "pass +\t+ word"]


@pytest.mark.parametrize("secret", MIXED)
@pytest.mark.parametrize(
    "spell", [str, quote_plus, lambda text: quote(text, safe="")], ids=["plain", "form", "percent"]
)
def test_a_secret_that_mixes_spaces_and_pluses_is_hidden_whole_and_cut_off(
    secret: str, spell: Callable[[str], str]
) -> None:
    redact = Redactor.of([secret])
    assert redact(f"<{spell(secret)}>") == f"<{HIDDEN}>"
    folded = " ".join(secret.split())
    for size in range(5, len(folded)):
        assert redact(f"<{folded[:size]}…") in (f"<{HIDDEN}…", f"<{HIDDEN} …"), size


def test_other_text_of_spaces_and_pluses_is_left_alone() -> None:
    redact = Redactor.of(["a + + b", "++ ++"])
    assert redact("a + b, a ++, + +") == "a + b, a ++, + +"


def test_a_long_secret_costs_no_recursion() -> None:
    secret = "a-b/" * 1000
    assert Redactor.of([secret])(f"x {secret} y {secret[:50]}…") == f"x {HIDDEN} y {HIDDEN}…"


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://user:pass@acme.example:8443/a/b?key=1#frag", "https://acme.example:8443/a/b"),
        ("http://acme.example", "http://acme.example"),
        ("https://a@b@acme.example/", "https://acme.example/"),
        ("/path?key=1", "/path"),
        ("http://[::1]:80/x?y", "http://[::1]:80/x"),
        ("http://[::1/x?key=1", "an address that cannot be read"),
        ("", ""),
    ],
)
def test_an_address_is_shown_without_user_query_and_fragment(url: str, bare: str) -> None:
    assert bare_url(url) == bare


@given(st.text())
def test_any_address_can_be_shown(url: str) -> None:
    shown = bare_url(url)
    assert "?" not in shown
    assert "#" not in shown


def test_control_and_direction_characters_are_shown_not_obeyed() -> None:
    assert printable("a\x1b[2Jb\x9bc\u202ed\r\x00\x7f") == "a\\x1b[2Jb\\x9bc\\u202ed\\r\\x00\\x7f"
    assert printable("line\n\ttab é 🍕") == "line\n\ttab é 🍕"
    assert printable("\ud83d") == "\\ud83d"


@given(st.text(st.characters(), max_size=50))
def test_what_is_printable_can_be_written_and_moves_no_cursor(text: str) -> None:
    shown = printable(text)
    assert shown.encode() is not None
    assert not any(ord(character) < 32 and character not in "\n\t" for character in shown)


@given(st.text(st.characters(), max_size=300), st.integers(2, 60))
def test_a_snippet_is_one_short_printable_line(text: str, most: int) -> None:
    shown = snippet(text, most)
    assert len(shown) <= most
    assert len(shown.splitlines()) <= 1
    assert shown.encode() is not None


def test_a_snippet_says_that_it_is_cut() -> None:
    assert snippet("a  b\n c") == "a b c"
    assert snippet("x" * 300) == "x" * 199 + "…"
    assert snippet(" " * 10_000 + "unseen") == "…"


@pytest.mark.parametrize(
    "secret",
    [
        'a"b/c d\\e&f',
        '  "pass word" ',
        '\\\\\\"""x',
        "\\ " * 20 + "ab",
        '"' * 40,
        "++++ ab",
        " +" * 40 + "ab",
        "+ " * 40 + "ab",
        "a + b + c + d",
    ],
)
@pytest.mark.parametrize("unit", [" +", "+", "\\", " ", "\\ ", 'a\\"', "%20", "+ ", '"', "&#34;"])
def test_hostile_text_costs_no_more_than_its_size(secret: str, unit: str) -> None:
    started = time.monotonic()
    Redactor.of([secret])(unit * (20_000 // len(unit)) + "…")
    assert time.monotonic() - started < 5  # a pattern that goes back takes minutes
