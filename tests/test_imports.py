"""Only what a call needs is loaded: the foreign packages of each step, counted in a process of its own."""

import subprocess
import sys

import pytest

SHOW = """
import sys
def show():
    wanted = {"bs4", "certifi", "charset_normalizer", "idna", "lxml", "packaging", "pluggy", "requests", "socks",
              "soupsieve", "urllib3", "click", "pydantic", "jsonschema", "rich", "jinja2", "platformdirs"}
    print(*sorted(wanted & {name.partition(".")[0] for name in sys.modules}))
"""
STEPS = {
    "import providers_sdk": "import providers_sdk",
    "Client()": "import providers_sdk; client = providers_sdk.Client('echo')",
    "an echo chat": "import providers_sdk; assert providers_sdk.Client('echo').chat('hi').text == 'hi'",
}
NOT_YET = {
    "bs4",
    "lxml",
    "soupsieve",
    "certifi",
    "charset_normalizer",
    "idna",
    "requests",
    "socks",
    "urllib3",
    "pydantic",
    "jsonschema",
}


def loaded(code: str) -> set[str]:
    result = subprocess.run([sys.executable, "-c", f"{code}\n{SHOW}\nshow()"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


@pytest.mark.parametrize("code", STEPS.values(), ids=STEPS)
def test_neither_requests_nor_a_parser_of_html_is_loaded_before_the_first_request(code: str) -> None:
    assert loaded(code) & NOT_YET == set()


def test_a_call_that_sends_a_request_loads_requests_and_no_parser_of_html() -> None:
    code = """
from providers_sdk import Client
from providers_sdk.errors import ConnectFailed
client = Client("pizzagpt", settings={"pizzagpt": {"url": "http://127.0.0.1:9"}}, proxy="", retries=0)
try:
    client.chat("hi")
except ConnectFailed:
    pass
"""
    found = loaded(code)
    assert {"requests", "urllib3"} <= found
    assert found & {"bs4", "lxml", "soupsieve"} == set()
