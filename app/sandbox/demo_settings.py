"""The settings, ports and environment of a demo."""

import contextlib
import os
import socket
from pathlib import Path

from cryptography.fernet import Fernet
from pydantic import SecretStr

from app.platform.crypto import new_token
from app.sandbox.unimicro.options import SandboxOptions
from app.settings import Settings


def free_ports() -> tuple[int, int, int, int]:
    """Ports that nobody uses right now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(4)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        first, second, third, fourth = (one.getsockname()[1] for one in sockets)
    return first, second, third, fourth


def make_settings(ports: dict[str, int], url: str, folder: Path) -> Settings:
    """The settings of a demo in this folder, with the database at `url`."""
    options = SandboxOptions()
    unimicro = f"http://127.0.0.1:{ports['unimicro']}"
    return Settings(
        DATABASE_URL=url,
        data_dir=folder,
        port=ports["api"],
        public_url=f"http://127.0.0.1:{ports['api']}",
        bootstrap_token=SecretStr(new_token("rmu")),
        encryption_keys=SecretStr(Fernet.generate_key().decode()),
        unimicro_issuer=f"http://127.0.0.1:{ports['identity']}",
        unimicro_api_base=f"{unimicro}/",
        unimicro_allowed_hosts=f"127.0.0.1:{ports['unimicro']}",
        unimicro_client_id=options.client_id,
        unimicro_client_secret=SecretStr(options.client_secret),
        unimicro_read_lag_seconds=0.5,
        recman_api_base=f"http://127.0.0.1:{ports['recman']}",
        lease_seconds=3,
        backoff_first_seconds=0.5,
        recman_debounce_seconds=0.3,
        recman_sweep_hours=0,
        follow_minutes=0.01,
        schedule_seconds=1,
        log_level="WARNING",
    )


def to_environment(settings: Settings) -> dict[str, str]:
    """The settings as the children read them."""
    variables = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        plain = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        variables["DATABASE_URL" if name == "database_url" else f"RMU_{name.upper()}"] = plain
    return {**os.environ, **variables}


def sandbox_arguments(ports: dict[str, int], settings: Settings) -> list[str]:
    """How the command `sandbox` is called."""
    return [
        f"--recman-port={ports['recman']}",
        f"--unimicro-port={ports['unimicro']}",
        f"--identity-port={ports['identity']}",
        f"--redirect-uri={settings.redirect_uri}",
    ]


def show_secret(value: SecretStr | None) -> str:
    """The secret in plain, empty where there is none."""
    return value.get_secret_value() if value is not None else ""
