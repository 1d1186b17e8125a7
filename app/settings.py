"""Every setting, with its meaning: read from `RMU_…` environment variables (and `DATABASE_URL`)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Network: TypeAlias = IPv4Network | IPv6Network
Level: TypeAlias = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

# `//user:password@host`: from the first colon behind the user to the last @ of the text.
_BEFORE_HOST = re.compile(r"((?://|^(?!\w[\w+.-]*://))[^:/?#@\s]*:)\S*@")
# `?password=…`, `&sslpassword=…`, and `host=… password='…'` as libpq writes it.
_NAMED_SECRET = re.compile(
    r"((?:pass|secret|token|key)\w*\s*=\s*)(?:'(?:[^'\\]|\\.)*'|\"[^\"]*\"|[^\s&;'\"]+)", re.IGNORECASE
)
# A year in the unit that a name ends with, and the most of everything else: beyond that clocks, timers and columns give
# up in the middle of work. "inf" is a number, too.
_LONGEST = {"_seconds": 366 * 86_400, "_minutes": 366 * 1440, "_hours": 366 * 24}
_MOST = 2**31 - 1
# Named as they are everywhere, without our prefix.
_COMMON_NAMES = ("database_url", "database_pooled", "database_direct_url")


class Settings(BaseSettings):
    """The service's settings; `recman-unimicro settings` lists them with their source."""

    model_config = SettingsConfigDict(env_prefix="RMU_", extra="ignore", frozen=True)

    database_url: str | None = Field(
        None,
        validation_alias=AliasChoices("DATABASE_URL", "RMU_DATABASE_URL"),
        description="Postgres 15+; not set: an embedded Postgres is started in the data folder",
    )
    database_pooled: bool = Field(
        default=False,
        validation_alias=AliasChoices("DATABASE_POOLED", "RMU_DATABASE_POOLED"),
        description="A pooler in transaction mode stands before Postgres: no statement is kept prepared",
    )
    database_direct_url: str | None = Field(
        None,
        validation_alias=AliasChoices("DATABASE_DIRECT_URL", "RMU_DATABASE_DIRECT_URL"),
        description="Postgres past the pooler, for migrations and wake-ups; not set: workers look every poll",
    )
    database_connections: int = Field(
        12, ge=2, description="Connections to Postgres that one process opens at most, those for webhooks aside"
    )
    webhook_connections: int = Field(8, ge=1, description="Connections that store webhooks, in a process with the API")
    connection_wait_seconds: float = Field(
        5, gt=0, description="Whoever finds no connection to Postgres waits so long for one, then gets 503"
    )
    data_dir: Path = Field(Path(".data"), description="Folder of the embedded Postgres and of demo files")
    exports_dir: Path | None = Field(
        None, description="Folder into which files of keys in mode file are dropped (`drop_hours` of the key)"
    )
    layouts_dir: Path | None = Field(None, description="Folder of layouts of files of your own, beside those we have")
    host: str = Field("127.0.0.1", description="Address the API listens on")
    port: int = Field(8000, ge=0, le=65535, description="Port the API listens on")
    public_url: str = Field("http://127.0.0.1:8000", description="Address under which people and RecMan reach us")
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of the proxies before us, comma separated; only theirs is X-Forwarded-For "
        "believed",
    )
    show_docs: bool = Field(default=True, description="Show the API's description at /docs and /openapi.json")
    log_format: Literal["text", "json"] = Field("text", description="Log lines as `text` or `json`")
    log_level: Annotated[Level, BeforeValidator(str.upper)] = Field("INFO", description="Lowest level that is logged")

    bootstrap_token: SecretStr | None = Field(
        None, description="First operator token; not set: one is made and printed once at first start"
    )
    encryption_keys: SecretStr | None = Field(
        None, description="Fernet keys for secrets at rest, newest first, comma separated"
    )

    max_body_bytes: int = Field(1_048_576, ge=1024, description="A larger webhook body is refused with 413")
    bodies_bytes: int = Field(67_108_864, ge=4_194_304, description="Bodies that are held at once; more: 503")
    request_head_seconds: float = Field(10, gt=0, description="A request's head is waited for so long")
    request_body_seconds: float = Field(30, gt=0, description="A request's body is waited for so long, then it is 408")
    answer_seconds: float = Field(60, gt=0, description="A client that takes no answer is left after this time")
    api_connections: int = Field(
        1000, ge=10, description="Connections to the API at once; beyond, the one that is idle for longest is closed"
    )
    keep_alive_seconds: int = Field(
        620,
        ge=0,
        description="An idle connection is kept so long: longer than senders and proxies keep theirs",
    )
    webhook_rate: str = Field(
        "6000/minute",
        pattern=r"^$|^[1-9]\d*/(second|minute|hour)$",
        description="So many deliveries of one hook a process takes, more is 429; empty: any number",
    )
    hook_cache_seconds: float = Field(2, ge=0, description="A disabled or changed hook is noticed within this time")

    worker_concurrency: int = Field(8, ge=1, le=1000, description="Lanes one worker works on at the same time")
    worker_tenant_share: float = Field(
        0.75, gt=0, le=1, description="How much of these one tenant may have, so that others find a place"
    )
    lease_seconds: float = Field(15, gt=0, description="A dead worker's lanes are taken over after this time")
    poll_seconds: float = Field(1, gt=0, description="How often a worker looks for work when nothing wakes it")
    backoff_first_seconds: float = Field(5, gt=0, description="First pause after a failed try (full jitter)")
    backoff_cap_seconds: float = Field(3600, gt=0, description="Longest pause between tries")
    give_up_hours: float = Field(72, gt=0, description="A record that fails this long is marked failed")

    unimicro_issuer: str = Field("https://login.unimicro.no", description="Identity server of the Unimicro brand")
    unimicro_api_base: str = Field("https://app.unimicro.no/", description="API base when the token names none")
    unimicro_allowed_hosts: str = Field(
        "app.unimicro.no,test.unimicro.no,smb.unimicro.no,dnbregnskap.dnb.no,system.eikaregnskap.no,"
        "complete.azets.no,regnskap.sb1.no",
        description="Hosts (with port, if any) that a token may name as API base; comma separated",
    )
    unimicro_client_id: str = Field("", description="Client id from Unimicro's developer portal")
    unimicro_client_secret: SecretStr = Field(
        SecretStr(""), description="Client secret from the portal; a public client has none"
    )
    unimicro_parallel_calls: int = Field(
        4, ge=1, le=64, description="Calls to one Unimicro company at a time, over all processes"
    )
    unimicro_read_lag_seconds: float = Field(
        5, ge=0, description="A write without an answer is looked up again after this time before it is sent again"
    )
    unimicro_reference_seconds: float = Field(
        300, ge=0, description="How long products, VAT types and the like are kept before they are read again"
    )
    unimicro_confirm_seconds: float = Field(
        0,
        ge=0,
        description="How long settings and VAT types are believed although a newer hint came (0: not at all)",
    )
    unimicro_invoice_link: str = Field(
        "{base}#/sales/invoices/{id}", description="Where a person finds an invoice in Unimicro (assumed)"
    )
    unimicro_send_customer_number: bool = Field(
        default=True,
        description="Send RecMan's number when a customer is created (assumed to be honoured inside the series)",
    )

    follow_minutes: float = Field(
        30,
        ge=0,
        description="How often drafts and orders are looked at in Unimicro until people have issued them; 0: never",
    )

    require_customer_check: bool = Field(
        default=True, description="A key sends nothing until a customer check of it is green or accepted"
    )

    webhook_challenge: str = Field(
        "challenge", description="Query parameter that a check of a webhook address wants echoed; empty: none is"
    )
    recman_api_base: str = Field("https://api.recman.io", description="RecMan's API host")
    recman_daily_calls: int = Field(
        200, ge=1, description="Calls to RecMan a day and tenant, unless the tenant has a number of its own"
    )
    recman_day_zone: str = Field("Europe/Oslo", description="Where RecMan's day begins at midnight (assumed)")
    recman_debounce_seconds: float = Field(
        30, ge=0, le=3600, description="A webhook's record is read after this time, together with others that came in"
    )
    recman_sweep_hours: float = Field(
        24, ge=0, description="All of RecMan is read again this often, unless the tenant has its own number; 0: never"
    )
    recman_unnamed_sweep_hours: float = Field(
        1,
        ge=0,
        description="A webhook that names no record brings the next sweep forward, at most this often; 0: never",
    )
    schedule_seconds: float = Field(30, gt=0, description="How often it is looked whether a sweep is due")
    prune_hours: float = Field(
        24, ge=0, description="How often what was kept for long enough is let go; 0: only by `recman-unimicro prune`"
    )

    @cached_property
    def allowed_hosts(self) -> frozenset[str]:
        """The hosts a token may name as API base, lower case."""
        return frozenset(host.strip().lower() for host in self.unimicro_allowed_hosts.split(",") if host.strip())

    @field_validator("*")
    @classmethod
    def _is_bearable(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        most = next((most for end, most in _LONGEST.items() if str(info.field_name).endswith(end)), _MOST)
        if value > most:
            raise ValueError(f"Input should be at most {most}")
        return value

    @field_validator("unimicro_issuer", "recman_api_base")
    @classmethod
    def _is_address(cls, value: str) -> str:
        # Raises by itself where the port is none, or a bracket is left open.
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError("Input should be an address like https://api.example.com")
        return value

    @field_validator("unimicro_invoice_link")
    @classmethod
    def _can_be_filled_in(cls, value: str) -> str:
        try:
            value.format(base="", id=1)
        except (LookupError, AttributeError, TypeError, ValueError) as error:
            raise ValueError("Input should name nothing but {base} and {id} in braces") from error
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        parse_networks(value)
        return value

    @cached_property
    def proxies(self) -> tuple[Network, ...]:
        """The networks whose word about other addresses is believed."""
        return parse_networks(self.trusted_proxies)

    def listens_at(self, url: str) -> str | None:
        """Where a worker can be woken from, when it works at `url`; None: nowhere, so that it looks again and again."""
        return self.database_direct_url or (None if self.database_pooled else url)

    def most_connections(self, *, serves: bool, works: bool) -> int:
        """How many connections to Postgres a process of this kind opens at most: one more for slots, one to listen."""
        return self.session_connections + 1 + serves * self.webhook_connections + works

    @property
    def private_data_dir(self) -> Path:
        """The data folder, made where it is missing: nobody else of this machine looks into it."""
        folder = self.data_dir.resolve()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    @property
    def data_dir_open(self) -> int | None:
        """The mode of the data folder where others of this machine may look into it; it may be theirs, too."""
        try:
            mode = self.data_dir.resolve().stat().st_mode & 0o777
        except OSError:
            return None
        return mode if mode & 0o077 else None

    @property
    def session_connections(self) -> int:
        """Never fewer than the lanes that are worked on at once, and those who look after them."""
        return max(self.database_connections, self.worker_concurrency + 2)

    @property
    def places_of_a_tenant(self) -> int:
        """How many of a worker's places one tenant may have, at least one."""
        return max(1, int(self.worker_concurrency * self.worker_tenant_share))

    @property
    def redirect_uri(self) -> str:
        """Where Unimicro sends an administrator back after sign-in; must be registered there exactly."""
        return self.public_url.rstrip("/") + "/oauth/unimicro/callback"

    @property
    def begin_uri(self) -> str:
        """Where an administrator begins a sign-in, with a ticket behind it."""
        return self.public_url.rstrip("/") + "/oauth/unimicro/begin"


def parse_networks(text: str) -> tuple[Network, ...]:
    """The networks of a list with commas; an address is one of its own.

    Raises:
        ValueError: a part is neither address nor network.
    """
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as listed for people."""

    variable: str
    value: str
    source: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Stranger:
    """A variable that looks like a setting and is none; `meant` is the nearest one, or empty."""

    variable: str
    meant: str


def to_variable(name: str) -> str:
    """The environment variable of a setting."""
    return name.upper() if name.lower() in _COMMON_NAMES else f"RMU_{name.upper()}"


def list_strangers(environment: Mapping[str, str]) -> list[Stranger]:
    """The variables that begin like ours and that nobody reads, misspelled most likely."""
    known = {to_variable(name) for name in Settings.model_fields}
    also = {f"RMU_{name.upper()}" for name in _COMMON_NAMES}
    found = sorted(name for name in environment if name.startswith("RMU_") and name not in known | also)
    return [Stranger(name, next(iter(get_close_matches(name, known, n=1)), "")) for name in found]


def list_settings(settings: Settings) -> list[SettingRow]:
    """Every setting with its variable, value (secrets masked), source and meaning."""
    rows = []
    for name, field in Settings.model_fields.items():
        variable = to_variable(name)
        value = getattr(settings, name)
        shown = "" if value is None else mask_url(str(value))
        source = "environment" if name in settings.model_fields_set else "default"
        rows.append(SettingRow(variable, shown, source, field.description or ""))
    return rows


def mask_url(text: str) -> str:
    """The text without any password, for people and logs, in whatever form an address may have one.

    Shape: what cannot be told apart is masked with it: a password may hold every sign that ends one.
    """
    return _NAMED_SECRET.sub(r"\1***", _BEFORE_HOST.sub(r"\1***@", text))
