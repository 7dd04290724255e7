# Build with the agent's client inside: docker build --build-arg LOCK=requirements-claude.lock .
FROM python:3.11-slim-bookworm AS build
ARG LOCK=requirements.lock
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src

# Libraries first: this layer stays as long as the locks do.
COPY requirements.lock requirements-build.lock requirements-claude.lock ./
RUN python -m venv /opt/builder \
 && /opt/builder/bin/pip install --require-hashes --no-deps --only-binary :all: -r requirements-build.lock \
 && python -m venv /opt/signalbox \
 && /opt/signalbox/bin/pip install --require-hashes --no-deps --only-binary :all: -r "$LOCK"

COPY pyproject.toml LICENSE atlassian-connect.json ./
COPY app app
COPY migrations migrations
RUN /opt/builder/bin/pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /dist . \
 && /opt/signalbox/bin/pip install --no-index --no-deps /dist/*.whl

FROM python:3.11-slim-bookworm
# git makes the workspaces, bubblewrap the cages. A cage needs user namespaces: a container must be
# allowed to make them (docs/how-to), otherwise the start of an agent is refused with that reason.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends bubblewrap ca-certificates git tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --home-dir /home/signalbox signalbox \
 && install --directory --owner=signalbox --group=signalbox --mode=0700 /data
COPY --from=build /opt/signalbox /opt/signalbox
ENV PATH="/opt/signalbox/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    SIGNALBOX_HOST=0.0.0.0 SIGNALBOX_PORT=8321 SIGNALBOX_DATA=/data
USER signalbox
WORKDIR /data
VOLUME /data
EXPOSE 8321

# Slim images have no curl. A container that runs `worker` alone has no web part to ask: start it
# with --no-healthcheck, the other workers watch its heartbeat.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['SIGNALBOX_PORT'] + '/healthz', timeout=4)"]

# tini reaps what an agent's processes leave behind and passes signals on.
ENTRYPOINT ["tini", "--", "signalbox"]
CMD ["serve"]
