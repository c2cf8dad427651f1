import time, cProfile, pstats, pytest
from tests.workflows.conftest import OpenStore
pytestmark = pytest.mark.usefixtures("workers")
async def test_x(open_store: OpenStore, temporal_client) -> None:
    c=time.process_time(); t=time.time()
    scene = await open_store(products=10, orders=10, seed=3)
    print("open", time.time()-t, time.process_time()-c)
    await scene.import_store()
    for i in range(3):
        t=time.time(); c=time.process_time()
        if i==2: p=cProfile.Profile(); p.enable()
        r = await scene.import_store()
        print("import", time.time()-t, time.process_time()-c)
    p.disable(); pstats.Stats(p).sort_stats("cumtime").print_stats(45)
