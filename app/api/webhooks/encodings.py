"""A delivery's body as it was before it was packed for the way; what cannot be read is refused, not stored unread."""

import zlib
from collections.abc import Mapping

from app.errors import MediaError, TooLargeError

# What zlib calls the forms that it may find: a gzip file; a stream with or without a head.
_GZIP = 31
_FORMS = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (15, -15)}
# Packers of large files write several, one after the other; what is behind each is copied, so that many cost seconds.
_MOST_FILES = 64
_READ = "application/json, application/x-www-form-urlencoded and multipart/form-data"


def unpack(body: bytes, headers: Mapping[str, str], *, most: int) -> bytes:
    """The body as its sender wrote it, `most` bytes at the most.

    Raises:
        MediaError: it is packed, or made of parts, in a way that nobody here reads.
        TooLargeError: it is larger than it may be.
    """
    kind = headers.get("content-type", "").strip().lower()
    if kind.startswith("multipart/") and not kind.startswith("multipart/form-data"):
        raise MediaError(f"Bodies of {kind.partition(';')[0][:50]} are not read", fix=f"Send {_READ}.")
    if headers.get("transfer-encoding", "chunked").strip().lower() != "chunked":
        # The server takes it apart into its chunks, and leaves them packed.
        raise MediaError("The body is packed for the way in a way that is not read", fix="Send it as it is.")
    coding = headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity") or not body:
        return body
    if coding not in _FORMS:
        raise MediaError("The body is packed in a way that is not read", fix="Send it as it is, or with gzip.")
    for form in _FORMS[coding]:
        found = _inflate(body, form, most=most)
        if found is not None:
            return found
    raise MediaError(f"The body says that it is packed with {coding}, and is not", fix="Send it whole, or as it is.")


def _inflate(body: bytes, form: int, *, most: int) -> bytes | None:
    """What is in it; None: it is not of this form, or not whole."""
    unpacked = bytearray()
    rest, files = body, 0
    try:
        while rest:
            files += 1
            if files > _MOST_FILES or (files > 1 and form != _GZIP):
                # Of these there is never more than one.
                return None
            one = zlib.decompressobj(form)
            unpacked += one.decompress(rest, most + 1 - len(unpacked))
            if len(unpacked) > most or one.unconsumed_tail:
                raise TooLargeError(f"The body is over {most} bytes", fix="Send fewer records in one delivery.")
            if not one.eof:
                return None
            rest = one.unused_data.lstrip(b"\0")
    except zlib.error:
        return None
    return bytes(unpacked)
