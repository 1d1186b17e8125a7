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
_KINDS = ("path", "header", "hmac", "standard", "stamped")
# Standard Webhooks by its own names, and by those of the service that it comes from.
_STANDARD_NAMES = {f"webhook-{part}": (f"webhook-{part}", f"svix-{part}") for part in ("id", "timestamp", "signature")}
# Of a stamped signature: a secret that is being changed gives two.
_MOST_PARTS = 20
_ENCODINGS = ("hex", "base64")
_ALGORITHMS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How one hook is verified.

    `kind` is `path` (the address is the secret), `header` (a header equals a secret), `hmac` or `standard` (Standard
    Webhooks), or `stamped` (a header `t=<Unix seconds>,v1=<HMAC in hex of "<t>.<body>">`). `timestamp_header`,
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
    if verification.kind == "stamped":
        _verify_stamped(verification, given, body, now=now)
        return
    if verification.kind == "header":
        _match([secret.encode() for secret in verification.secrets], _to_bytes(given))
        return
    signed = _signed_bytes(verification, headers, body, now=now)
    digest = _ALGORITHMS[verification.algorithm]
    wanted = [hmac.new(secret.encode(), signed, digest).digest() for secret in verification.secrets]
    _match(wanted, _decode(verification, given))


def _check_settings(verification: Verification) -> None:
    stated: dict[str, tuple[str, tuple[str, ...]]] = {"kind": (verification.kind, _KINDS)}
    if verification.kind in {"hmac", "stamped"}:
        stated["algorithm"] = (verification.algorithm, tuple(_ALGORITHMS))
        stated["encoding"] = (verification.encoding, _ENCODINGS)
    for name, (value, allowed) in stated.items():
        if value not in allowed:
            fix = f"Correct the hook's verification: {name} is one of {', '.join(allowed)}."
            raise SignatureError(f"This hook's verification has an unknown {name} “{value[:50]}”", fix=fix)
    needs_header = verification.kind in {"header", "hmac", "stamped"}
    if verification.kind != "path" and not (verification.secrets and (verification.header or not needs_header)):
        fix = "Give the hook the name of the header and a secret, or make a new hook."
        raise SignatureError("This hook is verified by a header, but has no header name or no secret", fix=fix)


def _verify_standard(verification: Verification, headers: Mapping[str, str], body: bytes) -> None:
    """Standard Webhooks by its own library, five minutes off at most; https://www.standardwebhooks.com."""
    plain = {name: _read_one(headers, names) for name, names in _STANDARD_NAMES.items()}
    for secret in verification.secrets:
        try:
            Webhook(secret).verify(body, plain, json_parse=False)
        except Exception:  # noqa: BLE001, S112 - on malformed headers the library raises whatever comes
            continue
        return
    _refuse("The webhook has no valid Standard Webhooks signature")


def _verify_stamped(verification: Verification, given: str, body: bytes, *, now: datetime) -> None:
    # `t=…,v1=…[,v1=…]`; parts of other names are signatures of kinds that are not known here, and count for nothing.
    parts = [part.strip().partition("=") for part in given.split(",")[:_MOST_PARTS]]
    stamps = [value for name, _, value in parts if name == "t"]
    if len(stamps) != 1:
        _refuse("The webhook's signature has not exactly one `t=`")
    _require_recent(stamps[0], now=now)
    signed = stamps[0].encode() + b"." + body
    digest = _ALGORITHMS[verification.algorithm]
    wanted = [hmac.new(secret.encode(), signed, digest).digest() for secret in verification.secrets]
    _match_any(wanted, [_from_hex(value) for name, _, value in parts if name == "v1"])


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _signed_bytes(verification: Verification, headers: Mapping[str, str], body: bytes, *, now: datetime) -> bytes:
    if not verification.timestamp_header:
        return body
    stamp = _read_header(headers, verification.timestamp_header)
    _require_recent(stamp, now=now)
    return stamp.encode() + b"." + body


def _require_recent(stamp: str, *, now: datetime) -> None:
    is_number = stamp.isascii() and stamp.isdecimal() and len(stamp) <= _LONGEST_STAMP
    if not is_number or abs(now.timestamp() - int(stamp)) > _WINDOW_SECONDS:
        _refuse("The webhook's timestamp is unreadable or more than five minutes off")


def _read_header(headers: Mapping[str, str], name: str) -> str:
    return _read_one(headers, (name,))


def _read_one(headers: Mapping[str, str], names: Sequence[str]) -> str:
    """The one value that came under these names: of two nobody can tell which one a proxy before us has looked at."""
    wanted = {name.lower() for name in names}
    found = [(key.lower(), value) for key, value in headers.items() if key.lower() in wanted]
    if not found:
        _refuse(f"The webhook has no header {names[0]}")
    if len({key for key, _ in found}) != len(found) or len({value for _, value in found}) > 1:
        _refuse(f"The webhook has its header {names[0]} twice")
    return found[0][1]


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
    _match_any(wanted, [given])


def _match_any(wanted: Sequence[bytes], given: Sequence[bytes]) -> None:
    # Every secret is compared, so that the time tells nothing about which one it was.
    if not any([hmac.compare_digest(one, other) for one in wanted for other in given]):  # noqa: C419 - on purpose
        _refuse("The webhook's signature is wrong")


def _refuse(cause: str) -> NoReturn:
    raise SignatureError(cause, fix="Check the hook's secret and signature settings on both sides.")
