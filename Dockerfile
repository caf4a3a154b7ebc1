# One image for the API, the workers and the migration; compose says which one a container is.
FROM python:3.13-slim-bookworm AS build
ARG TORCH
ARG TORCH_INDEX
RUN if [ -z "$TORCH" ] || [ -z "$TORCH_INDEX" ]; then \
      echo 'Say which torch: --build-arg TORCH=cpu|cu130|... and --build-arg TORCH_INDEX=<address>, the one after' \
           '--index-url in the install line of https://pytorch.org/get-started/locally/' >&2; exit 1; fi
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN pip install --index-url "$TORCH_INDEX" 'torch>=2.10,<2.14'
RUN python -c "import os, torch; got = torch.version.cuda; asked = os.environ['TORCH'] != 'cpu'; \
      raise SystemExit(None if bool(got) == asked else f'TORCH={os.environ[\"TORCH\"]}, but TORCH_INDEX gave torch {torch.__version__}')"
COPY . /src
RUN pip install '/src[text]'

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /tmp --no-create-home trainwire \
 && install --directory --owner=trainwire --group=trainwire /data
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /data
USER 10001
EXPOSE 8000
CMD ["trainwire", "--help"]
