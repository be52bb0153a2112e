"""Serves the churn model as a Merlin custom model that speaks HTTP_JSON."""

import signal
import sys

# Before the slow imports: process number 1 of a container that has not asked for
# SIGTERM does not get it. uvicorn asks anew once it runs.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

import logging
import os
import time

import uvicorn
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.exceptions import HTTPException

import churn

MAX_BODY = 1 << 20

log = logging.getLogger("churn")

# Metrics are named for what the model does, never for CARAML_MODEL_FULL_NAME: a
# metric's name must not hold a "-", and a dashboard would lose it with the next
# version.
REQUESTS = Counter("churn_requests_total", "Predict requests by status code.", ["code"])
SECONDS = Histogram("churn_request_duration_seconds", "Time taken by predict requests.",
                    buckets=[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1])
PREDICTIONS = Counter("churn_predictions_total", "Customers by what was predicted.", ["churn"])


def create_app(full_name, model=None, threshold=0.5):
    """The web service. It is not ready while app.state.model is None."""
    app = FastAPI(title=full_name, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.model = model
    path = f"/v1/models/{full_name}"

    @app.get("/")
    async def alive():
        return {"status": "alive"}

    @app.get(path)
    async def health():
        if app.state.model is None:
            raise HTTPException(503, "the model is not loaded yet")
        return {"status": "ready"}

    @app.get("/metrics")
    async def metrics():
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @app.post(path + ":predict")
    async def predict(request: Request):
        start, code = time.perf_counter(), 500
        try:
            answer = await predictions(request)
            code = 200
            return answer
        except HTTPException as refusal:
            code = refusal.status_code
            raise
        finally:
            REQUESTS.labels(code).inc()
            SECONDS.observe(time.perf_counter() - start)

    async def predictions(request):
        if app.state.model is None:
            raise HTTPException(503, "the model is not loaded yet")
        try:
            customers = churn.parse(await read(request))
        except churn.BadRequest as error:
            raise HTTPException(400, str(error)) from None
        # In a thread, so that a large request does not hold the probes up.
        found = await run_in_threadpool(app.state.model.probabilities, customers)
        for p in found:
            PREDICTIONS.labels("yes" if p >= threshold else "no").inc()
        return {"predictions": [{"churn": p >= threshold, "probability": p} for p in found]}

    @app.exception_handler(HTTPException)
    async def refuse(request, error):
        why = error.detail
        if error.status_code == 404:
            why = f"nothing is at {request.url.path}; predictions are at POST {path}:predict"
        elif error.status_code == 405:
            why = f"{request.url.path} does not take {request.method}"
        return JSONResponse({"error": why}, error.status_code, headers=getattr(error, "headers", None))

    return app


async def read(request):
    """The request's body, unless it is larger than MAX_BODY."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"the body is larger than {MAX_BODY} bytes")
    return bytes(body)


def need(name):
    """The variable's value. There is no default: a wrong one would be found out only
    in production."""
    value = os.environ.get(name)
    if not value:
        sys.exit(f"{name} is not set; Merlin and merlin-local set it")
    return value


def main():
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    port, full_name = int(need("CARAML_HTTP_PORT")), need("CARAML_MODEL_FULL_NAME")
    threshold = float(os.environ.get("CHURN_THRESHOLD", "0.5"))
    # Merlin deploys custom models with a TCP probe: who listens gets traffic. So the
    # model is loaded before the port is opened.
    model = churn.load(need("CARAML_ARTIFACT_LOCATION"))
    model.probabilities([WARM_UP])
    log.info("serving %s on port %d, trained: %s", full_name, port, model.trained)
    # One worker: the platform scales by replicas, and metrics stay in one process.
    uvicorn.run(create_app(full_name, model, threshold), host="0.0.0.0", port=port,
                workers=1, access_log=False, log_config=None)


# The first prediction is slow: scikit-learn imports more then.
WARM_UP = {"tenure_months": 12, "monthly_charge": 50, "support_calls": 0, "data_gb": 5,
           "contract": "one-year", "payment": "card"}

if __name__ == "__main__":
    main()
