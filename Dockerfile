# The job as an image. `make image` builds it; docs/adr/0008-container.md says why it is made so.
#
# Two stages: one installs, prunes and compiles; the other is the base image, the result and a user.

# The official image for amd64 and arm64, by digest. To take a newer one:
# docker buildx imagetools inspect python:3.13-slim, then this line.
ARG BASE=docker.io/library/python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

# DL3006: the tag and the digest are in the argument.
# hadolint ignore=DL3006
FROM ${BASE} AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

WORKDIR /build

# The environment that stays, and one with what builds the package.
RUN python -m venv --without-pip /opt/dpss && python -m venv --without-pip /opt/tools

COPY requirements.lock requirements-build.lock ./
# No bytecode yet: it's kept of what a run imports, below.
RUN python -m pip --python /opt/dpss/bin/python install --no-compile --only-binary :all: --require-hashes -r requirements.lock
# DL3059: two steps, as the first changes seldom and takes long.
# hadolint ignore=DL3059
RUN python -m pip --python /opt/tools/bin/python install --only-binary :all: --require-hashes -r requirements-build.lock

# What the program never opens: what draws in notebooks, other packages' tests, type stubs, service
# descriptions.
COPY tools/container/prune.py tools/container/
RUN /opt/dpss/bin/python tools/container/prune.py /opt/dpss

COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN python -m pip --python /opt/tools/bin/python wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && python -m pip --python /opt/dpss/bin/python install --no-compile --no-deps --no-index dist/*.whl

# Every loop is compiled here, for any processor of this architecture, and never at a start; and so
# is Python's bytecode, of the modules that a run imports. In between the compiler goes, half of all:
# the second time shows that every loop is there without it.
COPY tools/container/warm.py tools/container/
RUN NUMBA_CPU_NAME=generic /opt/dpss/bin/python tools/container/warm.py \
    && /opt/dpss/bin/python tools/container/prune.py --compiler /opt/dpss \
    && /opt/dpss/bin/python tools/container/warm.py --again

# The bill of materials, of what is really there after the pruning.
COPY tools/container/sbom.lock tools/container/
RUN python -m pip --python /opt/tools/bin/python install --only-binary :all: --require-hashes -r tools/container/sbom.lock \
    && /opt/tools/bin/cyclonedx-py environment --spec-version 1.6 --output-format JSON --output-reproducible \
        --mc-type application --pyproject pyproject.toml --output-file /opt/dpss/sbom.cdx.json /opt/dpss/bin/python

# DL3006: as above.
# hadolint ignore=DL3006
FROM ${BASE}

ARG VERSION=0 REVISION=unknown CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="data-portal-summary-stats" \
      org.opencontainers.image.description="Summary statistics and figures of single-cell count matrices of any size, in constant memory" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"

# /scratch is the one place that is written. As a VOLUME it is there, and writable, however the
# container is started: Docker and Fargate copy its owner and rights to the volume. Everybody may
# write, for `docker run --user`. The user's cache is there too. ~/.aws may be mounted to
# /home/dpss/.aws or, as in 2019, to /root/.aws: they are one place, to which any user can get.
RUN groupadd --gid 10001 dpss \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /home/dpss --shell /usr/sbin/nologin dpss \
    && mkdir -p /home/dpss /root/.aws /scratch \
    && chmod 711 /root \
    && ln -s /root/.aws /home/dpss/.aws \
    && ln -s /scratch /home/dpss/.cache \
    && chown 10001:10001 /scratch \
    && chmod 1777 /scratch

COPY --from=build /opt/dpss /opt/dpss

ENV PATH=/opt/dpss/bin:$PATH \
    HOME=/home/dpss \
    TMPDIR=/scratch \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

VOLUME ["/scratch"]
WORKDIR /scratch
USER 10001:10001

# No shell in between: SIGTERM reaches Python. The exit code is the health.
ENTRYPOINT ["data-portal-summary-stats"]
