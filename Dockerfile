# The image of every process: api, worker, migrate. Say which with the command.
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/entrepot
COPY requirements/bootstrap.lock requirements/runtime.lock requirements/
RUN python -m pip install --no-cache-dir --require-hashes -r requirements/bootstrap.lock \
    && uv pip install --python /opt/entrepot/bin/python --no-cache --compile-bytecode \
        --require-hashes -r requirements/runtime.lock
COPY pyproject.toml README.md ./
COPY activities activities
COPY api api
COPY db db
COPY domain domain
COPY providers providers
COPY runtime runtime
COPY sandbox sandbox
COPY workflows workflows
RUN python -m hatchling build --target wheel --directory /tmp/wheel \
    && uv pip install --python /opt/entrepot/bin/python --no-cache --compile-bytecode --no-deps \
        /tmp/wheel/*.whl

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin entrepot
COPY --from=build /opt/entrepot /opt/entrepot
ENV PATH=/opt/entrepot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ENTREPOT_ENVIRONMENT=production \
    ENTREPOT_HOST=0.0.0.0
USER 10001
EXPOSE 4000
ENTRYPOINT ["entrepot"]
CMD ["api"]
