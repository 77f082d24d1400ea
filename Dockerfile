# Undertone: the app and the worker are one image; docker-compose.yml starts both.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --create-home --uid 10001 undertone
WORKDIR /home/undertone/app
COPY requirements.txt .
# On Linux pip may choose a torch that brings CUDA's libraries, several gigabytes; a wheel for the processor alone will do.
RUN pip install --requirement requirements.txt
COPY --chown=root:root . .
# The embedded server's home, should no STORE_URL be given; an account of its own owns it.
RUN install --directory --owner=undertone --group=undertone /home/undertone/data
ENV UNDERTONE_HOME=/home/undertone/data
USER undertone
EXPOSE 8501
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=3)"]
CMD ["python", "bin/launch.py", "--server.address", "0.0.0.0"]
