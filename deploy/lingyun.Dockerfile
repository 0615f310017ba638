# Intake, engine and API: one image, three commands. Built the way `make run` builds, so that what is tested is what ships.
FROM node:22-slim AS node

FROM python:3.13-slim AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /opt/lingyun
COPY . .
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir --editable .
RUN sh dashboard/build.sh && rm -rf dashboard

FROM python:3.13-slim
COPY --from=build /opt/lingyun /opt/lingyun
RUN useradd --no-create-home --uid 10001 lingyun
ENV PATH=/opt/lingyun/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER lingyun
WORKDIR /tmp
EXPOSE 8000
CMD ["lingyun", "api"]
