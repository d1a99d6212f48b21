"""The configuration file: where it is looked for, what it may say, and how each mistake is reported."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from providers_sdk._config.file import default_path, find_problems, read_configuration
from providers_sdk._config.keys import KeySource
from providers_sdk._config.values import EMPTY
from providers_sdk.errors import InvalidArgument, InvalidConfiguration

Write = Callable[..., Path]
PLACE = "~/.config/providers-sdk/config.toml"
FULL = """
provider = ["groq/llama-3.3-70b-versatile", "work"]
model = "small"
connect = 5
first_token = 30.5
idle = false
deadline = false
retries = 0
proxy = ""
strict = true

[services.groq]
key = { env = "GROQ" }
url = "https://groq.example/v1"

[services.work]
provider = "openai"
headers = { x-team = "kitchen" }
extra_body = { safe = true, list = [1, 2.5, "a"] }

[profiles.home]
provider = "ollama"
deadline = 20

[profiles.home.services.groq]
url = "https://other.example/v1"

[profiles.home.services.ollama]
model = "qwen3"
"""


def refusal(**arguments: str) -> str:
    with pytest.raises(InvalidConfiguration) as caught:
        read_configuration(**arguments)
    assert caught.value.__context__ is None
    return str(caught.value)


def test_all_keys_are_read_with_their_places(write: Write) -> None:
    path = write(FULL)

    found = read_configuration()

    assert (found.path, found.profile) == (path, None)
    assert found.providers == ("groq/llama-3.3-70b-versatile", "work")
    limits = {"connect": 5, "first_token": 30.5, "idle": None, "deadline": None}
    assert found.arguments == {"model": "small", **limits, "retries": 0, "proxy": "", "strict": True}
    key = found.services["groq"]["key"]
    assert (key.value, key.source) == (
        KeySource("env", ("GROQ",), "key", f"{PLACE}, line 13", path.parent),
        f"{PLACE}, line 13",
    )
    assert found.services["work"]["provider"].value == "openai"
    assert found.services["work"]["headers"].value == {"x-team": "kitchen"}
    assert found.services["work"]["extra_body"].value == {"safe": True, "list": [1, 2.5, "a"]}
    assert found.sources["deadline"] == f"{PLACE}, line 7"


def test_a_profile_is_merged_over_the_top_level_setting_by_setting(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(FULL)

    found = read_configuration(profile="home")

    assert (found.profile, found.providers) == ("home", ("ollama",))
    assert (found.arguments["deadline"], found.arguments["connect"]) == (20, 5)
    assert found.services["groq"]["url"].value == "https://other.example/v1"
    assert found.services["groq"]["url"].source == f"profile home, {PLACE}, line 26"
    assert found.services["groq"]["key"].source == f"{PLACE}, line 13"
    assert list(found.services) == ["groq", "work", "ollama"]
    assert found.sources["deadline"] == f"profile home, {PLACE}, line 23"
    monkeypatch.setenv("PROVIDERS_SDK_PROFILE", "home")
    assert read_configuration() == found
    monkeypatch.setenv("PROVIDERS_SDK_PROFILE", "nowhere")
    assert read_configuration(profile="home") == found


def test_no_file_is_an_empty_configuration(home: Path) -> None:
    assert read_configuration() == read_configuration(None) == EMPTY
    assert default_path() == home / ".config" / "providers-sdk" / "config.toml"


def test_an_empty_variable_means_no_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("deadline = 'nonsense'")
    monkeypatch.setenv("PROVIDERS_SDK_CONFIG", "")

    assert default_path() is None
    assert read_configuration() == EMPTY


def test_the_variable_names_another_file_and_the_argument_wins(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("model = 'of the platform'")
    write("model = 'of the variable'", name="variable.toml")
    argument = write("model = 'of the argument'", name="argument.toml")
    monkeypatch.setenv("PROVIDERS_SDK_CONFIG", "~/variable.toml")

    assert read_configuration().arguments["model"] == "of the variable"
    assert read_configuration(argument).arguments["model"] == "of the argument"
    assert read_configuration("~/argument.toml").arguments["model"] == "of the argument"


def test_no_file_of_the_current_folder_is_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("config.toml", "providers-sdk.toml", ".providers-sdk.toml", "providers-sdk/config.toml"):
        (home / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "project" / name).write_text("model = 'of the project'")
    monkeypatch.chdir(home / "project")

    assert read_configuration() == EMPTY


def test_a_file_that_was_named_must_be_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "~/no.toml: the configuration file cannot be read: No such file or directory"
    assert refusal(path="~/no.toml") == words
    monkeypatch.setenv("PROVIDERS_SDK_CONFIG", str(home / "no.toml"))
    assert refusal() == words


def test_the_null_device_is_an_empty_file_and_a_pipe_does_not_block(home: Path) -> None:
    assert read_configuration(os.devnull).services == {}
    os.mkfifo(home / "pipe")
    assert "it is no regular file" in refusal(path=str(home / "pipe"))
    assert "Is a directory" in refusal(path=str(home)) or "regular file" in refusal(path=str(home))


@pytest.mark.parametrize("path", [7, "", b"", ["config.toml"]])
def test_what_is_no_path_is_an_argument_error(path: object) -> None:
    with pytest.raises(InvalidArgument, match="config must be the path of a file"):
        read_configuration(path)  # type: ignore[arg-type]


MISTAKES = {
    "provder = 'echo'": "line 1: the top level has no key 'provder'; did you mean 'provider'?",
    "\n\nprofle = 1": "line 3: the top level has no key 'profle'; did you mean 'profiles'?",
    "\n[servces.groq]\nkey = 'x'": "line 2: the top level has no key 'servces'; did you mean 'services'?",
    "[service.groq]": "line 1: the top level has no key 'service'; did you mean 'services'?",
    "timeout = 3": "the limits are connect, first_token, idle and deadline",
    "key = 'x'": "it belongs to a service: write it below [services.NAME]",
    "[profiles.a]\ndeadlin = 3": "line 2: [profiles.a] has no key 'deadlin'; did you mean 'deadline'?",
    "[profiles.a.profiles.b]": "line 1: [profiles.a] has no key 'profiles'",
    "services = 3": "line 1: 'services' must hold tables: write [services.NAME]",
    "[services]\ngroq = 'x'": "line 2: 'groq' must be a table: write [services.NAME]",
    "[[profiles]]": "line 1: 'profiles' must hold tables: write [profiles.NAME]",
    "[services.'a/b']": "line 1: 'a/b' is no name",
    "provider = 3": 'line 1: provider must be a name or a list of names, not 3: provider = ["groq",',
    "provider = []": "provider must be a name or a list of names",
    "provider = ['a', 'b/']": "'b/' names no provider: write 'name'",
    "model = 3": "'model' must be a name in quotes",
    "deadline = true": "'deadline' must be a positive number of seconds, at most 1000000, or false for no limit",
    "deadline = '3'": "'deadline' must be a positive number of seconds",
    "idle = -1": "'idle' must be a positive number of seconds",
    "idle = nan": "'idle' must be a positive number of seconds",
    "retries = -1": "'retries' must be a whole number, 0 or more",
    "retries = true": "'retries' must be a whole number, 0 or more",
    "proxy = false": "'proxy' must be an address in quotes",
    "strict = 'yes'": "'strict' must be true or false",
    "[services.a]\nport = 80": "line 2: 'port' must be a string: put its value in quotes",
    "[services.a]\nurl = true": "line 2: 'url' must be a string",
    "[services.a]\nkey = ['x']": "line 2: 'key' must be a string",
    "[services.a]\nprovider = { env = 'X' }": "line 2: 'provider' must be a string",
    "[services.a]\nkey = { evn = 'X' }": "line 2: 'key' cannot be read from 'evn'; did you mean 'env'?",
    "[services.a.key]\nenv = 'X'\nfile = 'Y'": "line 1: 'key' needs exactly one of env, command, file, keyring",
    "[services.a]\nkey = {}": "line 2: 'key' needs exactly one of",
    "[services.a]\nkey = { command = 'pass show a' }": "'command' of 'key' must be written { command = [\"pass\",",
    "[services.a]\nkey = { command = [] }": "'command' of 'key' must be written",
    "[services.a]\nkey = { command = ['a', 1] }": "'command' of 'key' must be written",
    "[services.a]\nkey = { command = ['a', '\\u0000'] }".replace("'", '"'): "'command' of 'key' must be written",
    "[services.a]\nkey = { env = ['X'] }": "'env' of 'key' must be written { env =",
    "[services.a]\nkey = { file = '' }": "'file' of 'key' must be written",
    "[services.a]\nheaders = 'x: y'": "line 2: 'headers' must be a table",
    "[services.a]\nheaders = { env = 'X' }": "'headers' cannot be read from elsewhere",
    "[services.a]\nheaders = { a = 1 }": "'headers' must map names of headers to strings",
    "[services.a]\nextra_body = { a = 2026-01-01 }": "'extra_body' holds a value that JSON does not have",
    "[services.a]\nextra_body = { a = [inf] }": "'extra_body' holds a value that JSON does not have",
    "a = 1\nkey = sk-1234": "line 2: this is not TOML: Invalid value in column 7; a value that is text needs quotes",
    "a = [1,\n": " at the end of the file; a value",
    "a = 1\na = 2\n\n": "line 2: this is not TOML: Cannot overwrite a value",
    "a = " + "[" * 3000: "this is not TOML: ",
    "a = " + "1" * 5000: "this is not TOML: ",
}


@pytest.mark.parametrize(("text", "words"), MISTAKES.items(), ids=[text[:40] for text in MISTAKES])
def test_a_mistake_names_file_line_key_and_the_right_form(write: Write, text: str, words: str) -> None:
    write(text)

    message = refusal()

    assert message.startswith(PLACE)
    assert words in message
    assert "sk-1234" not in message


def test_a_file_that_is_not_utf_8_or_too_large_is_refused(write: Write) -> None:
    path = write("")
    path.write_bytes(b"model = 'a'\nmodel = '\xff'")
    assert refusal() == f"{PLACE}, line 2: the file is not UTF-8; save it as UTF-8"
    path.write_bytes(b"#" * 300_000)
    assert "it has more than 262,144 bytes" in refusal()


def test_a_file_of_an_editor_on_windows_is_read(write: Write) -> None:
    write("").write_bytes(b"\xef\xbb\xbfmodel = 'a'\r\n\r\nretrise = 1\r\n")
    assert "line 3: the top level has no key 'retrise'; did you mean 'retries'?" in refusal()


def test_all_mistakes_are_found_at_once(write: Write) -> None:
    write("modle = 'a'\nidle = 0\n[profiles.x]\nstrict = 1\n")

    assert [problem.partition(":")[0] for problem in find_problems()] == [f"{PLACE}, line {n}" for n in (1, 2, 4)]
    assert "(and 2 more; 'providers config check' lists all)" in refusal()


def test_an_unknown_profile_is_refused_with_the_nearest(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("[profiles.work]\nmodel = 'a'\n")

    assert refusal(profile="wrok") == f"{PLACE}: there is no profile 'wrok'; did you mean 'work'?"
    monkeypatch.setenv("PROVIDERS_SDK_PROFILE", "home")
    assert refusal() == f"{PLACE}: there is no profile 'home'; there are work"


def test_a_profile_without_a_file_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        InvalidConfiguration, match=r"there is no profile 'a': there is no configuration file ~/\.config"
    ):
        read_configuration(profile="a")
    monkeypatch.setenv("PROVIDERS_SDK_CONFIG", "")
    with pytest.raises(InvalidConfiguration, match=r"there is no profile 'a': there is no configuration file$"):
        read_configuration(profile="a")


SECRET_LINES = {
    "[services.a]\nkey = 'sk-1234'": ("key", 2),
    "[services.a]\napi_token = 'sk-1234'": ("api_token", 2),
    "[services.a]\nCLIENT-SECRET = 'sk-1234'": ("CLIENT-SECRET", 2),
    "[services.a]\npassword = 'sk-1234'": ("password", 2),
    "[services.a]\nheaders = { a = 'sk-1234' }": ("headers", 2),
    "[services.a]\nurl = 'https://user:sk-1234@host/'": ("url", 2),
    "\nproxy = 'http://user:sk-1234@host:1'": ("proxy", 2),
    "[profiles.b.services.a]\nkey = 'sk-1234'": ("key", 2),
}


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o660])
@pytest.mark.parametrize(("text", "where"), SECRET_LINES.items(), ids=SECRET_LINES)
def test_a_file_with_a_secret_that_others_may_read_is_refused(
    write: Write, text: str, where: tuple[str, int], mode: int
) -> None:
    path = write(text, mode=mode)

    assert refusal() == (
        f"{PLACE}, line {where[1]}: {where[0]!r} is secret, and other users of this machine may read this file; "
        f"run: chmod 600 {path}"
    )
    path.chmod(0o600)
    read_configuration()


@pytest.mark.parametrize(
    "text",
    [
        "model = 'a'",
        "[services.a]\nkey = { env = 'X' }",
        "[services.a]\nurl = 'https://host/'\ntoken_url = 'https://host/'",
        "[services.a]\nextra_body = { a = 1 }",
        "proxy = 'http://host:1'",
    ],
)
def test_a_file_without_a_secret_may_be_read_by_others(write: Write, text: str) -> None:
    write(text, mode=0o664)
    read_configuration()


def test_a_file_that_everyone_may_change_is_refused(write: Write) -> None:
    path = write("model = 'a'", mode=0o666)
    assert refusal() == f"{PLACE}: every user of this machine may change this file; run: chmod 600 {path}"


def test_a_configuration_shows_no_secret_and_cannot_be_changed(write: Write) -> None:
    write("proxy = 'http://u:sk-1234@h:1'\n[services.a]\nkey = 'sk-1234'\nheaders = { a = 'sk-1234' }")

    found = read_configuration()

    assert found.services["a"]["key"].value == "sk-1234"
    assert "sk-1234" not in repr(found) + str(found.services)
    with pytest.raises(TypeError):
        found.services["b"] = {}  # type: ignore[index]
    with pytest.raises(TypeError):
        found.services["a"]["key"] = found.services["a"]["headers"]  # type: ignore[index]


def test_a_home_without_a_file_loads_no_parser_and_no_subprocess(home: Path) -> None:
    code = (
        "import sys; from providers_sdk._config.file import read_configuration; "
        "from providers_sdk._config.keys import find_stored_keys; read_configuration(); find_stored_keys('groq'); "
        "print(*{'tomllib', 'subprocess', 'providers_sdk._config.parsing', 'keyring'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
