"""Write ``docs/which-service.md`` from the rows of services; run ``python docs/write_services.py`` when they change."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from providers_sdk_plugins._openai import OPTIONS
from providers_sdk_plugins._rows import Row
from providers_sdk_plugins.services import ROWS

PAGE = Path(__file__).with_name("which-service.md")
_TEXT = """\
# Which service?

These services speak OpenAI's dialect, and each is a provider of its own: give its name to `provider=` or `providers
chat -p`. The tables are written from the rows that the providers are made of
(`plugins/providers_sdk_plugins/_hosted.py` and `_local.py`). A service is listed only where its address, the variable
of its key and its way of authentication have a public source. None of them was asked for this page: every row is tested
against a fake that behaves as the row says, and against recorded answers where there are some.

- **You have a key.** Take the service that the key is from. Its own variable is enough: with `GROQ_API_KEY` set,
  `providers chat -p groq hello` asks Groq. The key is used for that vendor's address only.
- **You want no key, and nothing to leave your machine.** Take a server [on your own machine](#on-your-own-machine), or
  [Ollama](ollama.md).
- **You want to choose later.** A script that names its provider in one place changes its service there: options have
  one name here, and each row has the service's own name for them.

```python
from providers_sdk_plugins.fakes.openai import SITES

from providers_sdk import Client

for name in ("groq", "mistral", "ollama-cloud"):
    with SITES[name]() as service:  # a fake of the service, on this machine
        with Client(name, settings={name: service.client_settings()}) as client:
            client.chat("Name three pizzas", max_tokens=100, seed=7).close()
        sent = service.requests[0].json()
        print(name, sorted(set(sent) - {"messages", "model", "stream", "stream_options"}))
```

```text
groq ['max_tokens', 'seed']
mistral ['max_tokens', 'random_seed']
ollama-cloud ['max_tokens', 'seed']
```

## With a key

The key is the setting `key`, or the vendor's variable. *Models* says whether the service lists its models.

{{keyed}}

Of two variables the first one that is set counts. `azure` asks the v1 API of a resource and `azure-classic` the dated
one; both have no address until `url` or `AZURE_OPENAI_ENDPOINT` gives the resource's, and take the name of a
deployment as the model.

## On your own machine

These need no key, and take the setting `key` where the server wants one. Start the server first. A model that is not
there is the server's own error.

{{local}}

## What differs

Settings beside `url`, `key`, `model`, `headers` and `extra_body`, which every one of them has:

{{settings}}

The options are {{options}}. A service that is not in this table takes them all by these names:

{{differences}}

An option that a service does not take is refused before anything is sent. `extra_body` sends what has no name here.

A stream is asked to report its usage (`stream_options`), but not by {{silent}}, which report it unasked or refuse the
field. The limit `first_token` is raised, if you do not set it, where models think in silence or are loaded first:
{{slow}}.

## With a protocol of their own

[Anthropic](anthropic.md) is the provider `anthropic`, with `ANTHROPIC_API_KEY`. [Ollama](ollama.md) is `ollama`: a
server on your own machine or elsewhere, without a key. `ollama-cloud`, above, is the vendor's own service.

## Any other service

Use `openai` with another `url`, as [OpenAI and compatible services](openai.md) shows: an instance with a name of your
own needs no code. What an instance cannot do is done by a package of your own: `providers new NAME --kind openai`. In
this library's own repository a service is a row: a few lines in `_hosted.py` and one line in `setup.cfg`.
"""


def render(rows: Mapping[str, Row]) -> str:
    """Return the page for ``rows``."""
    parts: dict[str, Callable[[Mapping[str, Row]], Iterable[str]]] = {
        "keyed": _list_keyed,
        "local": _list_local,
        "settings": _list_settings,
        "options": lambda _: [", ".join(map(_code, OPTIONS))],
        "differences": _list_differences,
        "silent": lambda rows: [" and ".join(_code(name) for name, row in rows.items() if not row.stream_options)],
        "slow": _list_slow,
    }
    text = _TEXT
    for name, write in parts.items():
        text = text.replace("{{" + name + "}}", "\n".join(write(rows)))
    return "".join(line if line[0] == "|" else _wrap(line) for line in text.splitlines(keepends=True))


def _wrap(line: str) -> str:
    return textwrap.fill(line, 120, break_on_hyphens=False, break_long_words=False) + "\n" if len(line) > 121 else line


def _code(text: str) -> str:
    return f"`{text}`"


def _list_keyed(rows: Mapping[str, Row]) -> Iterator[str]:
    yield "| provider | service | variable of the key | default model | models |"
    yield "|---|---|---|---|---|"
    for name, row in rows.items():
        if not row.local:
            variables = ", ".join(map(_code, row.key_variables))
            listed = "yes" if row.models_endpoint else "no"
            yield f"| {_code(name)} | {_link(row)} | {variables} | {_model(row)} | {listed} |"


def _list_local(rows: Mapping[str, Row]) -> Iterator[str]:
    yield "| provider | server | address | default model | variable of the key |"
    yield "|---|---|---|---|---|"
    for name, row in rows.items():
        if row.local:
            variables = ", ".join(map(_code, row.key_variables)) or "none"
            yield f"| {_code(name)} | {_link(row)} | {_code(row.url)} | {_model(row)} | {variables} |"


def _link(row: Row) -> str:
    return f"[{row.title}]({row.documentation})"


def _model(row: Row) -> str:
    return _code(row.default_model) if row.default_model else "none: name one"


def _list_settings(rows: Mapping[str, Row]) -> Iterator[str]:
    yield "| provider | setting | vendor's variable | what it is |"
    yield "|---|---|---|---|"
    for name, row in rows.items():
        for setting, extra in row.settings.items():
            required = " (required)" if extra.required else ""
            variables = ", ".join(map(_code, extra.variables))
            yield f"| {_code(name)} | {_code(setting)}{required} | {variables} | {extra.help} |"


def _list_differences(rows: Mapping[str, Row]) -> Iterator[str]:
    yield "| provider | has another name | does not take |"
    yield "|---|---|---|"
    for name, row in rows.items():
        if row.renamed_options or row.missing_options:
            renamed = ", ".join(
                f"{_code(here)} is sent as {_code(there)}" for here, there in row.renamed_options.items()
            )
            yield f"| {_code(name)} | {renamed} | {', '.join(map(_code, row.missing_options))} |"


def _list_slow(rows: Mapping[str, Row]) -> Iterator[str]:
    yield ", ".join(f"{_code(name)} {row.first_token:g} s" for name, row in rows.items() if row.first_token)


if __name__ == "__main__":
    PAGE.write_text(render(ROWS), encoding="utf-8")
