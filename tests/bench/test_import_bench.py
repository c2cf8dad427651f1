"""The program as people start it, with a shop too small to tell anything about speed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.import_bench import shares

ROOT = Path(__file__).parents[2]
FIGURES = {
    *("records_per_s", "floor_records_per_s", "ratio", "history_events_per_1000"),
    *("worker_peak_mb", "worker_peak_mb_10k", "worker_peak_mb_200k"),
    *("dlt_ratio", "dlt_flat_ratio", "dlt_records_per_s", "dlt_cpu_us_per_record", "dlt_version"),
    *("products", "orders", "held", "gets", "seconds", "floor_seconds"),
    *(
        "cpu_us_per_record",
        "floor_cpu_us_per_record",
        "cpu_ratio",
        "worker_cpu_share",
        "python",
        "cpus",
    ),
}


def test_a_small_import_is_measured_and_kept_beside_other_benches(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    results.write_text('{"other": {"kept": true}, "import": {"stale": true}}')
    run = subprocess.run(
        [
            *(sys.executable, "-m", "bench", "import", "--quick"),
            *("--products", "60", "--orders", "60", "--results", str(results)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    kept = json.loads(results.read_text())
    found = kept["import"]
    assert kept["other"] == {"kept": True}
    assert set(found) == FIGURES
    assert (found["products"], found["orders"]) == (60, 60)
    assert found["held"] == {
        "categories": 12,
        "products": 59,
        "variants": 94,
        "customers": 29,
        "orders": 57,
    }
    assert found["gets"] > 0
    assert found["records_per_s"] > 0
    assert found["floor_records_per_s"] > 0
    assert set(found["cpu_us_per_record"]) == {"postgres", "shop", "temporal", "worker"}
    assert set(found["floor_cpu_us_per_record"]) == {"floor", "postgres", "shop", "temporal"}
    left_out = ("worker_peak_mb_10k", "worker_peak_mb_200k", "dlt_ratio", "worker_cpu_share")
    assert [found[name] for name in left_out] == [None] * 4
    assert "records_per_s" in run.stdout


def test_a_bench_that_is_not_there_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["imports"])
    assert ended.value.code == 2
    assert "no bench 'imports'; there is: import" in capsys.readouterr().err


def test_shares_name_the_threads_beside_the_main_one() -> None:
    sampled = {"cpu_s": 4.0, "main_thread_s": 3.0, "stages": {"fetch": 1.0, "database": 2.0}}
    assert shares(sampled) == {"fetch": 0.25, "database": 0.5, "other threads": 0.25}
