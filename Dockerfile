# The wheel is built in one stage and installed in the next: no sources, tests or notebooks inside.
FROM python:3.13-slim AS build
WORKDIR /build
# Only what the commands of the daemon import, pinned; evidently, plotly, pandas and scikit-learn are
# for reports and notebooks. Nothing is compiled, and what only tests of libraries need is dropped.
COPY deploy/runtime-requirements.txt ./
RUN python -m venv --without-pip /opt/outputwatch \
 && python -m pip --python /opt/outputwatch/bin/python install --no-cache-dir --no-deps \
    --only-binary :all: --requirement runtime-requirements.txt \
 && find /opt/outputwatch -type d \( -name tests -o -path '*/pyarrow/include' \) -prune -exec rm -r {} +
COPY pyproject.toml README.md LICENSE ./
COPY monitor monitor
COPY detectors detectors
COPY baselines baselines
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
 && python -m pip --python /opt/outputwatch/bin/python install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --no-create-home outputwatch \
 && install -d -o outputwatch -g outputwatch /var/lib/outputwatch /etc/outputwatch
COPY --from=build /opt/outputwatch /opt/outputwatch
# The root file system may be read-only: state goes to the volume, nothing else is written.
ENV PATH=/opt/outputwatch/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 DO_NOT_TRACK=1
USER 10001:10001
WORKDIR /var/lib/outputwatch
VOLUME /var/lib/outputwatch
EXPOSE 9469
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9469/healthz', timeout=4)"]
ENTRYPOINT ["outputwatch"]
CMD ["run", "/etc/outputwatch/monitor.yaml"]
