"""One process of benchmarks/predict_lambda.py: imports a function, lets it answer, and prints the times.

    python -I -B predict_process.py FOLDER MODULE EVENT REQUESTS PORT

It imports what it measures while it measures, so only clocks and JSON are imported above. FOLDER is the function as AWS
unpacks it. Our function fetches a "url" itself, from public hosts only: PORT is where its picture really is.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any


def fetching(predict: Any, port: int) -> Any:
    """Returns our function with a network in which one public host is this machine."""
    web = predict.web_fetch
    there = web.Network(
        resolve=lambda _: ["93.184.216.34"], connect=lambda _, seconds: web.connect("127.0.0.1", seconds, port)
    )

    def fetch(url: str) -> bytes:
        content: bytes = web.fetch(url, predict.MAX_BYTES, predict.FETCH_SECONDS, there)
        return content

    function = predict.Function(predict.create_function().endpoint, {"https": fetch}, write=lambda _: None)
    return lambda event, _: predict.respond(predict.Request(event), function)


def peak_megabytes() -> float:
    """Returns the peak memory of this program; the system's figure for a child can be its parent's."""
    import resource
    from pathlib import Path

    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
    return int(lines["VmHWM"].split()[0]) / 1024


def main() -> None:
    """Imports, answers once, answers often, prints."""
    folder, name, path, requests, port = sys.argv[1:]
    sys.path.insert(0, folder)
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib would be imported for nothing
        event = json.load(file)
    started = time.perf_counter()
    module = importlib.import_module(name)
    imported = time.perf_counter() - started
    handler = fetching(module, int(port)) if name == "predict" else module.handler
    seconds = []
    for _ in range(1 + int(requests)):
        started = time.perf_counter()
        answer = handler(event, None)
        seconds.append(time.perf_counter() - started)
        if answer["statusCode"] != 200 or len(json.loads(answer["body"])[0]) != 133:
            raise RuntimeError(f"no prediction: {answer}")
    figures = {"imported": imported, "first": seconds[0], "later": sorted(seconds[1:])[int(requests) // 2]}
    print(json.dumps({**figures, "megabytes": peak_megabytes()}))


if __name__ == "__main__":
    main()
