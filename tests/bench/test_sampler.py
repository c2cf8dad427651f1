import json
import subprocess
import sys
from pathlib import Path

from bench.sampler import COLLECTING, OTHER, stage_of

ROOT = Path(__file__).parents[2]
BUSY = """
import gc, json
from bench.sampler import Sampler

def burn():
    sampler.start()
    while len(sampler.own) < 1 or sampler.stages["other"] < 0.05:
        sum(range(10_000))
    while sampler.stages["garbage collection"] < 0.05:
        gc.collect()
        sum(range(10_000))
    sampler.stop()

sampler = Sampler()
burn()
print(json.dumps(sampler.report(top=5)))
"""


def test_cpu_time_is_charged_to_functions_and_to_the_collector() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BUSY],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    report = json.loads(done.stdout)
    assert {COLLECTING, OTHER} == set(report["stages"])
    assert "<string>:5 burn" in [where for where, _ in report["own"]]
    assert {"<string>:5 burn", "<string>:1 <module>"} <= {where for where, _ in report["within"]}
    assert 0 < report["main_thread_s"] <= report["cpu_s"]


def test_source_files_belong_to_stages_of_an_import() -> None:
    files = {
        "domain/reconcile.py": "prepare",
        "domain/records.py": None,
        "db/apply.py": "database",
        "providers/_kit/http.py": "fetch",
        "providers/_kit/answers.py": "parse and map",
        "providers/woocommerce/auth.py": "fetch",
        "providers/woocommerce/mapper.py": "parse and map",
        "activities/pull.py": "activities",
        "workflows/pull.py": "workflows",
    }
    assert {name: stage_of(str(ROOT / name)) for name in files} == files
