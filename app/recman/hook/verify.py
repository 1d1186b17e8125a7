"""Is a webhook from whom it says? Secrets compared in constant time, over the raw bytes.

Whether RecMan signs anything is unknown, so each hook says how it is verified; the secret address is the default.
Source: assumed (docs/facts/recman.md §1.3).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn

from standardwebhooks import Webhook

from app.errors import SignatureError

_WINDOW_SECONDS = 300
_LONGEST_STAMP = 12
_KINDS = ("path", "header", "hmac", "standard")
_ENCODINGS = ("hex", "base64")
_ALGORITHMS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How one hook is verified.

    `kind` is `path` (the address is the secret), `header` (a header equals a secret), `hmac` or `standard` (Standard
    Webhooks). `timestamp_header`,
    when set, names a header with Unix seconds that is signed in front of the body as `<timestamp>.<body>`.
    """

    kind: str
    header: str = ""
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    timestamp_header: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], secrets: Sequence[str]) -> "Verification":
        """The verification as stored with the hook, with its live secrets."""
        names = ("kind", "header", "algorithm", "encoding", "prefix", "timestamp_header")
        stated = {name: str(config[name]) for name in names if config.get(name) is not None}
        return cls(**{"kind": "", **stated}, secrets=tuple(filter(None, secrets)))


def verify(verification: Verification, *, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Pass, or not.

    Raises:
        SignatureError: the header is missing, malformed, too old or wrong, or the hook's own settings are.
    """
    _check_settings(verification)
    if verification.kind == "path":
        return
    if verification.kind == "standard":
        _verify_standard(verification, headers, body)
        return
    given = _read_header(headers, verification.header)
    if verification.kind == "header":
        _match([secret.encode() for secret in verification.secrets], _to_bytes(given))
        return
    signed = _signed_bytes(verification, headers, body, now=now)
    digest = _ALGORITHMS[verification.algorithm]
    wanted = [hmac.new(secret.encode(), signed, digest).digest() for secret in verification.secrets]
    _match(wanted, _decode(verification, given))


def _check_settings(verification: Verification) -> None:
    stated: dict[str, tuple[str, tuple[str, ...]]] = {"kind": (verification.kind, _KINDS)}
    if verification.kind == "hmac":
        stated["algorithm"] = (verification.algorithm, tuple(_ALGORITHMS))
        stated["encoding"] = (verification.encoding, _ENCODINGS)
    for name, (value, allowed) in stated.items():
        if value not in allowed:
            fix = f"Correct the hook's verification: {name} is one of {', '.join(allowed)}."
            raise SignatureError(f"This hook's verification has an unknown {name} “{value[:50]}”", fix=fix)
    needs_header = verification.kind in {"header", "hmac"}
    if verification.kind != "path" and not (verification.secrets and (verification.header or not needs_header)):
        fix = "Give the hook the name of the header and a secret, or make a new hook."
        raise SignatureError("This hook is verified by a header, but has no header name or no secret", fix=fix)


def _verify_standard(verification: Verification, headers: Mapping[str, str], body: bytes) -> None:
    """Standard Webhooks by its own library, five minutes off at most; https://www.standardwebhooks.com."""
    plain = {name.lower(): value for name, value in headers.items()}
    for secret in verification.secrets:
        try:
            Webhook(secret).verify(body, plain, json_parse=False)
        except Exception:  # noqa: BLE001, S112 - on malformed headers the library raises whatever comes
            continue
        return
    _refuse("The webhook has no valid Standard Webhooks signature")


def _signed_bytes(verification: Verification, headers: Mapping[str, str], body: bytes, *, now: datetime) -> bytes:
    if not verification.timestamp_header:
        return body
    stamp = _read_header(headers, verification.timestamp_header)
    is_number = stamp.isascii() and stamp.isdecimal() and len(stamp) <= _LONGEST_STAMP
    if not is_number or abs(now.timestamp() - int(stamp)) > _WINDOW_SECONDS:
        _refuse("The webhook's timestamp is unreadable or more than five minutes off")
    return stamp.encode() + b"." + body


def _read_header(headers: Mapping[str, str], name: str) -> str:
    value = next((value for key, value in headers.items() if key.lower() == name.lower()), None)
    if value is None:
        _refuse(f"The webhook has no header {name}")
    return value


def _to_bytes(text: str) -> bytes:
    # Header bytes reach us decoded as Latin-1; other letters can equal no header that was sent.
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _decode(verification: Verification, given: str) -> bytes:
    if not given.startswith(verification.prefix):
        _refuse("The webhook's signature has another form than this hook expects")
    text = given.removeprefix(verification.prefix)
    try:
        return bytes.fromhex(text) if verification.encoding == "hex" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        _refuse("The webhook's signature cannot be decoded")


def _match(wanted: Sequence[bytes], given: bytes) -> None:
    # Every secret is compared, so that the time tells nothing about which one it was.
    if not any([hmac.compare_digest(one, given) for one in wanted]):  # noqa: C419 - all of them on purpose
        _refuse("The webhook's signature is wrong")


def _refuse(cause: str) -> NoReturn:
    raise SignatureError(cause, fix="Check the hook's secret and signature settings on both sides.")
