import pytest
from requests.structures import CaseInsensitiveDict

from providers_sdk._protocol.bot_walls import WALLS, detect_bot_wall

ANSWERS = {
    "Cloudflare challenge": (403, {"CF-Mitigated": "challenge", "Server": "cloudflare"}),
    "AWS WAF challenge": (202, {"x-amzn-waf-action": "challenge"}),
    "AWS WAF captcha": (405, {"x-amzn-waf-action": "captcha"}),
    "Vercel challenge": (429, {"x-vercel-mitigated": "challenge"}),
    "DataDome": (403, {"X-DataDome": "protected"}),
    "DDoS-Guard": (403, {"Server": "DDoS-Guard"}),
    "Imperva": (403, {"X-Iinfo": "1-2-3"}),
    "Sucuri": (403, {"Server": "Sucuri/Cloudproxy"}),
    "Akamai": (403, {"Server": "AkamaiGHost"}),
}


def wall(status: int, headers: dict[str, str]) -> str | None:
    return detect_bot_wall(status, CaseInsensitiveDict(headers))


@pytest.mark.parametrize("name", ANSWERS)
def test_a_wall_is_told_by_status_and_headers(name: str) -> None:
    assert wall(*ANSWERS[name]) == name


def test_every_signature_has_an_example() -> None:
    assert {signature.name for signature in WALLS} == set(ANSWERS)


def test_a_blocking_header_of_sucuri_is_told_with_any_status() -> None:
    assert wall(200, {"X-Sucuri-Block": "SQL injection"}) == "Sucuri"


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {}),
        (403, {}),
        (403, {"Server": "cloudflare", "CF-Ray": "1"}),
        (503, {"Server": "nginx"}),
        (200, {"X-Iinfo": "1-2-3"}),
        (200, {"X-DataDome": "protected"}),
        (200, {"Server": "AkamaiGHost"}),
        (404, {"Server": "Sucuri/Cloudproxy"}),
        (200, {"CF-Mitigated": "none"}),
        (200, {"x-amzn-waf-action": "allow"}),
    ],
    ids=repr,
)
def test_a_site_behind_such_a_service_is_no_wall(status: int, headers: dict[str, str]) -> None:
    assert wall(status, headers) is None
