"""One process of workers that all want a token at once; told to go by a line on its standard input."""

import asyncio
import sys
from uuid import UUID

from app.admin.access_tokens import fresh_token
from app.platform.crypto import show_fingerprint
from app.platform.resources import open_resources
from app.settings import Settings

WORKERS = 10


async def main(key_id: UUID, refused: str) -> None:
    """Print the fingerprint of each worker's token."""
    settings = Settings()
    async with open_resources(settings, database_url=str(settings.database_url)) as resources:
        print("ready", flush=True)  # noqa: T201 - read by the test
        await asyncio.to_thread(sys.stdin.readline)
        tokens = await asyncio.gather(
            *[fresh_token(resources, key_id, refused=refused or None) for _ in range(WORKERS)]
        )
        for token in tokens:
            print(show_fingerprint(token), flush=True)  # noqa: T201 - read by the test


if __name__ == "__main__":
    asyncio.run(main(UUID(sys.argv[1]), sys.stdin.readline().strip()))
