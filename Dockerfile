# One image, several roles: `serve` (API), `worker`, `migrate`. It wants a Postgres (DATABASE_URL); none is inside.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

# Every wheel of the lock, each checked against its hash; kept as a layer until the lock changes.
COPY requirements.lock .
RUN pip wheel --quiet --require-hashes --requirement requirements.lock --wheel-dir /wheels

# From here nothing but those wheels is used, so the image gets the locked versions, and only what the service needs.
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
COPY pyproject.toml README.md ./
COPY app app
COPY migrations migrations
RUN pip wheel --quiet --no-deps --wheel-dir /wheels . \
    && python -m venv /opt/recman-unimicro \
    && /opt/recman-unimicro/bin/pip install --quiet recman-unimicro \
    && /opt/recman-unimicro/bin/pip uninstall --quiet --yes pip setuptools

FROM python:${PYTHON}
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin recman
COPY --from=build /opt/recman-unimicro /opt/recman-unimicro
ENV PATH=/opt/recman-unimicro/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    RMU_HOST=0.0.0.0 RMU_PORT=8000 RMU_LOG_FORMAT=json
USER 10001
WORKDIR /tmp
EXPOSE 8000

# For `serve`; a worker answers no HTTP, so compose.yaml switches this off for it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['RMU_PORT'] + '/health/live', timeout=2)"]

STOPSIGNAL SIGTERM
ENTRYPOINT ["recman-unimicro"]
CMD ["serve"]
