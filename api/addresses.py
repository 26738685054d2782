"""Addresses by which the world reaches this server."""

from urllib.parse import urlsplit

from starlette.requests import Request

from engine.errors import SettingError


def checked_address(text: str) -> str:
    """Return ``text`` without its last slash when it is a web address; raise ``SettingError`` otherwise.

    >>> checked_address("https://jalon.example/")
    'https://jalon.example'
    """
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
    except ValueError:
        usable = False
    if not usable:
        raise SettingError(f"The address {text!r} is not understood; write one such as https://jalon.example.")
    return text.rstrip("/")


def address_of(request: Request) -> str:
    """Where a request comes from, to count tries."""
    return request.client.host if request.client else "unknown"
