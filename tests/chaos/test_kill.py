"""kill -9 of a real worker process at any moment: books equal, nothing lost, nothing twice."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn

from app.sandbox.samples import load_samples
from tests.world import World, open_world

SAMPLES = load_samples()
