"""Who did something, as audit trail and rows name them: `token:<id>:<name>`, or another kind with its name. Pure."""


def is_same_actor(one: str, other: str) -> bool:
    """Whether both are one holder of one token, whatever its name was then."""
    return bool(one) and one.split(":")[:2] == other.split(":")[:2]


def tell_actor(actor: str) -> str:
    """The name for people."""
    return actor.split(":", 2)[-1]


def find_token_id(actor: str) -> str | None:
    """The id of the token that acted; None: it was none."""
    kind, _, rest = actor.partition(":")
    return rest.partition(":")[0] if kind == "token" else None
