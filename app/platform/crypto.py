"""Secrets at rest: encrypted with MultiFernet and bound to the row they belong to; tokens as SHA-256."""

import hashlib
import secrets

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.domain.money import dump_json, parse_json
from app.domain.reasons.codes import Code
from app.errors import ServiceError

_SHOWN_DIGITS = 12


class SecretUnreadableError(ServiceError):
    """A stored secret cannot be read with the present keys, or belongs to another row."""

    code = Code.SECRET_UNREADABLE


class Vault:
    """Seals and opens secrets; the first key seals, every key opens.

    Raises:
        SecretUnreadableError: there is no usable key.
    """

    def __init__(self, keys: str) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key.strip()) for key in keys.split(",") if key.strip()])
        except ValueError as error:
            raise SecretUnreadableError(
                "RMU_ENCRYPTION_KEYS holds no usable Fernet key",
                fix="Make one with `recman-unimicro doctor --new-key` and set RMU_ENCRYPTION_KEYS.",
            ) from error

    def seal(self, secret: str, *, owner: str) -> bytes:
        """The secret encrypted together with its owner, `table:id:column`."""
        return self._fernet.encrypt(dump_json([owner, secret]).encode())

    def open(self, sealed: bytes, *, owner: str) -> str:
        """The secret.

        Raises:
            SecretUnreadableError: no key opens it, or it was copied from another row.
        """
        try:
            found, secret = parse_json(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise SecretUnreadableError(
                f"The secret of {owner} cannot be read with the present encryption keys",
                fix="Put the key it was sealed with back into RMU_ENCRYPTION_KEYS, or enter the secret again.",
            ) from error
        if found != owner:
            raise SecretUnreadableError(
                f"The secret of {owner} belongs to another row", fix="Enter the secret again and check the audit log."
            )
        return str(secret)

    def reseal(self, sealed: bytes) -> bytes:
        """The same secret under the first key.

        Raises:
            SecretUnreadableError: no key opens it.
        """
        try:
            return self._fernet.rotate(sealed)
        except InvalidToken as error:
            raise SecretUnreadableError(
                "A stored secret cannot be read with the present encryption keys; nothing was changed",
                fix="Put the key it was sealed with back into RMU_ENCRYPTION_KEYS.",
            ) from error


def new_token(prefix: str) -> str:
    """A fresh 256-bit token, recognisable by its prefix in logs and leak scanners."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def fingerprint(secret: str) -> bytes:
    """SHA-256 of a token; enough for 256-bit random values, no salt needed."""
    return hashlib.sha256(secret.encode()).digest()


def show_fingerprint(secret: str) -> str:
    """The beginning of a secret's fingerprint: tells two secrets apart and gives nothing away."""
    return fingerprint(secret).hex()[:_SHOWN_DIGITS]
