import pytest

from providers_sdk._http.redirects import describe_redirect, redirect_target, with_credentials

HERE = "http://acme.example/a/b"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/c", "http://acme.example/c"),
        ("c?x=1", "http://acme.example/a/c?x=1"),
        ("https://acme.example/c", "https://acme.example/c"),
        ("http://www.acme.example/c", "http://www.acme.example/c"),
        ("http://elsewhere.example/c", None),
        ("http://acme.example:81/c", None),
        ("http://elsewhere.example\\@acme.example/", None),
        ("file:///etc/hostname", None),
        ("http://[::1", None),
    ],
)
def test_a_redirect_is_followed_within_the_host(location: str, target: str | None) -> None:
    assert redirect_target(HERE, location) == target


def test_a_redirect_from_https_to_http_is_not_followed() -> None:
    assert redirect_target("https://acme.example/", "http://acme.example/") is None


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://elsewhere.example/c?key=1", "to http://elsewhere.example/c, another host, which is not followed; if"),
        ("http://acme.example:81/c", "to http://acme.example:81/c, another port"),
        ("file:///etc/hostname", "to file:///etc/hostname, which is no web address"),
        ("/a/b", "in a circle, back to http://acme.example/a/b"),
        ("/c", "too often, at last to http://acme.example/c"),
        ("http://[::1", "to an address that cannot be read"),
        ("http://user:sesame@elsewhere.example/", "to http://elsewhere.example/, another host"),
    ],
)
def test_a_redirect_that_is_not_followed_is_described_with_its_target(location: str, words: str) -> None:
    assert describe_redirect(HERE, location, [HERE]).startswith(f"it redirects {words}")


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("http://acme.example:80/x", "http://me:pw@acme.example:80/x"),
        ("https://acme.example/x", "https://me:pw@acme.example/x"),
        ("https://acme.example:8443/x", "https://me:pw@acme.example:8443/x"),
        ("http://acme.example:81/x", "http://acme.example:81/x"),
        ("https://www.acme.example/x", "https://www.acme.example/x"),
        ("https://elsewhere.example/x", "https://elsewhere.example/x"),
        ("https://own:name@acme.example/x", "https://own:name@acme.example/x"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_credentials_go_to_the_same_host_only_and_never_less_safe(address: str, sent: str) -> None:
    assert with_credentials("http://me:pw@acme.example:80", address) == sent
    assert with_credentials("http://acme.example:80", address) == address


def test_credentials_of_https_do_not_go_to_http() -> None:
    assert with_credentials("https://me:pw@acme.example", "http://acme.example/x") == "http://acme.example/x"
