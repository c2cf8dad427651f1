import os
import subprocess
import sys
from pathlib import Path

from pydantic import SecretStr

from bench.processes import cpu_of, peak_mb, since
from bench.results import keep
from bench.shop import Get, without_credentials
from bench.signing import sign_with
from providers.woocommerce.auth import Keys, oauth_auth, oauth_signature, signature_base

URL = "http://127.0.0.1:8090/wp-json/wc/v3/orders"
PARAMS = (("status", "any"), ("include", "3,5"), ("search", "ä b~&"))


def test_a_request_is_signed_as_an_import_signs_it() -> None:
    params, headers = sign_with("ck_1", "cs_1")("GET", URL, PARAMS)
    by_name = dict(params)
    signature = by_name.pop("oauth_signature")
    keys = Keys(SecretStr("ck_1"), SecretStr("cs_1"))
    clock, nonce = float(by_name["oauth_timestamp"]), by_name["oauth_nonce"]
    ours = oauth_auth(
        keys,
        store_url="http://127.0.0.1:8090",
        home_url="http://127.0.0.1:8090",
        clock=lambda: clock,
        nonce=lambda: nonce,
    )
    assert (params, headers) == ours("GET", URL, PARAMS)
    assert signature == oauth_signature(signature_base("GET", URL, params[:-1]), "cs_1")


def test_a_logged_request_is_known_again_without_its_credentials() -> None:
    query = "status=any&page=2&_fields=id&oauth_nonce=%E2%80%A6&consumer_key=%E2%80%A6&empty="
    get = Get("/wp-json/wc/v3/products/12/variations", without_credentials(query))
    assert get.params == (("status", "any"), ("page", "2"), ("_fields", "id"), ("empty", ""))
    assert (get.entity, get.is_whole) == ("variations", False)


def test_figures_of_one_bench_replace_its_own_alone(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    keep(path, "a", {"x": 1})
    keep(path, "b", {"y": 2})
    keep(path, "a", {"z": 3})
    assert path.read_text() == ('{\n  "a": {\n    "z": 3\n  },\n  "b": {\n    "y": 2\n  }\n}\n')


def test_cpu_time_of_a_process_includes_the_children_that_ended() -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(10**7))'])"
    before = cpu_of({"us": os.getpid()})
    subprocess.run([sys.executable, "-c", script], check=True)
    assert since(before, cpu_of({"us": os.getpid()}))["us"] > 0.05


def test_peak_memory_is_that_of_the_whole_life() -> None:
    script = "x = b'x' * 50_000_000; del x; print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        peak = peak_mb(child.pid)
        child.communicate(b"\n")
    assert 50 < peak < 100
